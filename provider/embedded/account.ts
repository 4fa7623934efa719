/**
 * As which user of the operating system a server runs when this process is root, and where that user can keep
 * its files.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** The operating system's user that a server runs as when we are root. */
export interface ServerAccount {
  uid: number;
  gid: number;
}

let known: { account: ServerAccount | undefined } | undefined;

/**
 * Postgres refuses to run as root. So for root: the user who called sudo, else the system user `postgres`,
 * else `nobody`. Undefined for an ordinary user, whose servers run as that user.
 */
export function serverAccount(): ServerAccount | undefined {
  known ??= { account: process.getuid?.() === 0 ? accountForRoot() : undefined };
  return known.account;
}

function accountForRoot(): ServerAccount {
  const uid = Number(process.env.SUDO_UID);
  const gid = Number(process.env.SUDO_GID);
  if (uid > 0 && gid > 0) return { uid, gid };
  for (const name of ["postgres", "_postgres", "nobody"]) {
    try {
      return { uid: idOf("-u", name), gid: idOf("-g", name) };
    } catch {}
  }
  return { uid: 65534, gid: 65534 };
}

function idOf(option: "-u" | "-g", name: string): number {
  return Number(execFileSync("id", [option, name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
}

/** Whether the account may enter a directory, or read a file, and enter every directory above it. */
export function canReach({ uid, gid }: ServerAccount, path: string): boolean {
  const isOpen = (place: string): boolean => {
    const stats = statSync(place);
    const desired = stats.isDirectory() ? 0o1 : 0o5;
    const shift = stats.uid === uid ? 6 : stats.gid === gid ? 3 : 0;
    return ((stats.mode >> shift) & desired) === desired;
  };
  for (let place = realpathSync(path); ; place = dirname(place)) {
    if (!isOpen(place)) return false;
    if (place === dirname(place)) return true;
  }
}

/**
 * Where the files of a server really lie: in the desired directory, which is made if need be, or, when we are
 * root and the account that runs the server cannot get there (a checkout under a private home), in a
 * directory of its own under `/var/lib/pgstrata`.
 */
export function placeFor(desired: string): string {
  mkdirSync(desired, { recursive: true });
  const directory = realpathSync(desired);
  const account = serverAccount();
  if (account === undefined) return directory;
  if (statSync(directory).uid === 0) chmodSync(directory, 0o755);
  if (canReach(account, directory)) return directory;
  const place = join("/var/lib/pgstrata", createHash("sha256").update(directory).digest("hex").slice(0, 16));
  mkdirSync(place, { recursive: true });
  chmodSync(dirname(place), 0o755);
  chmodSync(place, 0o755);
  return place;
}
