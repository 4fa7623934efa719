/**
 * Where the set-up keeps its files, and which versions it installs. What is there now is told by `record.ts`.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { cacheFolder, type Environment } from "../../provider/core/userFolders.ts";

export type { Environment } from "../../provider/core/userFolders.ts";

/** The versions that the set-up installs; `package.json` pins the npm packages to the same ones. */
export const versions = {
  pulumi: "3.258.0",
  /** The last line of versions whose Go module carries the Node language host. */
  languageHost: "3.68.0",
  random: "4.21.2",
  postgresql: "3.18.1",
} as const;

/** Where things lie in the git-ignored project-local home `<root>/.pgstrata`. All paths are absolute. */
export interface Layout {
  readonly root: string;
  readonly home: string;
  /** The wrappers and executables that go on PATH. */
  readonly bin: string;
  /** Executables that only a wrapper in `bin` starts. */
  readonly lib: string;
  /** PULUMI_HOME */
  readonly pulumiHome: string;
  /** The file backend's folder. */
  readonly state: string;
  readonly passphrase: string;
  /** What the last set-up did, for the next one to compare. */
  readonly record: string;
  /** A file that says that this machine has no `pg_dump` and cannot get one. */
  readonly withoutPgDump: string;
  /** npm's executables, the pinned Node among them. */
  readonly npmBin: string;
}

export function layoutOf(root: string): Layout {
  const home = join(root, ".pgstrata");
  return {
    root,
    home,
    bin: join(home, "bin"),
    lib: join(home, "lib"),
    pulumiHome: join(home, "pulumi"),
    state: join(home, "state"),
    passphrase: join(home, "passphrase"),
    record: join(home, "setup.json"),
    withoutPgDump: join(home, "without-pg_dump"),
    npmBin: join(root, "node_modules", ".bin"),
  };
}

/** Where Pulumi looks for the executable of a resource plugin, without a file extension. */
export function pluginPath(layout: Layout, name: string, version: string): string {
  return join(layout.pulumiHome, "plugins", `resource-${name}-v${version}`, `pulumi-resource-${name}`);
}

/** The folder that keeps built executables for all checkouts of this user. */
export function buildCache(env: Environment): string {
  return join(cacheFolder(env), "go");
}

/** @returns the first 12 hexadecimal digits of the SHA-256 of the texts. */
export function shortDigest(texts: Iterable<string | Buffer>): string {
  const hash = createHash("sha256");
  for (const text of texts) {
    hash.update(text).update("\0");
  }
  return hash.digest("hex").slice(0, 12);
}
