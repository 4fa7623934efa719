import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { afterAll, expect, test } from "vitest";

const home = realpathSync(mkdtempSync(join(tmpdir(), "pgstrata-other-")));
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** A stand-in for the Pulumi CLI that tells where it was run. */
function standIn(): string {
  mkdirSync(join(home, "bin"), { recursive: true });
  mkdirSync(join(home, "project"), { recursive: true });
  writeFileSync(join(home, "bin", "pulumi"), '#!/bin/sh\necho "run in $PWD as $*" >&2\nexit 1\n');
  chmodSync(join(home, "bin", "pulumi"), 0o755);
  return `${join(home, "bin")}${delimiter}${process.env.PATH ?? ""}`;
}

async function run(command: string, ...args: string[]): Promise<string> {
  const { PULUMI_BACKEND_URL: _, ...others } = process.env;
  const env = { ...others, PATH: standIn() };
  const tool = join(import.meta.dirname, "..", "..", "tools", "commands", `${command}.ts`);
  return (await execa(process.execPath, [tool, ...args], { cwd: home, env, extendEnv: false, reject: false })).stderr;
}

test("drift, lint:db and plan look at the Pulumi project that they are told, with the CLI of the shell", async () => {
  expect(await run("drift", "-C", "project", "--stack", "s")).toContain(
    `run in ${join(home, "project")} as stack export`,
  );
  expect(await run("lintDb", "-C", "project", "--stack", "s")).toContain(
    `run in ${join(home, "project")} as stack export`,
  );
  expect(await run("plan", "--cwd", join(home, "project"), "--stack", "s")).toContain(
    `run in ${join(home, "project")} as preview --json`,
  );
});

test("a folder that is not there is named, and not taken for a CLI that is missing", async () => {
  expect(await run("plan", "-C", "nowhere")).toContain(`Found no folder ${join(home, "nowhere")}`);
});
