/** MongoDB, and what speaks its protocol: one host, TLS by parameter. */
import type { MongoClient } from "mongodb";
import { codeOf, type FailureKind, networkFailure, ProbeFailure } from "./failures.ts";
import { shakeHands, speaksTls, type TlsChecks, tlsOptions } from "./network.ts";
import { milliseconds, type ProbeTarget, type ServiceType, textSetting } from "./serviceType.ts";
import { flag } from "./urlParameters.ts";

/** Numbers of the server's errors. */
const ANSWERS: ReadonlyMap<unknown, FailureKind> = new Map<unknown, FailureKind>([
  [11, "login"],
  [18, "login"],
  [8000, "login"],
  [13, "rights"],
  [20, "readOnly"],
  [10107, "readOnly"],
  [13435, "busy"],
  [13436, "busy"],
  [91, "busy"],
  [11600, "busy"],
  [14031, "busy"],
]);

export const mongodb: ServiceType<"mongodb"> = {
  type: "mongodb",
  schemes: { mongodb: { tls: false } },
  defaultPort: 27017,

  read: ({ username, path, parameters }) => ({
    username,
    database: path,
    tls: flag(parameters, ["tls", "ssl"]) ?? false,
  }),

  async probe(target) {
    const { parts, signal } = target;
    const checks = tlsChecks(target);
    if (parts.tls) await shakeHands(parts, checks, signal);
    const client = await createClient(target, checks);
    const ended = () => void client.close(true).catch(() => undefined);
    signal.addEventListener("abort", ended, { once: true });
    try {
      await client.connect();
      const database = client.db(parts.database ?? "admin");
      const latencyMs = await milliseconds(() => database.command({ ping: 1 }));
      const { version } = await database.command({ buildInfo: 1 });
      const trial = database.collection(`pgstrata_probe_${crypto.randomUUID().replaceAll("-", "")}`);
      await trial.findOne({});
      if (target.access === "write") {
        await trial.insertOne({ probe: true });
        await trial.drop();
      }
      return { version: typeof version === "string" ? version : undefined, latencyMs };
    } catch (error) {
      throw await failureOf(error, target);
    } finally {
      signal.removeEventListener("abort", ended);
      await client.close(true).catch(() => undefined);
    }
  },

  async users(admin, registered) {
    const { openMongodbUsers } = await import("./mongodbUsers.ts");
    return openMongodbUsers(admin, userDatabase(registered), { connect, failureOf });
  },
};

async function connect(target: ProbeTarget): Promise<MongoClient> {
  const client = await createClient(target, tlsChecks(target));
  try {
    return await client.connect();
  } catch (error) {
    await client.close(true).catch(() => undefined);
    throw await failureOf(error, target);
  }
}

/** The database that has the user of a connection string. */
const userDatabase = ({ parts, parameters, config }: ProbeTarget): string =>
  parameters.get("authSource") ?? textSetting(config, "authSource") ?? (parts.database || "admin");

function tlsChecks({ ca, parameters }: ProbeTarget): TlsChecks {
  const isOn = (name: string): boolean => parameters.get(name) === "true";
  return {
    ca,
    verifiesChain: !isOn("tlsInsecure") && !isOn("tlsAllowInvalidCertificates"),
    verifiesHost: !isOn("tlsInsecure") && !isOn("tlsAllowInvalidHostnames"),
  };
}

async function createClient(target: ProbeTarget, checks: TlsChecks) {
  const { MongoClient } = await import("mongodb");
  const { parts, parameters, timeoutMs } = target;
  const { host, port, username, password } = parts;
  const mechanism = parameters.get("authMechanism");
  const query = mechanism === null ? "" : `?authMechanism=${encodeURIComponent(mechanism)}`;
  const bracketed = host.includes(":") ? `[${host}]` : host;
  const { ca, rejectUnauthorized, checkServerIdentity } = tlsOptions(parts, checks);
  return new MongoClient(`mongodb://${bracketed}:${port}/${query}`, {
    ...(username !== undefined && { auth: { username, password: password ?? "" } }),
    ...(username !== undefined && {
      authSource: userDatabase(target),
    }),
    // The host that is registered, and no other member that it tells of.
    directConnection: true,
    ...(parts.tls && {
      tls: true,
      ...(typeof ca === "string" && { ca }),
      ...(rejectUnauthorized !== undefined && { rejectUnauthorized }),
      ...(checkServerIdentity !== undefined && { checkServerIdentity }),
    }),
    appName: "pgstrata",
    maxPoolSize: 1,
    retryReads: false,
    retryWrites: false,
    // It asks again until then; what is left of the time tells why it found none.
    serverSelectionTimeoutMS: timeoutMs / 2,
    connectTimeoutMS: timeoutMs / 2,
    socketTimeoutMS: timeoutMs,
  });
}

async function failureOf(error: unknown, { parts, signal }: ProbeTarget): Promise<ProbeFailure> {
  let isTimeout = false;
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    isTimeout ||= each.name === "MongoNetworkTimeoutError";
    const kind = "code" in each ? ANSWERS.get(each.code) : undefined;
    if (kind !== undefined) return new ProbeFailure(kind, parts, { code: "code" in each ? each.code : "" });
  }
  const known = networkFailure(error, parts);
  if (known !== undefined) return known;
  if (signal.aborted) return new ProbeFailure("timeout", parts);
  // A server that accepts TLS alone may wait for a whole message of it as well.
  if (!parts.tls && (await speaksTls(parts, signal))) return new ProbeFailure("onlyTls", parts);
  return new ProbeFailure(isTimeout ? "timeout" : "protocol", parts, { code: codeOf(error) });
}
