// A real PgBouncer for tests: found on this machine, or unpacked from Debian's packages, which needs no
// rights.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { serverAccount } from "../../provider/embedded/account.ts";
import { freePort } from "../../provider/embedded/server.ts";
import { unpackPackages } from "./debianPackages.ts";
import { accepts } from "./ports.ts";

/** How to run it. */
export interface PgBouncer {
  program: string;
  /** Where its libraries are, unless in the system's places. */
  libraries: string | undefined;
  /** Forget what was unpacked for it. */
  remove(): void;
}

/** PgBouncer, and what it needs beyond what each Debian has. */
const PACKAGES = ["pgbouncer", "libevent-2.1-7", "libc-ares2"];

/** Undefined where it is not installed and there is no `apt-get` that reaches an archive. */
export function findPgBouncer(): PgBouncer | undefined {
  for (const place of [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin"]) {
    const program = join(place, "pgbouncer");
    if (place !== "" && existsSync(program)) return { program, libraries: undefined, remove: () => {} };
  }
  const unpacked = unpackPackages(...PACKAGES);
  if (unpacked === undefined) return undefined;
  const { root, libraries, remove } = unpacked;
  return { program: join(root, "usr", "sbin", "pgbouncer"), libraries, remove };
}

/** A running one in front of a server. */
export interface Pooler {
  port: number;
  /** The same URL with the pooler in the server's place. */
  url(serverUrl: string): string;
  stop(): Promise<void>;
}

/**
 * Starts one in front of a server of loopback, with the login of `serverUrl`.
 *
 * @param settings of its section `pgbouncer`, e.g. `{ pool_mode: "session" }`.
 */
export async function startPooler(
  { program, libraries }: PgBouncer,
  serverUrl: string,
  settings: Readonly<Record<string, string>>,
): Promise<Pooler> {
  const server = new URL(serverUrl);
  const account = serverAccount();
  const home = mkdtempSync(join(tmpdir(), "pgstrata-pooler-"));
  chmodSync(home, 0o700);
  const users = join(home, "users");
  const ini = join(home, "pgbouncer.ini");
  const port = await freePort();
  const section = {
    listen_addr: "127.0.0.1",
    listen_port: port,
    unix_socket_dir: "",
    auth_type: "scram-sha-256",
    auth_file: users,
    ...settings,
  };
  const lines = Object.entries(section).map(([name, value]) => `${name} = ${value}`);
  writeFileSync(users, `"${server.username}" "${decodeURIComponent(server.password)}"\n`);
  writeFileSync(ini, `[databases]\n* = host=127.0.0.1 port=${server.port}\n[pgbouncer]\n${lines.join("\n")}\n`);
  // It refuses to run as root, as a server does.
  if (account !== undefined) for (const path of [home, users, ini]) chownSync(path, account.uid, account.gid);
  const child = spawn(program, ["-q", ini], {
    ...account,
    cwd: home,
    stdio: "ignore",
    env: { ...process.env, ...(libraries !== undefined && { LD_LIBRARY_PATH: libraries }) },
  });
  const ended = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await ended;
    rmSync(home, { recursive: true, force: true });
  };
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`pgbouncer ended with ${child.exitCode}`);
    await sleep(20);
  }
  return {
    port,
    url: (url) => {
      const changed = new URL(url);
      changed.host = `127.0.0.1:${port}`;
      return changed.href;
    },
    stop,
  };
}
