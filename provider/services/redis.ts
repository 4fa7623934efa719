/** Redis: ACL users, TLS by the scheme `rediss`, databases by number. */
import { ConnectionStringError } from "./connectionStringError.ts";
import { codeOf, networkFailure, ProbeFailure } from "./failures.ts";
import { answersPlain, orAborted, shakeHands, speaksTls, type TlsChecks, tlsOptions } from "./network.ts";
import type { RedisConnection } from "./redisUsers.ts";
import { milliseconds, type ProbeTarget, type ServiceType, textSetting } from "./serviceType.ts";
import { single } from "./urlParameters.ts";

/** Words that begin an answer of the server, and what they mean. */
const ANSWERS = [
  [/^(WRONGPASS|NOAUTH)\b/, "login"],
  [/^ERR (AUTH|invalid password)/i, "login"],
  [/^NOPERM\b/, "rights"],
  [/^READONLY\b/, "readOnly"],
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|MISCONF|OOM|BUSY|TRYAGAIN)\b/, "busy"],
  [/^ERR max number of clients/, "busy"],
  [/^ERR DB index/, "database"],
  [/^ERR invalid DB index/, "database"],
] as const;

export const redis: ServiceType<"redis"> = {
  type: "redis",
  schemes: { redis: { tls: false }, rediss: { tls: true } },
  defaultPort: 6379,

  read({ username, password, path, parameters }) {
    const number = single(parameters, ["db"]);
    if (path !== undefined && number !== undefined && path !== number) {
      throw new ConnectionStringError("its path and its parameter db name different databases; name one");
    }
    const database = path ?? number ?? "0";
    if (!/^\d{1,6}$/.test(database))
      throw new ConnectionStringError("its path is not a Redis database number, such as /0");
    // A password alone is the one of this user.
    return { username: username ?? (password === undefined ? undefined : "default"), database, tls: false };
  },

  async probe(target) {
    const { parts, signal } = target;
    const checks: TlsChecks = { ca: target.ca, verifiesChain: true, verifiesHost: true };
    if (parts.tls) await secured(target, checks);
    const client = await createClient(target, checks);
    const ended = () => client.destroy();
    signal.addEventListener("abort", ended, { once: true });
    try {
      await client.connect();
      const latencyMs = await milliseconds(() => client.ping());
      const version = await versionOf(() => client.info("server"));
      const key = `${textSetting(target.config, "keyPrefix") ?? ""}pgstrata:probe:${crypto.randomUUID()}`;
      if (target.access === "write") {
        // Gone by itself where this process ends before it deletes it.
        await client.set(key, "1", { expiration: { type: "PX", value: 2 * target.timeoutMs } });
      }
      await client.get(key);
      if (target.access === "write") await client.del(key);
      return { version, latencyMs };
    } catch (error) {
      throw await failureOf(error, target);
    } finally {
      signal.removeEventListener("abort", ended);
      if (client.isOpen) client.destroy();
    }
  },

  async users(admin) {
    const { openRedisUsers } = await import("./redisUsers.ts");
    return openRedisUsers(admin, { connect, failureOf });
  },
};

async function connect(target: ProbeTarget): Promise<RedisConnection> {
  const client = await createClient(target, { ca: target.ca, verifiesChain: true, verifiesHost: true });
  try {
    // The connection may be accepted and the login not answered.
    await orAborted(client.connect(), target.signal);
    return { send: (...command) => client.sendCommand(command), close: () => client.destroy() };
  } catch (error) {
    if (client.isOpen) client.destroy();
    throw await failureOf(error, target);
  }
}

/** Redis without TLS takes a handshake for a command that does not end, and is silent. */
async function secured({ parts, signal, timeoutMs }: ProbeTarget, checks: TlsChecks): Promise<void> {
  const half = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs / 2)]);
  try {
    await shakeHands(parts, checks, half);
  } catch (error) {
    const isSilent = error instanceof ProbeFailure && error.kind === "timeout" && !signal.aborted;
    throw isSilent && (await answersPlain(parts, "PING\r\n", signal)) ? new ProbeFailure("noTls", parts) : error;
  }
}

async function createClient({ parts, timeoutMs }: ProbeTarget, checks: TlsChecks) {
  const { createClient: create } = await import("redis");
  const { host, port, username, password, database } = parts;
  const socket = { host, port, connectTimeout: timeoutMs, reconnectStrategy: false } as const;
  const client = create({
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    database: Number(database ?? "0"),
    socket: parts.tls ? { ...socket, tls: true, ...tlsOptions(parts, checks) } : socket,
    // Tells the server who is there; not every user may, and not every version knows it.
    disableClientInfo: true,
    commandOptions: { timeout: timeoutMs },
  });
  // What it says is in the answer of each call as well.
  client.on("error", () => {});
  return client;
}

/** Many users may do what the service is for, and not ask for this. */
async function versionOf(info: () => Promise<unknown>): Promise<string | undefined> {
  try {
    return /^redis_version:(\S{1,40})/m.exec(String(await info()))?.[1];
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message)) return undefined;
    throw error;
  }
}

async function failureOf(error: unknown, { parts, signal }: ProbeTarget): Promise<ProbeFailure> {
  const known = networkFailure(error, parts);
  if (known !== undefined) return known;
  const answer = error instanceof Error ? error.message : "";
  const kind = ANSWERS.find(([words]) => words.test(answer))?.[1];
  if (kind !== undefined) return new ProbeFailure(kind, parts);
  if (signal.aborted) return new ProbeFailure("timeout", parts);
  if (!parts.tls && (await speaksTls(parts, signal))) return new ProbeFailure("onlyTls", parts);
  return new ProbeFailure("protocol", parts, { code: codeOf(error) });
}
