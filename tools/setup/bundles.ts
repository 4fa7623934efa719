/** Makes the provider's files one bundle and the program's with the SDK another; removes old ones. */
import { existsSync, readdirSync, realpathSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join, relative, sep } from "node:path";
import type { InputOptions, Plugin } from "rolldown";
import { AT_FIRST_USE, inPackages, NEVER, RUN } from "../../components/program/sdkModules.ts";
import { type Bundled, bundleOf, bundlesOf, sourcesOf } from "../../provider/bundle.ts";

/** A process that was started from a bundle loads parts of it later on. */
const IN_USE_MS = 24 * 3_600_000;

/** Loaded from where npm puts them, when a stack has such a service; each is as large as the provider. */
const CLIENTS = ["mongodb", "mysql2", "redis"];

/** What the SDK loads by other ways than this program's: `components/program/sdkLoading.ts` decides. */
const LOADED_APART = new Set([...AT_FIRST_USE.keys(), NEVER]);

/** Makes the bundles of provider and program as their files are, unless they are there. */
export async function makeBundles(root: string, log: (line: string) => void): Promise<void> {
  await makeBundle(root, "provider", log);
  await makeBundle(root, "program", log);
}

const INPUTS: Record<Bundled, (root: string) => Pick<InputOptions, "input" | "plugins">> = {
  provider: (root) => ({ input: { run: join(root, "provider", "protocol", "run.ts") } }),
  program: (root) => {
    const run = createRequire(join(root, "index.ts")).resolve(RUN.slice(1));
    return { input: { run, program: join(root, "index.ts") }, plugins: [loadedApart] };
  },
};

/**
 * Makes one of the bundles. Without the bundler, which is a development dependency, it is left to be started
 * from its files.
 *
 * @param root the checkout, as an absolute path.
 */
export async function makeBundle(root: string, what: Bundled, log: (line: string) => void): Promise<void> {
  const { folder } = bundleOf(root, what);
  if (existsSync(folder)) return;
  const bundler = await import("rolldown").catch(() => undefined);
  if (bundler === undefined) return;
  const unfinished = `${folder}.${process.pid}`;
  const project = join(root, "project.ts");
  try {
    const { output } = await bundler.build({
      cwd: root,
      ...INPUTS[what](root),
      platform: "node",
      // The project finds the files that it tells of beside itself.
      external: (id) => CLIENTS.includes(id) || id.endsWith("/project.ts"),
      logLevel: "silent",
      output: {
        dir: unfinished,
        format: "esm",
        entryFileNames: "[name].js",
        chunkFileNames: "[name]-[hash].js",
        paths: (id) => (id === project ? relative(folder, project).split(sep).join("/") : id),
      },
    });
    const unknown = unknownModules(
      root,
      what,
      output.flatMap((chunk) => (chunk.type === "chunk" ? chunk.moduleIds : [])),
    );
    if (unknown.length > 0) throw new Error(`${unknown.join(", ")} may change without another bundle`);
    renameSync(unfinished, folder);
    removeOld(root, what, folder);
  } catch (error) {
    // Another set-up may have made the same one meanwhile.
    if (existsSync(folder)) return;
    const [why] = String(error).split("\n");
    log(`The ${what} starts from its files, which takes longer: they could not be bundled (${why})`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** Modules of the checkout whose changes would go unnoticed, as those of a folder that a user has added. */
function unknownModules(root: string, what: Bundled, modules: readonly string[]): string[] {
  const real = realpathSync(root);
  const known = new Set(sourcesOf(root, what));
  return modules
    .filter((id) => id.startsWith(join(real, sep)) && !id.includes(`${sep}node_modules${sep}`))
    .map((id) => relative(real, id))
    .filter((file) => !known.has(file));
}

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
    if (folder !== current && name.startsWith(what) && isOld) rmSync(folder, { recursive: true, force: true });
  }
}
