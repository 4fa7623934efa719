/**
 * How the programs of Postgres are told where to connect: by an environment without secrets, and a password
 * file that nobody else can read. What a URL means is left to `database/connectionUrl.ts`.
 */
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { rootCertificates } from "node:tls";
import type { ConnectionTarget } from "../database/connectionUrl.ts";
import { isAlive } from "../embedded/processes.ts";

/** What a program needs to connect to one database. */
export interface LibpqAccess {
  /** The whole environment of the program; it holds no secret. */
  env: Readonly<Record<string, string>>;
  /** Files that the environment names. */
  files: readonly string[];
  /** Removes the password file. */
  remove(): Promise<void>;
}

const PREFIX = "pgstrata-libpq-";
/** Of the environment of this process; a provider's also holds the passphrase of the state. */
const HANDED_ON =
  /^(PATH|HOME|USER|LANG|LC_\w+|TZDIR|TMPDIR|LD_LIBRARY_PATH|DYLD_\w+|KRB5\w+|DOCKER_\w+|CONTAINER_\w+|XDG_\w+)$/;

/**
 * A password stands neither in a process list nor in an environment. Where the URL has none, the user's own
 * password file counts.
 *
 * @param database default: the one of the target.
 * @param projectDirectory where relative paths of certificates start.
 */
export async function libpqAccess(
  target: ConnectionTarget,
  { database = target.database, projectDirectory }: { database?: string; projectDirectory: string },
): Promise<LibpqAccess> {
  await removeAbandoned();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  try {
    await chmod(folder, 0o700);
    const url = new URL(target.driverUrl);
    const password = url.searchParams.get("password") ?? (decodeURIComponent(url.password) || process.env.PGPASSWORD);
    const env: Record<string, string> = {
      ...programEnvironment(),
      PGHOST: target.host,
      PGPORT: String(target.port),
      PGUSER: target.user,
      PGDATABASE: database,
      PGAPPNAME: "pgstrata backup",
      PGCONNECT_TIMEOUT: "10",
      PGGSSENCMODE: "disable",
    };
    const options = url.searchParams.get("options");
    if (options !== null) env.PGOPTIONS = options;
    const files = await tlsEnvironment(env, target, folder, projectDirectory);
    if (password) {
      env.PGPASSFILE = await privateFile(join(folder, "pgpass"), `*:*:*:*:${password.replace(/[\\:]/g, "\\$&")}\n`);
      files.push(env.PGPASSFILE);
    } else if (process.env.PGPASSFILE) {
      env.PGPASSFILE = process.env.PGPASSFILE;
      files.push(env.PGPASSFILE);
    }
    return { env, files, remove: () => rm(folder, { recursive: true, force: true }) };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** What of this process's environment the programs get. */
export function programEnvironment(): Record<string, string> {
  const kept = Object.entries(process.env).flatMap(([name, value]) =>
    value !== undefined && HANDED_ON.test(name) ? [[name, value] as const] : [],
  );
  return Object.fromEntries(kept);
}

/** Sets the variables, and returns the files that they name. */
async function tlsEnvironment(
  env: Record<string, string>,
  { tlsMode, tlsFiles }: ConnectionTarget,
  folder: string,
  projectDirectory: string,
): Promise<string[]> {
  env.PGSSLMODE = tlsMode;
  if (tlsMode === "disable") return [];
  const files: string[] = [];
  const named = (path: string): string => {
    const absolute = isAbsolute(path) ? path : resolve(projectDirectory, path);
    files.push(absolute);
    return absolute;
  };
  if (tlsFiles.cert) env.PGSSLCERT = named(tlsFiles.cert);
  if (tlsFiles.key) env.PGSSLKEY = named(tlsFiles.key);
  if (tlsFiles.ca && tlsFiles.ca !== "system") env.PGSSLROOTCERT = named(tlsFiles.ca);
  else if (tlsMode.startsWith("verify-")) {
    // The driver knows the roots that Node brings along; libpq knows none.
    env.PGSSLROOTCERT = named(await privateFile(join(folder, "roots.pem"), `${rootCertificates.join("\n")}\n`));
  } else {
    // A file that a user keeps for another server would have libpq verify this one.
    env.PGSSLROOTCERT = join(folder, "none");
  }
  return files;
}

async function privateFile(path: string, text: string): Promise<string> {
  await writeFile(path, text, { mode: 0o600, flag: "wx" });
  return path;
}

/** What processes of ours left behind that were killed. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1]);
    if (!(pid > 0) || isAlive(pid)) continue;
    // That of another user stays.
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => undefined);
  }
}
