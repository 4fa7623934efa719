import { randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { quoteIdent } from "../../provider/catalog/quote.ts";

/** A database made for one test file. */
export interface TestDatabase {
  name: string;
  /** As the server's superuser. */
  url: string;
  pool: pg.Pool;
  /** The rows of one query. */
  query<Row extends pg.QueryResultRow>(sql: string, values?: unknown[]): Promise<Row[]>;
  /** URL of this database for another role. */
  urlFor(role: TestRole): string;
  drop(): Promise<void>;
}

/** A login role made for one test file. */
export interface TestRole {
  name: string;
  password: string;
  drop(): Promise<void>;
}

/**
 * Makes an empty database; drop it in `afterAll`.
 *
 * @param options.name default a unique one.
 * @param options.server URL of the server, as a superuser; default the one that all test files share.
 */
export async function createTestDatabase(options: { name?: string; server?: string } = {}): Promise<TestDatabase> {
  const { name = uniqueName("db"), server = inject("serverUrl") } = options;
  await onServer(server, (client) => client.query(`create database ${quoteIdent(name)} template template0`));
  const url = urlOf(server, name);
  const pool = new pg.Pool({ connectionString: url, max: 4, pipeline: true });
  // A connection that the end of a test cuts, also while it is being closed, is no failure of the test.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  return {
    name,
    url,
    pool,
    query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
      (await pool.query<Row>(sql, values)).rows,
    urlFor: (role) => urlOf(server, name, role),
    drop: async () => {
      await pool.end();
      await onServer(server, (client) => dropDatabase(client, name));
    },
  };
}

/**
 * Makes a login role with a unique name. Drop it after the databases in which it owns or may do something.
 *
 * @param attributes what follows in `create role … login password …`, e.g. `createdb`.
 */
export async function createTestRole(
  options: { prefix?: string; attributes?: string; server?: string } = {},
): Promise<TestRole> {
  const { prefix = "role", attributes = "", server = inject("serverUrl") } = options;
  const name = uniqueName(prefix);
  const password = randomBytes(12).toString("hex");
  const role = quoteIdent(name);
  await onServer(server, (client) => client.query(`create role ${role} login password '${password}' ${attributes}`));
  return { name, password, drop: () => onServer(server, (client) => client.query(`drop role if exists ${role}`)) };
}

/** The rows of one query, in a session of its own. */
export async function ask(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  // A session that is ended from outside fails its query, and is no failure of the test.
  client.on("error", () => {});
  await client.connect();
  return client
    .query<Record<string, unknown>>(sql)
    .then(({ rows }) => rows)
    .finally(() => client.end());
}

/**
 * The server waits some seconds for connections that are being closed; those that are still open after that
 * are cut.
 */
async function dropDatabase(client: pg.Client, name: string): Promise<void> {
  const drop = `drop database if exists ${quoteIdent(name)}`;
  await client.query(drop).catch((error: unknown) => {
    const isInUse = error instanceof pg.DatabaseError && error.code === "55006";
    if (!isInUse) throw error;
    return client.query(`${drop} with (force)`);
  });
}

async function onServer(server: string, work: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}

function urlOf(server: string, database: string, role?: TestRole): string {
  const url = new URL(server);
  url.pathname = `/${encodeURIComponent(database)}`;
  if (role !== undefined) {
    url.username = encodeURIComponent(role.name);
    url.password = encodeURIComponent(role.password);
  }
  return url.href;
}

function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(6).toString("hex")}`;
}
