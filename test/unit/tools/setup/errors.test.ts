import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../../../provider/core/errors.ts";
import { projectRoot } from "../../../../tools/lib/paths.ts";
import { explainFileError, writing } from "../../../../tools/setup/fileErrors.ts";
import { buildError, cachedFolder, fetchAhead } from "../../../../tools/setup/goBuild.ts";
import { findGo, requiredGoVersion } from "../../../../tools/setup/goToolchain.ts";
import { cliPart, languageHostPart, pluginParts } from "../../../../tools/setup/parts.ts";
import { runCommand } from "../../../../tools/setup/runCommand.ts";

let scratch: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), "pgstrata-go-"));
  writeFileSync(join(scratch, "go.mod"), "module example.invalid\n\ngo 1.25.11\n");
});

afterEach(() => rmSync(scratch, { recursive: true, force: true }));

function fakeGo(script: string): Record<string, string> {
  mkdirSync(join(scratch, "bin"));
  writeFileSync(join(scratch, "bin", "go"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(scratch, "bin", "go"), 0o755);
  return { PATH: `${join(scratch, "bin")}:/usr/bin:/bin` };
}

async function messageOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return error instanceof Error ? error.message : "";
  }
  return "no error";
}

describe("finding Go", () => {
  it("says what to install when there is none", async () => {
    const message = await messageOf(findGo(scratch, { PATH: "/nowhere" }, []));
    expect(message).toMatch(/Go is missing.*Go 1\.25\.11 or newer.*https:\/\/go\.dev\/dl\/.*Pulumi CLI 3\.258\.0/s);
  });

  it.each(["1.9", "1.21.5", "1.25.10"])("refuses Go %s, which is older than go.mod demands", async (version) => {
    const message = await messageOf(findGo(scratch, fakeGo(`echo "go version go${version} linux/amd64"`), []));
    expect(message).toContain(`found Go ${version}`);
    expect(message).toContain("Expected Go 1.25.11");
  });

  it.each(["1.25.11", "1.26.0", "2.0"])("takes Go %s", async (version) => {
    const go = await findGo(scratch, fakeGo(`echo "go version go${version} linux/amd64"`), []);
    expect(go.version).toBe(version);
  });

  it("passes on why Go could not switch to a newer toolchain", async () => {
    const message = await messageOf(
      findGo(scratch, fakeGo('echo "go: download go1.25.11: dial tcp: refused" >&2; exit 1'), []),
    );
    expect(message).toContain("dial tcp: refused");
  });

  it("reads the demanded version from each part's go.mod", () => {
    expect(requiredGoVersion(join(import.meta.dirname, "../../../../offline/cli"))).toMatch(/^1\.\d+\.\d+$/);
  });
});

describe("a failed build", () => {
  it.each([
    'go: m@v1: Get "https://proxy.example/m": dial tcp: lookup proxy.example: no such host',
    "go: m@v1: reading https://proxy.example/m: 403 Forbidden",
    "go: module lookup disabled by GOPROXY=off",
  ])("tells of a module proxy that cannot be used: %s", (output) => {
    const { message } = buildError(cliPart, "/cache", output);
    expect(message).toMatch(/could not fetch a module.*go env GOPROXY/s);
    expect(message).toContain(output);
  });

  it("tells of a full disk, whatever else Go says", () => {
    const { message } = buildError(cliPart, "/cache", "dial tcp\nwrite /cache/x: no space left on device\n");
    expect(message).toMatch(/^The disk is full.*\/cache.*Free some space/s);
  });

  it("quotes Go in every other case, without its download lines", () => {
    const { message } = buildError(cliPart, "/cache", "go: downloading a v1\nx.go:1: syntax error\n");
    expect(message).toContain("x.go:1: syntax error");
    expect(message).not.toContain("downloading");
  });
});

describe("a file that cannot be written", () => {
  it.each([
    ["ENOSPC", /disk is full/],
    ["EACCES", /Cannot write to \/folder/],
    ["EROFS", /Cannot write to \/folder/],
  ])("explains %s", (code, expected) => {
    const explained = explainFileError("/folder", Object.assign(new Error("x"), { code }));
    expect(explained).toBeInstanceOf(UserError);
    expect(String(explained)).toMatch(expected);
  });

  it("leaves our own defects as they are", () => {
    const defect = new TypeError("x");
    expect(() =>
      writing("/folder", () => {
        throw defect;
      }),
    ).toThrow(defect);
  });
});

describe("modules of parts that are built later", () => {
  it("are fetched ahead, a part that is built already left out, until the set-up ends", async () => {
    const env = { ...fakeGo('basename "$PWD" >> "$LOG"; test -e "$STOP" && sleep 30'), XDG_CACHE_HOME: scratch };
    const log = join(scratch, "log");
    const parts = [languageHostPart, ...pluginParts];
    const go = { path: join(scratch, "bin", "go"), version: "1.25.11" };
    const built = cachedFolder(projectRoot, languageHostPart, env);
    mkdirSync(built, { recursive: true });
    writeFileSync(join(built, languageHostPart.executable), "");
    const ended = new AbortController();
    const fetch = (stop: string) =>
      fetchAhead(go, { root: projectRoot, parts, env: { ...env, LOG: log, STOP: stop }, signal: ended.signal });
    await fetch("/nowhere");
    expect(readFileSync(log, "utf8")).toBe("random\npostgresql\n");
    const stopped = fetch(log);
    ended.abort();
    await stopped;
    expect(readFileSync(log, "utf8")).not.toMatch(/postgresql\n.*postgresql/s);
  });
});

describe("a command", () => {
  it("is ended with its children when its time is up", async () => {
    const started = performance.now();
    const result = await runCommand("/bin/sh", ["-c", "sleep 30 & wait"], {
      env: { PATH: "/usr/bin:/bin" },
      timeoutMs: 200,
    });
    expect(result).toMatchObject({ timedOut: true, exitCode: -1 });
    // The output ends when its last holder does, and the child holds it too.
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  it("is ended by a signal", async () => {
    const ended = new AbortController();
    const running = runCommand("/bin/sleep", ["30"], { env: {}, signal: ended.signal });
    ended.abort();
    expect(await running).toMatchObject({ timedOut: false, exitCode: -1 });
  });

  it("gives signs of life", async () => {
    let beats = 0;
    const onHeartbeat = () => {
      beats += 1;
    };
    await runCommand("/bin/sh", ["-c", "sleep 0.3"], { env: { PATH: "/usr/bin:/bin" }, onHeartbeat, heartbeatMs: 50 });
    expect(beats).toBeGreaterThan(1);
  });

  it("that does not exist is a result, not an exception", async () => {
    expect(await runCommand("/nowhere/x", [], { env: {} })).toMatchObject({ exitCode: -1 });
  });
});
