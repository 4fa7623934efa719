/** Makes the provider's files one bundle, and removes those that are no longer started. */
import { existsSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { bundleOf, bundlesOf } from "../../provider/bundle.ts";

/** A process that was started from a bundle loads parts of it later on. */
const IN_USE_MS = 24 * 3_600_000;

/** Loaded from where npm puts them, when a stack has such a service; each is as large as the provider. */
const CLIENTS = ["mongodb", "mysql2", "redis"];

/**
 * Makes the bundle of the provider's files as they are, unless it is there. Without the bundler, which is a
 * development dependency, the provider is started from its files.
 *
 * @param root the checkout, as an absolute path.
 */
export async function bundleProvider(root: string, log: (line: string) => void): Promise<void> {
  const { folder } = bundleOf(root);
  if (existsSync(folder)) return;
  const bundler = await import("rolldown").catch(() => undefined);
  if (bundler === undefined) return;
  const unfinished = `${folder}.${process.pid}`;
  const project = join(root, "project.ts");
  try {
    await bundler.build({
      cwd: root,
      input: { run: join(root, "provider", "protocol", "run.ts") },
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
    renameSync(unfinished, folder);
    removeOld(root, folder);
  } catch (error) {
    // Another set-up may have made the same one meanwhile.
    if (existsSync(folder)) return;
    const [why] = String(error).split("\n");
    log(`The provider starts from its files, which takes longer: they could not be bundled (${why})`);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function removeOld(root: string, current: string): void {
  for (const name of readdirSync(bundlesOf(root))) {
    const folder = join(bundlesOf(root), name);
    const isOld = Date.now() - statSync(folder).mtimeMs > IN_USE_MS;
    if (folder !== current && isOld) rmSync(folder, { recursive: true, force: true });
  }
}
