/**
 * How the target database is connected to: TLS fallback, oldest version, session set-up, what its server
 * tells. How single connections are opened is left to `pool.ts`.
 */
import type pg from "pg";
import type { ProviderConfig } from "../core/config.ts";
import { UserError } from "../core/errors.ts";
import { codeOf, describeConnectionError, serverRefusesTls } from "./connectionError.ts";
import { type ConnectionTarget, parseConnectionUrl } from "./connectionUrl.ts";
import { openPool, type SessionPoolConfig } from "./pool.ts";

const OLDEST_MAJOR = 15;
const MOST_CONNECTIONS = 4;
const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_DELAY_MS = 10_000;

/**
 * Settings that decide what a literal of a date, a time or an interval means, as the database or the role has
 * them.
 */
const LITERAL_SETTINGS_COLUMN = `pg_catalog.json_build_object(${["TimeZone", "DateStyle", "IntervalStyle"].map((name) => `'${name}', pg_catalog.current_setting('${name}')`).join(", ")}) AS "literalSettings"`;

/** Returns the server's version, and why it may take no change. */
const ABOUT_THE_SERVER = `current_user::pg_catalog.text AS role, pg_catalog.current_setting('server_version') AS version,
         pg_catalog.current_setting('server_version_num')::int / 10000 AS major,
         pg_catalog.pg_is_in_recovery() AS standby, pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only`;

/**
 * Sets, as far as the role may, what not every role may set. Values stay out of the server's own log: bind
 * parameters, and the failing row that an error's detail shows. Triggers and foreign keys work, which they do
 * not in sessions of a replica. Returns what came of it.
 *
 * @param condition without which nothing is set.
 */
const prepareIf = (condition: string): string => `
  WITH desired AS MATERIALIZED (
    SELECT pg_catalog.set_config(name, value, false) AS value
    FROM (VALUES ('log_parameter_max_length', '0'), ('log_parameter_max_length_on_error', '0'),
                 ('log_error_verbosity', 'terse'), ('session_replication_role', 'origin')) AS desired (name, value)
    WHERE ${condition} AND pg_catalog.has_parameter_privilege(current_user, name, 'SET')
  )
  SELECT ${ABOUT_THE_SERVER}, ${LITERAL_SETTINGS_COLUMN}, (SELECT pg_catalog.count(value)::int FROM desired) AS set,
         pg_catalog.current_setting('session_replication_role') AS replication_role,
         pg_catalog.current_setting('log_parameter_max_length') <> '0'
           AND (pg_catalog.current_setting('log_statement') IN ('mod', 'all') OR pg_catalog.current_setting('log_min_duration_statement') <> '-1')
           AS logs_parameters`;

/** The same for servers before 15, which lack the function that tells what a role may set. */
const ASK_OLD_SERVER = `
  SELECT ${ABOUT_THE_SERVER}, 'origin' AS replication_role, true AS logs_parameters, '{}'::pg_catalog.json AS "literalSettings"`;

/** What the first connection told about the server. */
export interface ServerFacts {
  /** The role that we act as. */
  role: string;
  /** As the server writes it, e.g. `18.4`. */
  version: string;
  major: number;
  /** What a session of the database takes literals of dates, times and intervals for: settings by name. */
  literalSettings: Readonly<Record<string, string>>;
  /**
   * True when the server writes bind parameters, and so secrets, into its own log, and the role may not
   * switch that off.
   */
  logsParameters: boolean;
  /** Why the server takes no change; undefined where it takes them. */
  readOnly: "standby" | "setting" | undefined;
}

/** The target database. Nothing is connected before the first use. */
export interface Database {
  /** `user@host:port/database`. */
  readonly label: string;
  readonly target: ConnectionTarget;
  /**
   * The pool of at most 4 connections. Throws a `UserError` that says what to do when the server cannot be
   * reached, refuses the role or is older than PostgreSQL 15.
   */
  pool(): Promise<pg.Pool>;
  /** One connection of the pool, to be released. Throws as `pool` does. */
  connect(): Promise<pg.PoolClient>;
  /** Connects when needed; throws as `pool` does. */
  facts(): Promise<ServerFacts>;
  /**
   * A small pool to another database of the same server, with the same credentials; the caller ends it.
   * Throws as `pool` does.
   */
  poolOf(database: string): Promise<pg.Pool>;
  close(): Promise<void>;
}

/**
 * Undefined while the URL is not known. Throws a `UserError` when the URL is malformed.
 *
 * @param config.lockTimeoutMs of every connection: to read a catalog takes locks as well. Default: the
 *   server's.
 */
export function openDatabase(
  config: Pick<ProviderConfig, "url"> & Partial<Pick<ProviderConfig, "lockTimeoutMs">>,
): Database | undefined {
  if (config.url === undefined) return undefined;
  const target = parseConnectionUrl(config.url);
  let opening: Promise<Opened> | undefined;

  async function open(): Promise<Opened> {
    opening ??= connect(target, config.lockTimeoutMs).catch((error: unknown) => {
      opening = undefined; // the next call tries again
      throw describeConnectionError(error, target);
    });
    return opening;
  }

  return {
    label: target.label,
    target,
    pool: async () => (await open()).pool,
    async connect() {
      const { pool } = await open();
      return pool.connect().catch((error: unknown) => {
        throw describeConnectionError(error, target);
      });
    },
    facts: async () => (await open()).facts,
    async poolOf(database) {
      const { config } = await open();
      const url = new URL(target.driverUrl);
      url.pathname = `/${encodeURIComponent(database)}`;
      return openPool({ ...config, connectionString: url.href, max: 2 });
    },
    async close() {
      const opened = await opening?.catch(() => undefined);
      opening = undefined;
      await opened?.pool.end();
    },
  };
}

/** A pool with what it was opened with, and what its first connection told. */
interface Opened {
  pool: pg.Pool;
  config: SessionPoolConfig;
  facts: ServerFacts;
}

async function connect(target: ConnectionTarget, lockTimeoutMs: number | undefined): Promise<Opened> {
  if (target.tlsMode !== "prefer") return connectWith(target, target.tlsMode !== "disable", lockTimeoutMs);
  try {
    return await connectWith(target, true, lockTimeoutMs);
  } catch (error) {
    const refused = error instanceof Error && (serverRefusesTls(error.message) || codeOf(error) === "28000");
    if (!refused) throw error;
    return connectWith(target, false, lockTimeoutMs);
  }
}

async function connectWith(target: ConnectionTarget, tls: boolean, lockTimeoutMs: number | undefined): Promise<Opened> {
  let facts: ServerFacts | undefined;
  const config: SessionPoolConfig = {
    connectionString: target.driverUrl,
    ssl: tls ? target.tlsOptions() : false,
    max: MOST_CONNECTIONS,
    // Who awaits each answer notices nothing of it; who does not spares a round trip.
    pipeline: true,
    fallback_application_name: "pgstrata",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_DELAY_MS,
    onConnect: async (client, condition) => {
      facts = await prepareSession(client, target, condition);
      if (lockTimeoutMs === undefined) return;
      const timeout = [String(lockTimeoutMs)];
      await client.query(`SELECT pg_catalog.set_config('lock_timeout', $1, false) WHERE ${condition}`, timeout);
    },
  };
  const pool = await openPool(config);
  try {
    const client = await pool.connect();
    client.release();
    if (!facts) throw new Error("the session was not prepared");
    return { pool, config, facts };
  } catch (error) {
    await pool.end();
    throw error;
  }
}

interface SessionRow {
  role: string;
  version: string;
  major: number;
  literalSettings: Record<string, string>;
  replication_role: string;
  logs_parameters: boolean;
  standby: boolean;
  read_only: boolean;
}

async function prepareSession(
  client: pg.ClientBase,
  target: ConnectionTarget,
  condition: string,
): Promise<ServerFacts> {
  const { rows } = await client.query<SessionRow>(prepareIf(condition)).catch(async (error: unknown) => {
    if (codeOf(error) !== "42883") throw error;
    return client.query<SessionRow>(ASK_OLD_SERVER);
  });
  const row = rows[0];
  if (!row) throw new Error("the server did not tell its version");
  if (row.major < OLDEST_MAJOR) {
    throw new UserError(
      "PS505",
      `the server at ${target.label} is PostgreSQL ${row.version}, expected ${OLDEST_MAJOR} or newer; upgrade it or use another one`,
    );
  }
  if (row.replication_role !== "origin") {
    throw new UserError(
      "PS505",
      `sessions of ${target.label} have session_replication_role = ${row.replication_role}, expected origin: triggers and foreign keys do not work in them. ` +
        "Reset the setting of the role or the database, or connect as a role that may set it.",
    );
  }
  const { role, version, major, literalSettings } = row;
  const readOnly = row.standby ? "standby" : row.read_only ? "setting" : undefined;
  return { role, version, major, literalSettings, logsParameters: row.logs_parameters, readOnly };
}
