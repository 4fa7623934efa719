import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { findGo } from "../../tools/setup/goToolchain.ts";
import { buildCache } from "../../tools/setup/layout.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const ACTIONLINT = "v1.7.7";
const WORKFLOWS = join(ROOT, ".github", "workflows");
const files = [
  ...readdirSync(WORKFLOWS).map((name) => join(WORKFLOWS, name)),
  join(ROOT, ".github", "actions", "set-up", "action.yml"),
];

let actionlint: string;

/** Built from its Go module once, and kept in the user's cache. */
beforeAll(async () => {
  const folder = join(buildCache(process.env), `actionlint-${ACTIONLINT}`);
  actionlint = join(folder, process.platform === "win32" ? "actionlint.exe" : "actionlint");
  if (existsSync(actionlint)) return;
  const go = await findGo(join(ROOT, "offline", "cli"), process.env);
  await execa(go.path, ["install", `github.com/rhysd/actionlint/cmd/actionlint@${ACTIONLINT}`], {
    env: { GOBIN: folder, GOFLAGS: "-mod=mod" },
  });
}, 300_000);

describe("the workflows", () => {
  test("are four: a preview, dev, prod, drift", () => {
    expect(readdirSync(WORKFLOWS).sort()).toEqual(["dev.yml", "drift.yml", "preview.yml", "prod.yml"]);
  });

  test("pass actionlint", async () => {
    const { stdout, exitCode } = await execa(actionlint, [], { cwd: ROOT, reject: false });
    expect(stdout).toBe("");
    expect(exitCode).toBe(0);
  });

  test("would not pass it with a fault", async () => {
    const directory = mkdtempSync(join(tmpdir(), "pgstrata-workflow-"));
    try {
      const file = join(directory, "broken.yml");
      const whole = readFileSync(join(WORKFLOWS, "drift.yml"), "utf8");
      writeFileSync(file, whole.replace("runs-on: ubuntu-latest", "runs_on: ubuntu-latest"));
      const { stdout, exitCode } = await execa(actionlint, [file], { cwd: ROOT, reject: false });
      expect(stdout).toContain('"runs-on" section is missing');
      expect(exitCode).toBe(1);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("audit the production dependencies with each pull request, one from a fork too", () => {
    const text = readFileSync(join(WORKFLOWS, "preview.yml"), "utf8");
    expect(text).toMatch(/^ {2}pull_request:$/m);
    const [, audit = ""] = text.split(/^ {2}audit:$/m);
    expect(audit).toMatch(/^ {8}run: npm audit --omit=dev --audit-level=high$/m);
    expect(audit).not.toContain("if:");
  });

  test.each(files)("%s pins each action by its commit", (file) => {
    const used = [...readFileSync(file, "utf8").matchAll(/uses: (\S+)/g)].map(([, name = ""]) => name);
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !name.startsWith("./") && !/@[0-9a-f]{40}$/.test(name))).toEqual([]);
  });

  test.each(files.slice(0, 4))(
    "%s has no more rights than it needs, and no secret but those of the repository",
    (file) => {
      const text = readFileSync(file, "utf8");
      expect(text).toMatch(/^permissions: \{\}$/m);
      const granted = [...text.matchAll(/^ {6}([a-z-]+): (read|write)$/gm)].map(
        ([, name, right]) => `${name}: ${right}`,
      );
      expect(granted).toEqual(
        file.endsWith("preview.yml")
          ? ["contents: read", "pull-requests: write", "contents: read"]
          : ["contents: read"],
      );
      const secrets = [...text.matchAll(/secrets\.(\w+)/g)].map(([, name]) => name);
      expect(new Set(secrets)).toEqual(new Set(["PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"]));
      // An input in a script is a text that its author may choose.
      for (const [line] of text.matchAll(/^ +(?:- )?run: .*$/gm)) expect(line).not.toContain("${{");
    },
  );
});
