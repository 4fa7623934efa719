/** Makes the provider's files one bundle and the program's with the SDK another; removes old ones. */
import { createHash } from "node:crypto";
import {
  existsSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire, isBuiltin } from "node:module";
import { isAbsolute, join, relative, sep } from "node:path";
import { setTimeout } from "node:timers/promises";
import { stripVTControlCharacters } from "node:util";
import type { Plugin } from "rolldown";
import { AT_FIRST_USE, inPackages, NEVER, RUN } from "../../components/program/sdkModules.ts";
import { type Bundled, bundlesOf, currentBundle, noteOf, noteText, sourceLine } from "../../provider/bundle.ts";

/** A process that was started from a bundle loads parts of it later on. */
const IN_USE_MS = 24 * 3_600_000;

/** More than the clock of files may be behind. */
const CLOCK_MS = 10;

/** Packages that the program is made of as it comes. */
const TRIED = new Set(["@pulumi/postgresql", "@pulumi/pulumi", "@pulumi/random", "zod"]);

/** Loaded from where npm puts them, when a stack has such a service; each is as large as the provider. */
const CLIENTS = ["mongodb", "mysql2", "redis"];

/** What the SDK loads by other ways than this program's: `components/program/sdkLoading.ts` decides. */
const LOADED_APART = new Set([...AT_FIRST_USE.keys(), NEVER]);

/** Makes the bundles of provider and program as their files are, unless they are there. */
export async function makeBundles(root: string, log: (line: string) => void): Promise<void> {
  await makeBundle(root, "provider", log);
  await makeBundle(root, "program", log);
}

const INPUTS: Record<Bundled, (root: string) => { input: Record<string, string>; plugins: readonly Plugin[] }> = {
  provider: (root) => ({ input: { run: join(root, "provider", "protocol", "run.ts") }, plugins: [] }),
  program: (root) => {
    const run = createRequire(join(root, "index.ts")).resolve(RUN.slice(1));
    return { input: { run, program: join(root, "index.ts") }, plugins: [loadedApart] };
  },
};

/**
 * Makes one of the bundles, unless the present one is of the files as they are. Without the bundler, which is
 * a development dependency, it is left to be started from its files.
 *
 * @param root the checkout, as an absolute path.
 */
export async function makeBundle(root: string, what: Bundled, log: (line: string) => void): Promise<void> {
  if (currentBundle(root, what) !== undefined) return noteAgain(root, what);
  const bundler = await import("rolldown").catch(() => undefined);
  if (bundler === undefined) return;
  const unfinished = join(bundlesOf(root), `${what}.${process.pid}`);
  const project = join(root, "project.ts");
  try {
    // The clock of files is coarse: what is written from now on has a later time than this.
    await setTimeout(2 * CLOCK_MS);
    const begun = Date.now() - CLOCK_MS;
    const { input, plugins } = INPUTS[what](root);
    const modules = new Set<string>();
    // Also those of which nothing but a constant, or nothing at all, is left.
    const noting: Plugin = { name: "noting", moduleParsed: ({ id }) => void modules.add(id) };
    const { output } = await bundler.build({
      cwd: root,
      input,
      plugins: [...plugins, noting],
      platform: "node",
      // As Node chooses.
      resolve: { mainFields: ["main"], conditionNames: ["node"] },
      // The project finds the files that it tells of beside itself.
      external: (id) => CLIENTS.includes(id) || id.endsWith("/project.ts"),
      logLevel: "silent",
      output: {
        dir: unfinished,
        // Beside each part, for `provider/core/bundledStack.ts`; Node does not look for them.
        sourcemap: "hidden",
        sourcemapExcludeSources: true,
        format: "esm",
        entryFileNames: "[name].js",
        chunkFileNames: "[name]-[hash].js",
        // From the folder that it will have, beside this one.
        paths: (id) => (id === project ? relative(unfinished, project).split(sep).join("/") : id),
      },
    });
    const sources = sourcesOf(root, [...modules]);
    if (what === "program") refuseUntried(root, sources);
    const lines = sources.map((path) => sourceLine(root, path));
    const changed = sources.filter((path) => statSync(join(root, path)).ctimeMs > begun);
    if (changed.length > 0) throw new Error(`${changed.join(", ")} changed meanwhile`);
    const name = `${what}-${createHash("sha256").update(noteText(lines)).digest("hex").slice(0, 16)}`;
    const folder = join(bundlesOf(root), name);
    // One that is there is damaged, or of files that have the same times again.
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
    const parts = output.map(
      ({ fileName }) => ["part", fileName, String(statSync(join(folder, fileName)).size)] as const,
    );
    writeNote(root, what, noteText([["folder", name], ...parts, ...lines]));
    removeOld(root, what, folder);
  } catch (error) {
    // Another set-up may have made the same one meanwhile.
    if (currentBundle(root, what) !== undefined) return;
    log(`The ${what} starts from its files, which takes longer: they could not be bundled (${reasonOf(error)})`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** A builder's error says what it is about in its later lines. */
const reasonOf = (error: unknown): string =>
  stripVTControlCharacters(String(error))
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .slice(0, 3)
    .join(" ");

/** Files that a bundle is made of, and those that say which packages there are and how it is made. */
function sourcesOf(root: string, modules: readonly string[]): string[] {
  const real = realpathSync(root);
  const files = modules.filter((id) => isAbsolute(id)).map((id) => relative(real, id.replace(/\?.*$/s, "")));
  const packages = ["package.json", "package-lock.json", join("node_modules", ".package-lock.json")];
  const making = [join("tools", "setup", "bundles.ts"), join("components", "program", "sdkModules.ts")];
  return [...new Set([...packages, ...making, ...files])].filter((path) => existsSync(join(root, path))).sort();
}

/** Notes the times of the files of a copy, so that they need not be read at each start. */
function noteAgain(root: string, what: Bundled): void {
  const text = readFileSync(noteOf(root, what), "utf8");
  const again = text.replaceAll(/^source\t([^\t]+)\t.*$/gm, (_, path: string) =>
    noteText([sourceLine(root, path)]).trimEnd(),
  );
  // A file that has changed since it was compared is not what the bundle was made of.
  if (again !== text && isOfSame(again, text)) writeNote(root, what, again);
}

/** Whether two notes have files of the same content; the times may differ. */
const isOfSame = (one: string, other: string): boolean => withoutTimes(one) === withoutTimes(other);

const withoutTimes = (note: string): string => note.replaceAll(/^(source\t[^\t]+\t\d+)\t[^\t]+\t[^\t]+/gm, "$1");

function writeNote(root: string, what: Bundled, text: string): void {
  const note = noteOf(root, what);
  const unfinished = `${note}.${process.pid}`;
  writeFileSync(unfinished, text);
  renameSync(unfinished, note);
}

/** Of what a user may have written, what may look for files where the module itself is. */
const BESIDE = /\bimport\.meta\b|\b__dirname\b|\b__filename\b|\bcreateRequire\b|\bimport\(\s*[^"'\s]/;
const IMPORTED = /\bfrom\s+["']([^"']+)["']|\bimport\s*\(?\s*["']([^"']+)["']/g;

/** A program of the user's may do what works from its files only, or load packages that do. */
function refuseUntried(root: string, sources: readonly string[]): void {
  for (const path of sources.filter(isOfUser)) {
    const code = readFileSync(join(root, path), "utf8");
    const [beside] = BESIDE.exec(code) ?? [];
    if (beside !== undefined) throw new Error(`${path} has \`${beside}\`, which may need the file in its place`);
    const untried = [...code.matchAll(IMPORTED)]
      .map(([, from, other]) => from ?? other ?? "")
      .find((name) => !name.startsWith(".") && !isBuiltin(name) && !TRIED.has(packageOf(name)));
    if (untried !== undefined) throw new Error(`${path} imports ${untried}, which may need its files in their place`);
  }
}

const isOfUser = (path: string): boolean =>
  /\.[cm]?[jt]s$/.test(path) && !/^(provider|tools)\b/.test(path) && !path.split(sep).includes("node_modules");

const packageOf = (name: string): string => name.split("/", name.startsWith("@") ? 2 : 1).join("/");

/** Leaves modules outside, under the names by which Node finds them. */
const loadedApart: Plugin = {
  name: "loaded-apart",
  async resolveId(name, importer) {
    const resolved = await this.resolve(name, importer, { skipSelf: true });
    const path = resolved && inPackages(resolved.id.split(sep).join("/"));
    if (!path || !LOADED_APART.has(path)) return undefined;
    return { id: name.startsWith(".") ? path.slice(1) : name, external: true };
  },
};

function removeOld(root: string, what: Bundled, current: string): void {
  for (const name of readdirSync(bundlesOf(root))) {
    const folder = join(bundlesOf(root), name);
    const isOld = Date.now() - statSync(folder).mtimeMs > IN_USE_MS;
    if (folder !== current && name.startsWith(`${what}-`) && isOld) rmSync(folder, { recursive: true, force: true });
  }
}
