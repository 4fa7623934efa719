// On a checkout that has no more than what a bundle is made of.
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, utimesSync, writeFileSync } from "node:fs";
import { cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { bundleOf, bundlesOf } from "../../../../provider/bundle.ts";
import { makeBundle } from "../../../../tools/setup/bundles.ts";

const project = join(import.meta.dirname, "..", "..", "..", "..");
const base = mkdtempSync(join(tmpdir(), "pgstrata bundle-"));
afterAll(() => rm(base, { recursive: true }));

/** Whose provider tells where it was loaded from, and what the project's file beside it says. */
function checkout(name: string): string {
  const root = join(base, name);
  mkdirSync(join(root, "provider", "protocol"), { recursive: true });
  for (const file of ["main.ts", "bundle.ts"]) cpSync(join(project, "provider", file), join(root, "provider", file));
  writeFileSync(join(root, "package.json"), '{ "type": "module" }');
  writeFileSync(join(root, "package-lock.json"), "{}");
  writeFileSync(join(root, "project.ts"), "export const told: string = import.meta.dirname;");
  writeFileSync(
    join(root, "provider", "protocol", "run.ts"),
    `import { told } from "../../project.ts"; export const run = () => console.log(import.meta.filename + " of " + told);`,
  );
  return root;
}

const start = (root: string) =>
  execFileSync(process.execPath, [join(root, "provider", "main.ts")], { encoding: "utf8" }).trim();
const silent = (line: string) => expect.unreachable(line);

it("starts the provider from a bundle of its files, and from the files once they have changed", async () => {
  const root = checkout("a checkout");
  const run = join(root, "provider", "protocol", "run.ts");
  expect(start(root)).toBe(`${run} of ${root}`);

  await makeBundle(root, "provider", silent);

  const [folder = ""] = readdirSync(bundlesOf(root));
  expect(start(root)).toBe(`${join(bundlesOf(root), folder, "run.js")} of ${root}`);
  utimesSync(run, new Date(), new Date(Date.now() + 1000));
  expect(start(root)).toBe(`${run} of ${root}`);
});

it("makes a bundle once, and removes those that no process is started from any more", async () => {
  const root = checkout("another");
  await makeBundle(root, "provider", silent);
  const [first = ""] = readdirSync(bundlesOf(root));
  const marker = join(bundlesOf(root), first, "marker");
  writeFileSync(marker, "");
  await makeBundle(root, "provider", silent);
  expect(existsSync(marker)).toBe(true);

  const recent = join(bundlesOf(root), "provider-of-today");
  mkdirSync(recent);
  utimesSync(join(bundlesOf(root), first), new Date(), new Date(Date.now() - 48 * 3_600_000));
  writeFileSync(join(root, "provider", "more.ts"), "");
  await makeBundle(root, "provider", silent);

  expect(readdirSync(bundlesOf(root))).toHaveLength(2);
  expect(existsSync(recent)).toBe(true);
  expect(existsSync(marker)).toBe(false);
});

it("knows a copy that kept the times of its files", async () => {
  const root = checkout("an original");
  const copy = join(base, "a copy");

  await cp(root, copy, { recursive: true, preserveTimestamps: true });

  expect(basename(bundleOf(copy, "provider").folder)).toBe(basename(bundleOf(root, "provider").folder));
});

it("says so where the files cannot be bundled, and leaves the provider to its files", async () => {
  const root = checkout("broken");
  const run = join(root, "provider", "protocol", "run.ts");
  writeFileSync(run, `export { run } from "./missing.ts";`);
  const lines: string[] = [];

  await makeBundle(root, "provider", (line) => lines.push(line));

  expect(lines).toEqual([expect.stringContaining("could not be bundled")]);
  expect(existsSync(bundlesOf(root))).toBe(false);
});

it("makes none where it would hold a file whose changes go unnoticed", async () => {
  const root = checkout("with a folder of its own");
  mkdirSync(join(root, "own"));
  writeFileSync(join(root, "own", "name.ts"), 'export const name = "own";');
  writeFileSync(join(root, "provider", "protocol", "run.ts"), 'export { name } from "../../own/name.ts";');
  const lines: string[] = [];

  await makeBundle(root, "provider", (line) => lines.push(line));

  expect(lines).toEqual([expect.stringContaining("own/name.ts may change without another bundle")]);
  expect(existsSync(bundlesOf(root)) ? readdirSync(bundlesOf(root)) : []).toEqual([]);
});

it("runs the program and the SDK from a bundle of both, and from the files once they have changed", async () => {
  const root = checkout("a program");
  for (const folder of ["components/program", "programs", "tools"]) mkdirSync(join(root, folder), { recursive: true });
  for (const file of ["sdkLoading.ts", "sdkModules.ts"])
    cpSync(join(project, "components", "program", file), join(root, "components", "program", file));
  const sdk = join(root, "node_modules", "@pulumi", "pulumi");
  mkdirSync(join(sdk, "cmd", "run"), { recursive: true });
  writeFileSync(join(sdk, "index.js"), "exports.name = new Error().stack.includes('.pgstrata') ? 'bundle' : 'files';");
  // Loaded apart: its stand-in takes nothing of the file.
  writeFileSync(join(sdk, "typescript-shim.js"), "throw new Error('loaded')");
  writeFileSync(
    join(sdk, "cmd", "run", "index.js"),
    "require('../../typescript-shim'); import(require('url').pathToFileURL(process.argv[2]).href).then((m) => console.log(m.default()));",
  );
  const program = join(root, "index.ts");
  writeFileSync(
    program,
    `import sdk from "@pulumi/pulumi"; export default () => sdk.name + " " + import.meta.filename;`,
  );
  const start = () => {
    const preload = join(root, "components", "program", "sdkLoading.ts");
    const run = join(sdk, "cmd", "run", "index.js");
    return execFileSync(process.execPath, ["--import", preload, run, program], { encoding: "utf8" }).trim();
  };
  expect(start()).toBe(`files ${program}`);

  await makeBundle(root, "program", silent);

  expect(start()).toMatch(`bundle ${bundlesOf(root)}`);
  utimesSync(program, new Date(), new Date(Date.now() + 1000));
  expect(start()).toBe(`files ${program}`);
});
