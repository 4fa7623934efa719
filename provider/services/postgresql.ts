/** PostgreSQL: TLS by `sslmode`, read as libpq reads it. */
import type pg from "pg";
import { ConnectionStringError } from "./connectionStringError.ts";
import { codeOf, type FailureKind, networkFailure, ProbeFailure } from "./failures.ts";
import { type TlsChecks, tlsOptions } from "./network.ts";
import {
  type GivenUrl,
  milliseconds,
  type ProbeAnswer,
  type ProbeTarget,
  type ServiceType,
  type ServiceUsers,
  textSetting,
} from "./serviceType.ts";
import { flag, single } from "./urlParameters.ts";

export const postgresql: ServiceType<"postgresql"> = {
  type: "postgresql",
  schemes: { postgresql: { tls: false }, postgres: { tls: false } },
  defaultPort: 5432,
  read: readPostgres,
  probe: (target) => probePostgres(target, tlsChecks(target)),
  users: (admin) => postgresUsers(admin, tlsChecks, true),
};

/** Whether `sslmode` demands TLS. */
const SSL_MODES: ReadonlyMap<string, boolean> = new Map([
  ["disable", false],
  ["allow", false],
  ["prefer", false],
  ["require", true],
  ["verify-ca", true],
  ["verify-full", true],
]);

export function readPostgres({ username, path, parameters }: GivenUrl) {
  const database = path ?? username;
  const flagged = flag(parameters, ["ssl"]);
  const mode = single(parameters, ["sslmode"]);
  if (mode === undefined) return { username, database, tls: flagged ?? false };
  const demanded = SSL_MODES.get(mode);
  if (demanded === undefined) {
    throw new ConnectionStringError(`its sslmode is not known; expected one of ${[...SSL_MODES.keys()].join(", ")}`);
  }
  if (flagged !== undefined && flagged !== demanded) {
    throw new ConnectionStringError("its parameters ssl and sslmode say different things; give one");
  }
  return { username, database, tls: demanded };
}

/** With an authority, libpq verifies a certificate in the mode `require` as well. */
function tlsChecks({ parameters, ca }: ProbeTarget): TlsChecks {
  const mode = parameters.get("sslmode");
  const verifiesHost = mode === "verify-full";
  return { ca, verifiesChain: verifiesHost || mode === "verify-ca" || ca !== undefined, verifiesHost };
}

/** SQLSTATEs, by their first letters. */
const ANSWERS: readonly [RegExp, FailureKind][] = [
  [/^28/, "login"],
  [/^3D000$/, "database"],
  [/^42501$/, "rights"],
  [/^25006$/, "readOnly"],
  [/^(53|57P0[1-5])/, "busy"],
];

/** What the words of an error say that has no code, or one of several meanings. */
const WORDS: readonly [RegExp, FailureKind][] = [
  [/does not support SSL/i, "noTls"],
  [/no encryption|SSL off|connection is insecure|SSL required|sslmode=require/i, "onlyTls"],
];

/**
 * Whether the session may read and write in the schema that it is for: of a schema without tables, whether it
 * may create some.
 */
const RIGHTS = `
  SELECT pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only,
         n.oid IS NOT NULL AS found,
         pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS usable,
         pg_catalog.has_schema_privilege(n.oid, 'CREATE') AS creatable,
         (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_class AS c
          WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')) AS tables,
         EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm')
                 AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')) AS readable,
         EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
                 AND pg_catalog.has_any_column_privilege(c.oid, 'INSERT')) AS writable
  FROM (SELECT COALESCE($1, (pg_catalog.current_schemas(false))[1]) AS name) AS meant
  LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = meant.name`;

interface Rights {
  read_only: boolean;
  found: boolean;
  usable: boolean | null;
  creatable: boolean | null;
  tables: number;
  readable: boolean;
  writable: boolean;
}

export async function probePostgres(target: ProbeTarget, checks: TlsChecks): Promise<ProbeAnswer> {
  const { signal } = target;
  const client = await createClient(target, checks);
  const ended = () => void client.end().catch(() => undefined);
  signal.addEventListener("abort", ended, { once: true });
  try {
    await client.connect();
    const latencyMs = await milliseconds(() => client.query("SELECT 1"));
    const { rows } = await client.query<{ version: string }>(
      "SELECT pg_catalog.current_setting('server_version') AS version",
    );
    await checkRights(client, target);
    return { version: rows[0]?.version.split(" ")[0], latencyMs };
  } catch (error) {
    throw failureOf(error, target);
  } finally {
    signal.removeEventListener("abort", ended);
    // A server that answers nothing is not waited for.
    ended();
  }
}

/** @param takesVerifiers false where the service demands the passwords themselves. */
export async function postgresUsers(
  admin: ProbeTarget,
  checksOf: (target: ProbeTarget) => TlsChecks,
  takesVerifiers: boolean,
): Promise<ServiceUsers> {
  const { openPostgresUsers } = await import("./postgresqlUsers.ts");
  const connect = async (target: ProbeTarget): Promise<pg.Client> => {
    const client = await createClient(target, checksOf(target));
    try {
      await client.connect();
      return client;
    } catch (error) {
      await client.end().catch(() => undefined);
      throw failureOf(error, target);
    }
  };
  return openPostgresUsers(admin, { connect, failureOf, takesVerifiers });
}

async function createClient(target: ProbeTarget, checks: TlsChecks): Promise<pg.Client> {
  const { default: pgDriver } = await import("pg");
  const { parts, parameters, timeoutMs } = target;
  const options = parameters.get("options");
  const client = new pgDriver.Client({
    host: parts.host,
    port: parts.port,
    ...(parts.username !== undefined && { user: parts.username }),
    // An empty one keeps the client from asking files and the environment.
    password: parts.password ?? "",
    ...(parts.database !== undefined && { database: parts.database }),
    ...(options !== null && { options }),
    ssl: parts.tls ? tlsOptions(parts, checks) : false,
    enableChannelBinding: ["prefer", "require"].includes(parameters.get("channel_binding") ?? ""),
    application_name: "pgstrata",
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
  });
  // What it says is in the answer of each call as well.
  client.on("error", () => {});
  return client;
}

async function checkRights(client: pg.Client, { parts, config, access }: ProbeTarget): Promise<void> {
  const schema = textSetting(config, "schema");
  const lacks = (words: string): never => {
    throw new ProbeFailure("rights", parts, { words });
  };
  const { rows } = await client.query<Rights>(RIGHTS, [schema ?? null]);
  const [rights] = rows;
  if (rights === undefined || !rights.found) {
    // Without a schema of its own on the search path there is nothing to ask.
    return schema === undefined ? undefined : lacks("it sees no schema of the name in config.schema");
  }
  if (rights.usable !== true) lacks("USAGE on its schema");
  if (rights.tables > 0 && !rights.readable) lacks("SELECT on a table of its schema");
  if (access === "read") return;
  if (rights.read_only) throw new ProbeFailure("readOnly", parts);
  if (rights.creatable !== true && !rights.writable) lacks("CREATE in its schema, or INSERT on a table of it");
}

function failureOf(error: unknown, { parts, signal }: ProbeTarget): ProbeFailure {
  const known = networkFailure(error, parts);
  if (known !== undefined) return known;
  const [message, code] = [error instanceof Error ? error.message : "", codeOf(error)];
  const kind =
    WORDS.find(([words]) => words.test(message))?.[1] ?? ANSWERS.find(([letters]) => letters.test(code))?.[1];
  if (kind !== undefined) return new ProbeFailure(kind, parts, { code });
  if (signal.aborted || /timeout/i.test(message)) return new ProbeFailure("timeout", parts);
  return new ProbeFailure("protocol", parts, { code });
}
