// Debian's MariaDB for tests, with users and TLS.
import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { serverAccount } from "../../provider/embedded/account.ts";
import { freePort } from "../../provider/embedded/server.ts";
import type { Certificate } from "./certificates.ts";
import type { Unpacked } from "./debianPackages.ts";
import { type ServiceServer, serverFolder, startService } from "./serviceServer.ts";

export const MARIADB_PACKAGES = ["mariadb-server-core", "liburing2", "libaio1"];

export interface MariaDb extends ServiceServer {
  port: number;
}

/**
 * @param sql of its users and databases, a statement a line, after the system tables.
 * @param options of the server.
 */
export async function startMariaDb(
  { root, libraries }: Unpacked,
  sql: readonly string[],
  options: { certificate?: Certificate; args?: readonly string[] } = {},
): Promise<MariaDb> {
  const { folder, give, remove } = serverFolder("mariadb");
  const data = join(folder, "data");
  mkdirSync(data);
  give(data);
  const share = join(root, "usr", "share", "mysql");
  const program = join(root, "usr", "sbin", "mariadbd");
  const shared = [
    "--no-defaults",
    `--datadir=${data}`,
    `--lc-messages-dir=${share}`,
    `--character-sets-dir=${join(share, "charsets")}`,
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=16M",
    "--innodb-flush-log-at-trx-commit=0",
  ];
  const files = ["mysql_system_tables.sql", "mysql_system_tables_data.sql"];
  const input = [
    "create database mysql;",
    "use mysql;",
    ...files.map((file) => readFileSync(join(share, file), "utf8")),
    "flush privileges;",
    ...sql,
    "",
  ].join("\n");
  const made = spawnSync(program, [...shared, "--bootstrap", "--skip-networking"], {
    ...serverAccount(),
    cwd: folder,
    input,
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  });
  if (made.status !== 0) throw new Error(`MariaDB cannot be set up:\n${made.stderr}`);
  const port = await freePort();
  const { certificate, args = [] } = options;
  const tls = certificate === undefined ? [] : [`--ssl-cert=${certificate.cert}`, `--ssl-key=${certificate.key}`];
  const listening = ["--bind-address=127.0.0.1", `--port=${port}`, `--socket=${join(folder, "socket")}`];
  const server = await startService({
    program,
    args: [...shared, ...listening, "--skip-name-resolve", ...tls, ...args],
    folder,
    port,
    libraries,
  });
  return {
    ...server,
    port,
    stop: async () => {
      await server.stop();
      remove();
    },
  };
}
