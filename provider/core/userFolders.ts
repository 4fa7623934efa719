/** Where this user keeps what is not of one checkout. */
import { homedir } from "node:os";
import { join } from "node:path";

/** The environment that a function reads; absent names are undefined. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What can be fetched or built again. */
export function cacheFolder(env: Environment): string {
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "pgstrata");
}

/** What cannot. */
export function dataFolder(env: Environment): string {
  return join(env.XDG_DATA_HOME || join(env.HOME || homedir(), ".local", "share"), "pgstrata");
}
