// Debian's Redis for tests, with users and TLS.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../provider/embedded/server.ts";
import type { Certificate } from "./certificates.ts";
import type { Unpacked } from "./debianPackages.ts";
import { type ServiceServer, serverFolder, startService } from "./serviceServer.ts";

export const REDIS_PACKAGES = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"];

export interface RedisServer extends ServiceServer {
  port: number;
  /** Its configuration, which it may write. */
  file: string;
}

/** @param lines of its configuration file. */
export async function startRedis(
  { root, libraries }: Unpacked,
  options: { certificate?: Certificate; lines?: readonly string[] } = {},
): Promise<RedisServer> {
  const { folder, give, remove } = serverFolder("redis");
  const port = await freePort();
  const { certificate, lines = [] } = options;
  const listening =
    certificate === undefined
      ? [`port ${port}`]
      : [
          `port 0`,
          `tls-port ${port}`,
          `tls-cert-file ${certificate.cert}`,
          `tls-key-file ${certificate.key}`,
          "tls-auth-clients no",
        ];
  const file = join(folder, "redis.conf");
  writeFileSync(file, [...listening, "bind 127.0.0.1", 'save ""', "appendonly no", ...lines, ""].join("\n"));
  give(file);
  // One program has several names, and does what the name says that it was started by.
  const server = await startService({
    program: join(root, "usr/bin/redis-server"),
    args: [file],
    folder,
    port,
    libraries,
  });
  return {
    ...server,
    port,
    file,
    stop: async () => {
      await server.stop();
      remove();
    },
  };
}
