import { type ChildProcess, spawn } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const EXECUTABLE = path.join(import.meta.dirname, "../../../provider/pulumi-resource-pgstrata");
const NODE = path.join(import.meta.dirname, "../../../node_modules/.bin/node");

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "pgstrata process "));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Started {
  child: ChildProcess;
  output(): string;
  errors(): string;
  /** The first line of standard output. */
  port: Promise<number>;
  exit: Promise<number | null>;
}

function start(file: string, options: { args?: string[]; path?: string; stdin?: "pipe" | "ignore" } = {}): Started {
  const child = spawn(file, options.args ?? ["127.0.0.1:1"], {
    stdio: [options.stdin ?? "pipe", "pipe", "pipe"],
    env: { ...process.env, ...(options.path ? { PATH: options.path } : {}) },
  });
  let output = "";
  let errors = "";
  child.stderr?.on("data", (data: Buffer) => {
    errors += data;
  });
  const exit = new Promise<number | null>((resolve) => child.once("close", resolve));
  const port = new Promise<number>((resolve, reject) => {
    child.stdout?.on("data", (data: Buffer) => {
      output += data;
      if (output.includes("\n")) resolve(Number(output));
    });
    void exit.then(() => reject(new Error(`ended without a port: ${errors}`)));
  });
  port.catch(() => undefined);
  return { child, output: () => output, errors: () => errors, port, exit };
}

describe("the executable", () => {
  it("prints its port and nothing else, and ends on a signal", async () => {
    const started = start(EXECUTABLE);
    expect(await started.port).toBeGreaterThan(0);
    started.child.kill("SIGINT");
    expect(await started.exit).toBe(0);
    expect(started.output()).toMatch(/^\d+\n$/);
    expect(started.errors()).toBe("");
  });

  it.runIf(process.platform === "linux")("leaves no core dump, which would hold secrets", async () => {
    const raised = 'ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@"';
    const started = start("/bin/sh", { args: ["-c", raised, EXECUTABLE, "127.0.0.1:1"] });
    await started.port;
    const limits = readFileSync(`/proc/${started.child.pid}/limits`, "utf8");
    expect(limits).toMatch(/^Max core file size +0 +0 /m);
    started.child.kill("SIGTERM");
    await started.exit;
  });

  it("ends when the engine goes away, which closes its standard input", async () => {
    const started = start(EXECUTABLE);
    await started.port;
    started.child.stdin?.end();
    expect(await started.exit).toBe(0);
  });

  it("goes on when its standard input is no pipe", async () => {
    const started = start(EXECUTABLE, { stdin: "ignore" });
    await started.port;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(started.child.exitCode).toBeNull();
    started.child.kill("SIGTERM");
    expect(await started.exit).toBe(0);
  });

  it("starts through a link under a path with a space", async () => {
    const link = path.join(folder, "a link");
    symlinkSync(EXECUTABLE, link);
    const started = start(link);
    expect(await started.port).toBeGreaterThan(0);
    started.child.kill("SIGTERM");
    await started.exit;
  });

  it("takes the Node on PATH where the project has none, and refuses one that is too old", async () => {
    const project = path.join(folder, "project");
    mkdirSync(path.join(project, "bin"), { recursive: true });
    mkdirSync(path.join(project, "provider"));
    const copy = path.join(project, "provider", "pulumi-resource-pgstrata");
    copyFileSync(EXECUTABLE, copy);
    writeFileSync(path.join(project, "provider", "main.ts"), "console.log(7)");
    chmodSync(copy, 0o755);
    const node = path.join(project, "bin", "node");

    const tooOld = (version: string): void => {
      writeFileSync(node, `#!/bin/sh\necho ${version}\n`);
      chmodSync(node, 0o755);
    };
    for (const version of ["v20.20.2", "v22.17.9"]) {
      tooOld(version);
      const refused = start(copy, { path: `${path.dirname(node)}:/usr/bin:/bin` });
      expect(await refused.exit).toBe(1);
      expect(refused.errors()).toContain(`found Node ${version}`);
    }
    rmSync(node);
    symlinkSync(NODE, node);
    const accepted = start(copy, { path: `${path.dirname(node)}:/usr/bin:/bin` });
    expect(await accepted.port).toBe(7);
    await accepted.exit;
  });
});
