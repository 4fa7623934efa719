import { execFileSync } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { pulumiEnvironment, requireOwnHome, shellExports } from "../../../tools/lib/environment.ts";

const base = mkdtempSync(join(tmpdir(), 'pgstrata it\'s $HOME "x" #1% '));
mkdirSync(join(base, ".pgstrata"));
const part = {
  name: "cli",
  version: "1.2.3",
  source: "built",
  path: join(base, ".pgstrata", "bin", "pulumi"),
  digest: "",
  size: 1,
  mtimeMs: 1,
};
writeFileSync(join(base, ".pgstrata", "setup.json"), JSON.stringify({ format: 1, parts: [part] }));
afterAll(() => rmSync(base, { recursive: true, force: true }));

function evaluate(script: string): Record<string, string> {
  const names = [...Object.keys(pulumiEnvironment(base).variables), "PATH", "PULUMI_CONFIG_PASSPHRASE"];
  const show = names.map((name) => `printf '%s=%s\\n' ${name} "\${${name}-none}"`).join("\n");
  const output = execFileSync("/bin/sh", ["-c", `${script}\n${show}`], {
    env: { PATH: "/usr/bin:/bin", PULUMI_CONFIG_PASSPHRASE: "in the way" },
    encoding: "utf8",
  });
  return Object.fromEntries(
    output
      .trim()
      .split("\n")
      .map((line) => line.split(/=(.*)/s, 2)),
  );
}

it("prints exports that a shell reads back exactly, whatever the path holds", () => {
  const environment = pulumiEnvironment(base);
  expect(evaluate(shellExports(environment))).toEqual({
    ...environment.variables,
    PATH: [...environment.path, "/usr/bin:/bin"].join(":"),
    PULUMI_CONFIG_PASSPHRASE: "none",
  });
});

it("adds nothing to PATH the second time", () => {
  const exports = shellExports(pulumiEnvironment(base));
  expect(evaluate(`${exports}\n${exports}`).PATH).toBe(evaluate(exports).PATH);
});

it("asks for the set-up where there was none", () => {
  expect(() => pulumiEnvironment(join(base, "elsewhere"))).toThrow(/Run `npm start`/);
});

it("refuses a project-local home of another user", () => {
  if (process.getuid?.() !== 0) return;
  expect(() => requireOwnHome(base)).not.toThrow();
  chownSync(join(base, ".pgstrata"), 12345, 12345);
  expect(() => requireOwnHome(base)).toThrow(/belongs to the user number 12345/);
});
