// On a checkout that has no more than what a bundle is made of.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { cp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, expect, it } from "vitest";
import { bundlesOf, currentBundle, noteOf } from "../../../../provider/bundle.ts";
import { makeBundle } from "../../../../tools/setup/bundles.ts";

const project = join(import.meta.dirname, "..", "..", "..", "..");
const base = mkdtempSync(join(tmpdir(), "pgstrata bundle-"));
afterAll(() => rm(base, { recursive: true }));

/** Whose provider tells where it was loaded from, and what the project's file beside it says. */
function checkout(name: string): string {
  const root = join(base, name);
  mkdirSync(join(root, "provider", "protocol"), { recursive: true });
  mkdirSync(join(root, "provider", "core"), { recursive: true });
  for (const file of ["main.ts", "bundle.ts", "core/bundledStack.ts"])
    cpSync(join(project, "provider", file), join(root, "provider", file));
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

const bundle = (root: string) => currentBundle(root, "provider") ?? "none";

it("starts the provider from a bundle of its files, and from the files once they have changed", async () => {
  const root = checkout("a checkout");
  const run = join(root, "provider", "protocol", "run.ts");
  expect(start(root)).toBe(`${run} of ${root}`);

  await makeBundle(root, "provider", silent);

  expect(start(root)).toBe(`${join(bundle(root), "run.js")} of ${root}`);
  const { atime, mtime } = statSync(run);
  writeFileSync(run, readFileSync(run, "utf8").replace(" of ", " OF "));
  utimesSync(run, atime, mtime);
  expect(start(root)).toBe(`${run} OF ${root}`);
});

it("makes a bundle once, and removes those that no process is started from any more", async () => {
  const root = checkout("another");
  await makeBundle(root, "provider", silent);
  const first = bundle(root);
  const marker = join(first, "marker");
  writeFileSync(marker, "");
  await makeBundle(root, "provider", silent);
  expect(existsSync(marker)).toBe(true);

  const recent = join(bundlesOf(root), "provider-of-today");
  mkdirSync(recent);
  utimesSync(first, new Date(), new Date(Date.now() - 48 * 3_600_000));
  writeFileSync(join(root, "project.ts"), "export const told: string = '';");
  writeFileSync(join(root, "package-lock.json"), "{ }");
  await makeBundle(root, "provider", silent);

  expect(readdirSync(bundlesOf(root)).sort()).toEqual(
    [basename(bundle(root)), "provider-of-today", "provider.txt"].sort(),
  );
  expect(existsSync(marker)).toBe(false);
});

it("knows a copy by what is in it, and not one whose bundles are those of another checkout", async () => {
  const root = checkout("an original");
  await makeBundle(root, "provider", silent);
  const copy = join(base, "a copy");
  await cp(root, copy, { recursive: true });
  expect(start(copy)).toBe(`${join(bundle(copy), "run.js")} of ${copy}`);

  const note = readFileSync(noteOf(copy, "provider"), "utf8");
  await makeBundle(copy, "provider", silent);
  const again = readFileSync(noteOf(copy, "provider"), "utf8");
  expect(again).not.toBe(note);
  expect(again).toContain(`\t${statSync(join(copy, "provider", "protocol", "run.ts")).ctimeMs}\t`);

  await rm(join(copy, ".pgstrata"), { recursive: true });
  symlinkSync(join(root, ".pgstrata"), join(copy, ".pgstrata"));
  expect(start(copy)).toBe(`${join(copy, "provider", "protocol", "run.ts")} of ${copy}`);
});

it.each([
  ["damaged", (part: string) => truncateSync(part, 10)],
  ["incomplete", (part: string) => rmSync(part)],
])("is made again where it is %s, and not started until then", async (what, harm) => {
  const root = checkout(what);
  const run = join(root, "provider", "protocol", "run.ts");
  await makeBundle(root, "provider", silent);
  harm(join(bundle(root), "run.js"));
  expect(start(root)).toBe(`${run} of ${root}`);
  await makeBundle(root, "provider", silent);
  expect(start(root)).toBe(`${join(bundle(root), "run.js")} of ${root}`);
});

it("follows what it holds from elsewhere: packages, those that are linked too, and files beside the checkout", async () => {
  const root = checkout("with others");
  const linked = join(base, "linked");
  const packages = join(root, "node_modules");
  for (const folder of [linked, join(packages, "patched")]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "index.js"), "export const name = 'one';");
    writeFileSync(join(folder, "package.json"), '{ "type": "module", "main": "index.js" }');
  }
  symlinkSync(linked, join(packages, "linked"));
  writeFileSync(join(base, "beside.ts"), "export const name = 'one';");
  writeFileSync(
    join(root, "provider", "protocol", "run.ts"),
    `import { name as a } from "patched"; import { name as b } from "linked"; import { name as c } from "../../../beside.ts";
     export const run = () => console.log(a, b, c, import.meta.filename.endsWith(".js"));`,
  );
  await makeBundle(root, "provider", silent);
  expect(start(root)).toBe("one one one true");
  const files = [join(packages, "patched", "index.js"), join(linked, "index.js"), join(base, "beside.ts")];
  for (const [n, file] of files.entries()) {
    writeFileSync(file, "export const name = 'two';");
    expect(start(root)).toBe(`${["two", n > 0 ? "two" : "one", n > 1 ? "two" : "one"].join(" ")} false`);
  }
});

it.each(["tools/setup/bundles.ts", "components/program/sdkModules.ts"])(
  "is made again where %s says how",
  async (path) => {
    const root = checkout(path.replaceAll("/", " "));
    mkdirSync(join(root, path, ".."), { recursive: true });
    writeFileSync(join(root, path), "// one way");
    await makeBundle(root, "provider", silent);
    const first = bundle(root);
    writeFileSync(join(root, path), "// other way");
    expect(bundle(root)).toBe("none");
    await makeBundle(root, "provider", silent);
    expect(bundle(root)).not.toBe(first);
  },
);

it("says so where the files cannot be bundled, and leaves the provider to its files", async () => {
  const root = checkout("broken");
  const run = join(root, "provider", "protocol", "run.ts");
  writeFileSync(run, `export { run } from "./missing.ts";`);
  const lines: string[] = [];

  await makeBundle(root, "provider", (line) => lines.push(line));

  expect(lines).toEqual([expect.stringContaining("could not be bundled")]);
  expect(existsSync(bundlesOf(root))).toBe(false);
});

/** With an SDK that runs it. */
function program(name: string): string {
  const root = checkout(name);
  for (const folder of ["components/program", "programs", "tools"]) mkdirSync(join(root, folder), { recursive: true });
  for (const file of ["sdkLoading.ts", "sdkModules.ts"])
    cpSync(join(project, "components", "program", file), join(root, "components", "program", file));
  const sdk = join(root, "node_modules", "@pulumi", "pulumi");
  mkdirSync(join(sdk, "cmd", "run"), { recursive: true });
  writeFileSync(join(sdk, "index.js"), "exports.name = new Error().stack.includes('.pgstrata') ? 'bundle' : 'files';");
  // Loaded apart: its stand-in takes nothing of the file.
  writeFileSync(join(sdk, "typescript-shim.js"), "throw new Error('loaded')");
  // As the SDK's: it hears of what nobody catches, and shows it.
  const heard = `for (const each of ["uncaughtException", "unhandledRejection"])
    process.on(each, (error) => { console.log(error.stack); process.exit(0); });`;
  writeFileSync(
    join(sdk, "cmd", "run", "index.js"),
    heard +
      "require('../../typescript-shim'); import(require('url').pathToFileURL(process.argv[2]).href).then((m) => console.log(m.default()));",
  );
  return root;
}

function startProgram(root: string, index: string): string {
  const preload = join(root, "components", "program", "sdkLoading.ts");
  const run = join(root, "node_modules", "@pulumi", "pulumi", "cmd", "run", "index.js");
  return execFileSync(process.execPath, ["--import", preload, run, index], { encoding: "utf8" }).trim();
}

it.each([
  ["looks for files beside itself", "export const path: string = import.meta.url;", "has `import.meta`"],
  ["imports what it computes", "export const load = (name: string) => import(name);", "has `import("],
  ["imports another package", 'import mine from "mine"; export { mine };', "imports mine"],
])("makes none of a program that %s, and says so", async (_, code, why) => {
  const root = program("a program of one's own");
  writeFileSync(join(root, "components", "mine.ts"), code);
  writeFileSync(join(root, "index.ts"), 'import "./components/mine.ts"; export default () => "";');
  mkdirSync(join(root, "node_modules", "mine"), { recursive: true });
  writeFileSync(join(root, "node_modules", "mine", "index.js"), "module.exports = 1");
  const lines: string[] = [];
  await makeBundle(root, "program", (line) => lines.push(line));
  expect(lines).toEqual([expect.stringContaining(`components/mine.ts ${why}`)]);
  expect(currentBundle(root, "program")).toBeUndefined();
});

it("runs the program and the SDK from a bundle of both, and from the files once they have changed", async () => {
  const root = program("a program");
  const index = join(root, "index.ts");
  const code = (mark: string) => `import sdk from "@pulumi/pulumi"; export default () => sdk.name + " ${mark}";`;
  writeFileSync(index, code("1"));
  expect(startProgram(root, index)).toBe("files 1");

  await makeBundle(root, "program", silent);

  expect(startProgram(root, index)).toBe("bundle 1");
  writeFileSync(index, code("2"));
  expect(startProgram(root, index)).toBe("files 2");
});

it.each([
  ["a throw", "export default () => { throw mine(); };"],
  ["a rejection", "export default () => void Promise.reject(mine());"],
  ["a throw of later", "export default () => void setImmediate(() => { throw mine(); });"],
])("shows where in the sources %s comes from", async (_, code) => {
  const root = program("a failing program");
  const index = join(root, "index.ts");
  writeFileSync(
    join(root, "components", "mine.ts"),
    "interface Gone { a: 1 }\n\nexport const mine = () => new Error('mine');",
  );
  writeFileSync(index, `import { mine } from "./components/mine.ts";\n${code}`);
  await makeBundle(root, "program", silent);
  expect(currentBundle(root, "program")).toBeDefined();
  const said = startProgram(root, index);
  expect(said).toContain(`${pathToFileURL(join(root, "components", "mine.ts"))}:3:`);
  expect(said).toContain(`${pathToFileURL(index)}:2:`);
  expect(said).not.toContain(".pgstrata");
});
