/**
 * How a large catalog is read on two connections with one snapshot. What the facts then leave out is decided
 * in `readCatalog.ts`.
 */
import type { Pool, PoolClient, QueryResult, QueryResultRow } from "pg";
import { extract } from "./pgDelta.ts";
import { PRINT_ALIKE } from "./printSettings.ts";

type Extraction = Awaited<ReturnType<typeof extract>>;
type Rows = Pick<QueryResult<Record<string, unknown>>, "rows">;

/**
 * A catalog below this is read in less time than a second connection takes. The one of a new database has a
 * tenth of it.
 */
const LARGE_CATALOG_BYTES = 1_000_000;

/** Answered with the snapshot's name, as SQL writes it, when the catalog is large. */
const EXPORT_SNAPSHOT = `
  select pg_catalog.quote_literal(pg_catalog.pg_export_snapshot()) as snapshot where pg_catalog.pg_relation_size('pg_catalog.pg_class') > ${LARGE_CATALOG_BYTES}`;

const VERSION =
  "select pg_catalog.current_setting('server_version') as version, pg_catalog.current_setting('server_version_num')::int as num";

export interface ExtractionOptions {
  /** Whether to ask what depends on what. Default: true. */
  dependencies?: boolean;
}

/**
 * Reads a catalog as `extract` does, and asks one more question of the same snapshot. Of its questions, one
 * after another, the one about dependencies takes almost half of the time: where the catalog is large and the
 * pool has a connection to spare, it is asked on that, at the start and of the same snapshot.
 */
export async function extractOnTwoConnections<Row extends QueryResultRow>(
  pool: Pool,
  question: string,
  { dependencies = true }: ExtractionOptions = {},
): Promise<Extraction & { answer: Row[] }> {
  const client = await pool.connect();
  let ahead: Ahead | undefined;
  let answer: Row[] = [];
  const query = async (sql: string): Promise<Rows> => {
    if (isAboutDependencies(sql)) {
      if (!dependencies) return { rows: [] };
      const known = await ahead?.answer;
      if (known !== undefined) return known;
    }
    // Ours, set at the start, looks for temporary tables last; the library's would first.
    if (sql.startsWith("SET LOCAL search_path ")) return { rows: [] };
    if (sql === "COMMIT") answer = (await client.query<Row>(question)).rows;
    const result = await client.query(sql);
    if (sql.startsWith("BEGIN")) {
      await client.query(PRINT_ALIKE);
      if (dependencies) ahead = await askAhead(pool, client);
    }
    return result;
  };
  // All that `extract` uses of a pool.
  const one = { connect: async () => ({ query, release: () => client.release() }) };
  return { ...(await extract(one as unknown as Pool)), answer };
}

const isAboutDependencies = (sql: string): boolean => sql.trimStart().startsWith("WITH dep AS");

/**
 * A question that was asked before its turn; the answer is undefined when it failed: then it is asked as
 * usual.
 */
interface Ahead {
  answer: Promise<Rows | undefined>;
}

/** @returns undefined where it is not worth it or cannot be. */
async function askAhead(pool: Pool, client: PoolClient): Promise<Ahead | undefined> {
  const hasRoom = pool.idleCount > 0 || pool.totalCount < (pool.options.max ?? 0);
  if (!hasRoom) return undefined;
  const [exported] = (await client.query<{ snapshot: string }>(EXPORT_SNAPSHOT)).rows;
  if (exported === undefined) return undefined;
  const { rows } = await client.query(VERSION);
  const question = await dependencyQuestion(rows[0]);
  if (question === undefined) return undefined;
  return { answer: ask(pool, exported.snapshot, question).catch(() => undefined) };
}

async function ask(pool: Pool, quotedSnapshot: string, question: string): Promise<Rows> {
  const client = await pool.connect();
  try {
    await client.query("begin isolation level repeatable read read only");
    await client.query(`set transaction snapshot ${quotedSnapshot}`);
    await client.query(PRINT_ALIKE);
    await client.query(
      "select pg_catalog.set_config('jit', 'off', true) where pg_catalog.has_parameter_privilege(current_user, 'jit', 'SET')",
    );
    return await client.query(question);
  } finally {
    await client.query("rollback").catch(() => undefined);
    client.release();
  }
}

const questions = new Map<string, Promise<string | undefined>>();

/**
 * What `extract` will ask a server of that version about dependencies, learned by letting it read a database
 * that is empty.
 */
function dependencyQuestion(version: Record<string, unknown> | undefined): Promise<string | undefined> {
  const key = JSON.stringify(version);
  const known = questions.get(key) ?? rehearse(version);
  questions.set(key, known);
  return known;
}

async function rehearse(version: Record<string, unknown> | undefined): Promise<string | undefined> {
  let question: string | undefined;
  const query = async (sql: string): Promise<Rows> => {
    if (isAboutDependencies(sql)) question = sql;
    return { rows: /server_version_num/.test(sql) ? [version ?? {}] : [] };
  };
  const empty = { connect: async () => ({ query, release: () => undefined }) };
  await extract(empty as unknown as Pool).catch(() => undefined);
  return question;
}
