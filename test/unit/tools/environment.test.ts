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
writeFileSync(join(base, ".pgstrata", "setup.json"), JSON.stringify({ format: 2, parts: [part] }));
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

const TEAM = "postgres://pulumi@db.internal/pulumi";

it.each([
  { title: "a passphrase file", shell: { PULUMI_CONFIG_PASSPHRASE_FILE: "/run/secrets/passphrase" } },
  { title: "a passphrase", shell: { PULUMI_CONFIG_PASSPHRASE: "known to the team" } },
  { title: "no passphrase, which the CLI then asks for", shell: {} },
])("leaves a backend that the shell names as it is, with $title", ({ shell }) => {
  const { variables, unset } = pulumiEnvironment(base, { PULUMI_BACKEND_URL: TEAM, ...shell });
  expect(Object.keys(variables)).toEqual(expect.arrayContaining(["PULUMI_HOME", "NODE_COMPILE_CACHE"]));
  expect([...Object.keys(variables), ...unset].filter((name) => /BACKEND|PASSPHRASE/.test(name))).toEqual([]);
});

it("does not let a checkout's passphrase encrypt what is in another backend", () => {
  const { PULUMI_CONFIG_PASSPHRASE_FILE } = pulumiEnvironment(base).variables;
  const { unset } = pulumiEnvironment(base, { PULUMI_BACKEND_URL: TEAM, PULUMI_CONFIG_PASSPHRASE_FILE });
  expect(unset).toEqual(["PULUMI_CONFIG_PASSPHRASE_FILE"]);
});

it("replaces what the environment of another checkout has set", () => {
  const shell = {
    PULUMI_BACKEND_URL: "file:///home/ann/other/.pgstrata/state",
    PULUMI_CONFIG_PASSPHRASE_FILE: "/home/ann/other/.pgstrata/passphrase",
  };
  expect(pulumiEnvironment(base, shell)).toEqual(pulumiEnvironment(base));
});

it("asks for the set-up where there was none", () => {
  expect(() => pulumiEnvironment(join(base, "elsewhere"))).toThrow(/Run `npm start`/);
});

it("refuses a project-local home of another user", () => {
  if (process.getuid?.() !== 0) return;
  expect(() => requireOwnHome(base)).not.toThrow();
  chownSync(join(base, ".pgstrata"), 12345, 12345);
  expect(() => requireOwnHome(base)).toThrow(/belongs to the user with ID 12345/);
});
