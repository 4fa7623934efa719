/**
 * How a catalog is read on two connections with one snapshot. What the facts then leave out is decided in
 * `readCatalog.ts`.
 */
import { createHash } from "node:crypto";
import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from "pg";
import { DEPENDENCIES, dependenciesIn } from "./dependencies.ts";
import { extract } from "./pgDelta.ts";
import { PRINT_ALIKE } from "./printSettings.ts";

type Extraction = Awaited<ReturnType<typeof extract>>;
type Rows = Pick<QueryResult<Record<string, unknown>>, "rows">;

/**
 * A catalog below this is read in less time than a second connection takes. The one of a new database has a
 * tenth of it.
 */
const LARGE_CATALOG_BYTES = 1_000_000;

/** Answered with the snapshot's name, as SQL writes it. */
const EXPORT_SNAPSHOT = "select pg_catalog.quote_literal(pg_catalog.pg_export_snapshot()) as snapshot";

const EXPORT_IF_LARGE = `
  ${EXPORT_SNAPSHOT} where pg_catalog.pg_relation_size('pg_catalog.pg_class') > ${LARGE_CATALOG_BYTES}`;

const VERSION =
  "select pg_catalog.current_setting('server_version') as version, pg_catalog.current_setting('server_version_num')::int as num";

export interface ExtractionOptions {
  /** Whether to ask what depends on what. Default: true. */
  dependencies?: boolean;
  /**
   * Whether sessions of this pool read again and again. Then the questions are prepared in them, as planning
   * them takes half of the time, and a second one is worth it for small catalogs, too. Default: false; a
   * pooler may give each transaction another session.
   */
  isRepeated?: boolean;
}

/**
 * Reads a catalog as `extract` does, and asks one more question of the same snapshot, and the one that
 * follows from its answer. The question about dependencies is asked in a form of ours (`dependencies.ts`);
 * of a large catalog it takes almost half of the time. So where the catalog is large and the pool has a
 * connection to spare, it is asked on that, at the start and of the same snapshot. Without it, half of the
 * others are, where sessions read repeatedly.
 */
export async function extractOnTwoConnections<Row extends QueryResultRow>(
  pool: Pool,
  question: string,
  next: (answer: readonly Row[]) => string | undefined,
  { dependencies = true, isRepeated = false }: ExtractionOptions = {},
): Promise<Extraction & { answer: Row[] }> {
  const client = await pool.connect();
  let ahead: Ahead = new Map();
  let answer: Row[] = [];
  const asked: Asked = isRepeated ? prepared : (text) => ({ text });
  const query = async (sql: string): Promise<Rows> => {
    if (isAboutDependencies(sql) && !dependencies) return { rows: [] };
    const known = await ahead.get(sql);
    if (known !== undefined) return known;
    // Ours, set at the start, looks for temporary tables last; the library's would first.
    if (sql.startsWith("SET LOCAL search_path ")) return { rows: [] };
    if (sql === "COMMIT") {
      answer = (await client.query<Row>(asked(question))).rows;
      const more = next(answer);
      if (more !== undefined) answer = [...answer, ...(await client.query<Row>(asked(more))).rows];
      // The other connection is in its place before this one is.
      await Promise.all(ahead.values());
    }
    const result = await answerTo(sql, client, asked);
    if (sql.startsWith("BEGIN")) {
      await client.query(PRINT_ALIKE);
      if (dependencies || isRepeated) ahead = await askAhead(pool, client, asked, { dependencies, isRepeated });
    }
    return result;
  };
  // All that `extract` uses of a pool.
  const one = { connect: async () => ({ query, release: () => client.release() }) };
  return { ...(await extract(one as unknown as Pool)), answer };
}

type Asked = (sql: string) => QueryConfig;

/** Named by what it says, as the driver demands. */
const prepared: Asked = (text) => ({
  name: createHash("sha256").update(text).digest("hex").slice(0, 32),
  text,
});

const answerTo = async (sql: string, client: PoolClient, asked: Asked): Promise<Rows> =>
  isAboutDependencies(sql) ? dependenciesIn(await client.query(asked(DEPENDENCIES))) : client.query(asked(sql));

const isAboutDependencies = (sql: string): boolean => sql.trimStart().startsWith("WITH dep AS");

/**
 * Questions that were asked before their turn, by their text; the answer is undefined when it failed: then
 * the question is asked as usual.
 */
type Ahead = ReadonlyMap<string, Promise<Rows | undefined>>;

/** @returns nothing where it is not worth it or cannot be. */
async function askAhead(
  pool: Pool,
  client: PoolClient,
  asked: Asked,
  { dependencies, isRepeated }: Required<ExtractionOptions>,
): Promise<Ahead> {
  const hasRoom = pool.idleCount > 0 || pool.totalCount < (pool.options.max ?? 0);
  if (!hasRoom) return new Map();
  const [exported] = (await client.query<{ snapshot: string }>(isRepeated ? EXPORT_SNAPSHOT : EXPORT_IF_LARGE)).rows;
  if (exported === undefined) return new Map();
  const { rows } = await client.query(VERSION);
  const questions = (await questionsOf(rows[0])).filter((sql, n) =>
    dependencies ? isAboutDependencies(sql) : n % 2 === 1 && !isAboutDependencies(sql),
  );
  const answers = ask(pool, exported.snapshot, questions, asked);
  return new Map(
    questions.map((sql, n) => [
      sql,
      answers.then(
        (all) => all[n],
        () => undefined,
      ),
    ]),
  );
}

async function ask(pool: Pool, quotedSnapshot: string, questions: readonly string[], asked: Asked): Promise<Rows[]> {
  const client = await pool.connect();
  try {
    await client.query("begin isolation level repeatable read read only");
    await client.query(`set transaction snapshot ${quotedSnapshot}`);
    await client.query(PRINT_ALIKE);
    await client.query(
      "select pg_catalog.set_config('jit', 'off', true) where pg_catalog.has_parameter_privilege(current_user, 'jit', 'SET')",
    );
    const answers: Rows[] = [];
    for (const question of questions) answers.push(await answerTo(question, client, asked));
    return answers;
  } finally {
    await client.query("rollback").catch(() => undefined);
    client.release();
  }
}

const known = new Map<string, Promise<readonly string[]>>();

/**
 * What `extract` will ask a server of that version, learned by letting it read a database that is empty.
 */
function questionsOf(version: Record<string, unknown> | undefined): Promise<readonly string[]> {
  const key = JSON.stringify(version);
  const questions = known.get(key) ?? learn(version);
  known.set(key, questions);
  return questions;
}

async function learn(version: Record<string, unknown> | undefined): Promise<readonly string[]> {
  const questions: string[] = [];
  const query = async (sql: string): Promise<Rows> => {
    const isVersion = /server_version_num/.test(sql);
    if (/^\s*(select|with)\b/i.test(sql) && !isVersion && !/set_config/.test(sql)) questions.push(sql);
    return { rows: isVersion ? [version ?? {}] : [] };
  };
  const empty = { connect: async () => ({ query, release: () => undefined }) };
  await extract(empty as unknown as Pool).catch(() => undefined);
  return questions;
}
