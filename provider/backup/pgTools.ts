/**
 * Which `pg_dump` and `pg_restore` are used: those of this machine, the wheel's, or those of a container.
 * How they connect is left to `libpq.ts`.
 */
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { UserError } from "../core/errors.ts";
import { cacheFolder, type Environment } from "../core/userFolders.ts";
import { programEnvironment } from "./libpq.ts";
import { runProgram } from "./runProgram.ts";
import { wheelBin, wheelFolder } from "./wheel.ts";

type Program = "pg_dump" | "pg_restore";

/** How a program is started; the input and the output are files, so that it needs none of this machine. */
export interface Command {
  file: string;
  parameters: readonly string[];
}

/** The two programs, of one version. */
export interface PgTools {
  /** As they print it, e.g. `18.6`. */
  version: string;
  major: number;
  /** The folder or the image that they are in. */
  place: string;
  command(program: Program, parameters: readonly string[], access: ToolAccess): Command;
}

/** What a program in a container must be given. */
interface ToolAccess {
  env: Readonly<Record<string, string>>;
  files: readonly string[];
}

export interface Search {
  /** Of the server, or of what wrote a dump: a program reads those up to its own. */
  major: number;
  /** Its home may hold the wheel. */
  projectDirectory: string;
  signal: AbortSignal;
  /** Default: of this process. */
  env?: Environment;
  /** Folders of packages; `*` stands for any text. Default: those of the usual distributions. */
  folders?: readonly string[];
}

const FOLDERS = [
  "/usr/lib/postgresql/*/bin",
  "/usr/pgsql-*/bin",
  "/opt/homebrew/opt/libpq/bin",
  "/opt/homebrew/opt/postgresql@*/bin",
  "/usr/local/opt/libpq/bin",
  "/usr/local/opt/postgresql@*/bin",
  "/Applications/Postgres.app/Contents/Versions/*/bin",
];
const CONTAINERS = ["docker", "podman"];
const PROBE_MS = 5000;
/** An image that this machine lacks is fetched. */
const IMAGE_MS = 300_000;

/** The folder of a package of Debian's names the version of what is in it. */
const NAMED_MAJOR = /^\/usr\/lib\/postgresql\/(\d+)\/bin$/;

/** Of this process; it asks for them before its gate and before its backup. */
const found = new Map<string, PgTools>();

/** Those that fit and come first: PATH, folders of packages, the wheel, a container. */
export async function findPgTools(search: Search): Promise<PgTools | undefined> {
  const { major, projectDirectory, env, folders } = search;
  const isOfProcess = env === undefined && folders === undefined;
  const key = isOfProcess ? `${major} ${process.env.PATH} ${projectDirectory}` : undefined;
  const tools = (key === undefined ? undefined : found.get(key)) ?? (await searchFolders(search));
  if (key !== undefined && tools !== undefined) found.set(key, tools);
  return tools;
}

async function searchFolders(search: Search): Promise<PgTools | undefined> {
  const { env = process.env, folders = FOLDERS, projectDirectory } = search;
  const onPath = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const wheels = [join(projectDirectory, ".pgstrata"), cacheFolder(env)].map((home) => wheelBin(wheelFolder(home)));
  const tried = new Set<string>();
  for (const folder of new Set([...onPath, ...folders.flatMap(matches), ...wheels])) {
    if (!["pg_dump", "pg_restore"].every((program) => isExecutable(join(folder, program)))) continue;
    // One folder may have several names, and to start a program only for its version takes some 20 ms.
    const program = realpathSync(join(folder, "pg_dump"));
    if (tried.has(program) || Number(NAMED_MAJOR.exec(dirname(program))?.[1] ?? search.major) < search.major) continue;
    tried.add(program);
    const version = await versionOf(join(folder, "pg_dump"), ["--version"], PROBE_MS, search.signal);
    if (version !== undefined && majorOf(version) >= search.major) {
      const command = (program: Program, parameters: readonly string[]): Command => ({
        file: join(folder, program),
        parameters,
      });
      return { version, major: majorOf(version), place: folder, command };
    }
  }
  return inContainer(search, onPath);
}

/**
 * As `findPgTools`.
 *
 * @throws {UserError} when there are none, with the line that installs them on this machine.
 */
export async function requirePgTools(search: Search): Promise<PgTools> {
  const found = await findPgTools(search);
  if (found !== undefined) return found;
  throw new UserError(
    "PS811",
    `No pg_dump of version ${search.major} or newer was found on this machine, expected one for the backup before the first change. ` +
      `Install it: ${installLine(search.major)}; or run \`npm start\`, which fetches it where PyPI can be reached; or set \`backup\` to another mode. ` +
      "Nothing was changed.",
  );
}

/** The command that installs the client programs on this machine. */
export function installLine(major: number, platform: string = process.platform): string {
  if (platform === "darwin") return `\`brew install postgresql@${major}\``;
  const has = (path: string): boolean => existsSync(path);
  if (has("/usr/bin/dnf"))
    return `\`dnf install postgresql${major}\` (from the repository of postgresql.org: https://www.postgresql.org/download/linux/redhat/)`;
  if (has("/sbin/apk")) return `\`apk add postgresql${major}-client\``;
  return `\`apt-get install postgresql-client-${major}\` (from the repository of postgresql.org: https://www.postgresql.org/download/linux/debian/)`;
}

async function inContainer({ major, signal }: Search, path: readonly string[]): Promise<PgTools | undefined> {
  const image = `docker.io/library/postgres:${major}-alpine`;
  for (const name of CONTAINERS) {
    const file = path.map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
    if (file === undefined) continue;
    const env = programEnvironment();
    const { exitCode } = await runProgram(file, ["info"], { env, signal, timeoutMs: PROBE_MS });
    if (exitCode !== 0) continue;
    const start = ["run", "--rm", "--interactive", "--network=host"];
    const version = await versionOf(file, [...start, image, "pg_dump", "--version"], IMAGE_MS, signal);
    if (version === undefined) continue;
    const command = (program: Program, parameters: readonly string[], access: ToolAccess): Command => ({
      file,
      parameters: [...start, ...containerAccess(access), image, program, ...parameters],
    });
    return { version, major: majorOf(version), place: `${name} image ${image}`, command };
  }
  return undefined;
}

/** The environment holds no secret; the password file is mounted. */
function containerAccess({ env, files }: ToolAccess): string[] {
  const variables = Object.entries(env).filter(([name]) => name.startsWith("PG"));
  const folders = new Set(files.map((file) => dirname(file)));
  return [
    ...variables.flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    ...[...folders].flatMap((folder) => ["--volume", `${folder}:${folder}:ro`]),
  ];
}

async function versionOf(
  file: string,
  parameters: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { exitCode, stdout } = await runProgram(file, parameters, { env: programEnvironment(), signal, timeoutMs });
  return exitCode === 0 ? / (\d+(?:\.\d+)*)/.exec(stdout)?.[1] : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const majorOf = (version: string): number => Number.parseInt(version, 10);

/** The folders that a pattern with one `*` names, the newest version first. */
function matches(pattern: string): string[] {
  const [before = "", after] = pattern.split("*");
  if (after === undefined) return [pattern];
  const parent = dirname(`${before}.`);
  if (!existsSync(parent)) return [];
  const start = before.slice(parent.length + 1);
  return readdirSync(parent)
    .filter((name) => name.startsWith(start))
    .sort((one, other) => other.localeCompare(one, "en", { numeric: true }))
    .map((name) => join(parent, name) + after);
}
