/**
 * How a data directory is initialized, and whether an existing one can be used. Starting a server on it is
 * left to `launch.ts`.
 */
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { UserError } from "../core/errors.ts";
import { type ServerAccount, serverAccount } from "./account.ts";
import type { Binaries } from "./binaries.ts";
import { explainOutput } from "./failures.ts";
import { isAlive } from "./processes.ts";

/** An initialized data directory. */
export interface Cluster {
  /** What lies beside the data directory belongs to the user who starts the server: its log and notes. */
  home: string;
  /** The data directory itself; under root it belongs to the account that runs the server. */
  data: string;
  superuser: string;
  password: string;
}

/**
 * The environment of initdb and postgres: nothing of the caller's (PGDATA, PGPORT, locale) may leak into it.
 */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH, LC_ALL: "C" };
}

const CREDENTIALS_FILE = "pgstrata.json";
const execute = promisify(execFile);

/**
 * The data directory of a home, initialized now if there is none. It appears complete and at once, so that
 * neither a killed initdb nor two of them at a time leave half of one.
 *
 * @throws {UserError} when it is of another major version, of another superuser, or belongs to another user.
 */
export async function openCluster(options: { home: string; binaries: Binaries; superuser: string }): Promise<Cluster> {
  const { home, binaries, superuser } = options;
  mkdirSync(home, { recursive: true });
  requireOwn(home, process.getuid?.());
  removeUnfinished(home);
  const data = join(home, "data");
  if (!existsSync(data)) await initialize(home, data, binaries, superuser);
  const account = serverAccount();
  requireOwn(data, account?.uid ?? process.getuid?.());
  requireMajor(data, binaries.version);
  const credentials = readCredentials(data);
  if (credentials.superuser !== superuser) {
    throw new UserError(
      "PS705",
      `The data directory ${data} was made for the superuser "${credentials.superuser}", but "${superuser}" is expected. Remove it, or use another directory.`,
    );
  }
  return { home, data, ...credentials };
}

/** Superuser and password of an initialized data directory. */
export function readCredentials(data: string): { superuser: string; password: string } {
  const path = join(data, CREDENTIALS_FILE);
  const parsed: unknown = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
  if (typeof parsed === "object" && parsed !== null && "superuser" in parsed && "password" in parsed) {
    const { superuser, password } = parsed;
    if (typeof superuser === "string" && typeof password === "string") return { superuser, password };
  }
  throw new UserError(
    "PS705",
    `The data directory ${data} is not one that pgstrata made (it has no ${CREDENTIALS_FILE}). Use another directory, or remove it.`,
  );
}

async function initialize(home: string, data: string, binaries: Binaries, superuser: string): Promise<void> {
  const account = serverAccount();
  const unfinished = join(home, `data.${process.pid}-${randomBytes(3).toString("hex")}.tmp`);
  const password = randomBytes(24).toString("base64url");
  try {
    mkdirSync(unfinished, { mode: 0o700 });
    give(unfinished, account);
    await runInitdb(unfinished, { home, binaries, superuser, password, account });
    const credentials = join(unfinished, CREDENTIALS_FILE);
    writeFileSync(credentials, JSON.stringify({ superuser, password }), { mode: 0o600, flag: "wx" });
    give(credentials, account);
    renameSync(unfinished, data);
  } catch (error) {
    const isLate = error instanceof Error && "code" in error && (error.code === "ENOTEMPTY" || error.code === "EEXIST");
    if (!isLate) throw error;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

async function runInitdb(
  data: string,
  options: {
    home: string;
    binaries: Binaries;
    superuser: string;
    password: string;
    account: ServerAccount | undefined;
  },
): Promise<void> {
  const { home, binaries, superuser, password, account } = options;
  const passwordFile = `${data}.password`;
  const run = (locale: string): Promise<unknown> => {
    writeFileSync(passwordFile, password, { mode: 0o600 });
    give(passwordFile, account);
    const encoding = ["--encoding=UTF8", `--locale=${locale}`];
    const access = [`--username=${superuser}`, "--auth=scram-sha-256", `--pwfile=${passwordFile}`];
    return execute(binaries.initdb, ["-D", data, "--no-sync", ...encoding, ...access], {
      cwd: "/",
      env: serverEnvironment(),
      ...account,
    });
  };
  try {
    await run("C.UTF-8").catch((error: unknown) => {
      if (!/invalid locale/.test(outputOf(error))) throw error;
      return run("C");
    });
  } catch (error) {
    const output = outputOf(error);
    throw output === "" ? error : explainOutput(output, { home });
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function outputOf(error: unknown): string {
  return error instanceof Error && "stderr" in error && typeof error.stderr === "string" ? error.stderr : "";
}

function give(path: string, account: ServerAccount | undefined): void {
  if (account !== undefined) chownSync(path, account.uid, account.gid);
}

/** Removes what an initdb left behind that was killed. */
function removeUnfinished(home: string): void {
  for (const name of readdirSync(home)) {
    const pid = /^data\.(\d+)-[0-9a-f]+\.tmp(\.password)?$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) rmSync(join(home, name), { recursive: true, force: true });
  }
}

function requireOwn(path: string, uid: number | undefined): void {
  const owner = statSync(path).uid;
  if (uid === undefined || owner === uid) return;
  const { username } = userInfo();
  throw new UserError(
    "PS703",
    `${path} belongs to the user with ID ${owner}, but this process (${username}) needs it to belong to ID ${uid}: another user ran this here before. ` +
      "Run it as that user, or have that user remove the directory, and start again.",
  );
}

function requireMajor(data: string, version: string): void {
  const [desired] = version.split(".");
  const found = readFileSync(join(data, "PG_VERSION"), "utf8").trim();
  if (found === desired) return;
  throw new UserError(
    "PS705",
    `The data directory ${data} was created by PostgreSQL ${found}, but PostgreSQL ${desired} is to run on it, and neither can read the other's files. ` +
      "Dump its databases with the old version if you need them, then remove it (`npm run reset` does, for the local database) and start again.",
  );
}
