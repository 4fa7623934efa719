// FerretDB for tests: a server of MongoDB's protocol on SQLite, built from the Go module proxy. Cold, that
// takes a minute of two processors, so it is kept for all checkouts, and built only where that is asked for.
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { freePort } from "../../provider/embedded/server.ts";
import { goEnvironment } from "../../tools/setup/goToolchain.ts";
import { buildCache } from "../../tools/setup/layout.ts";
import type { Certificate } from "./certificates.ts";
import { type ServiceServer, serverFolder, startService } from "./serviceServer.ts";

/** The last one that keeps its rows without an extension of Postgres. */
const VERSION = "1.24.2";

const program = join(buildCache(process.env), `ferretdb-${VERSION}-${process.platform}-${process.arch}`, "ferretdb");

/** Undefined where it is not built, and must not be. */
export function findFerretDb(): string | undefined {
  if (!existsSync(program) && process.env.PGSTRATA_SERVICES === "all") build();
  return existsSync(program) ? program : undefined;
}

function build(): void {
  mkdirSync(dirname(dirname(program)), { recursive: true });
  const unfinished = mkdtempSync(`${dirname(program)}.`);
  try {
    const go = (cwd: string, ...args: string[]): string =>
      execFileSync("go", args, {
        cwd,
        env: goEnvironment(process.env),
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
      });
    const downloaded: unknown = JSON.parse(
      go(unfinished, "mod", "download", "-json", `github.com/FerretDB/FerretDB@v${VERSION}`),
    );
    if (typeof downloaded !== "object" || downloaded === null || !("Dir" in downloaded)) throw new Error("no module");
    const source = join(unfinished, "source");
    cpSync(String(downloaded.Dir), source, { recursive: true });
    execFileSync("chmod", ["-R", "u+w", source]);
    // It does not start without, and the module does not have it.
    writeFileSync(join(source, "build", "version", "version.txt"), `v${VERSION}`);
    const built = join(unfinished, "ferretdb");
    go(source, "build", "-trimpath", "-mod=readonly", "-ldflags=-s -w", "-o", built, "./cmd/ferretdb");
    mkdirSync(dirname(program), { recursive: true });
    chmodSync(built, 0o755);
    renameSync(built, program);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

export interface FerretDb extends ServiceServer {
  port: number;
}

export async function startFerretDb(
  executable: string,
  { username, password, certificate }: { username: string; password: string; certificate?: Certificate },
): Promise<FerretDb> {
  const { folder, give, remove } = serverFolder("ferretdb");
  // A home may be closed to the account that runs servers.
  const own = join(folder, "ferretdb");
  cpSync(executable, own);
  const data = join(folder, "data");
  mkdirSync(data);
  give(data);
  const port = await freePort();
  const listening =
    certificate === undefined
      ? [`--listen-addr=127.0.0.1:${port}`]
      : [
          "--listen-addr=",
          `--listen-tls=127.0.0.1:${port}`,
          `--listen-tls-cert-file=${certificate.cert}`,
          `--listen-tls-key-file=${certificate.key}`,
        ];
  const server = await startService({
    program: own,
    args: [
      "--handler=sqlite",
      `--sqlite-url=file:${data}/`,
      `--state-dir=${folder}`,
      "--debug-addr=-",
      "--telemetry=disable",
      "--test-enable-new-auth",
      "--setup-database=admin",
      `--setup-username=${username}`,
      `--setup-password=${password}`,
      ...listening,
    ],
    folder,
    port,
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
