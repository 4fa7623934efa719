/**
 * How a catalog is read on two connections with one snapshot. What the facts then leave out is decided in
 * `readCatalog.ts`.
 */
import { createHash } from "node:crypto";
import type { Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from "pg";
import { type Mark, type Standing, standing } from "./additions.ts";
import { DEPENDENCIES, dependenciesIn, edgesIn, NEW_DEPENDENCIES } from "./dependencies.ts";
import { buildFactBase } from "./factBase.ts";
import { type DependencyEdge, encodeId, extract, type FactBase, type StableId } from "./pgDelta.ts";
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

/** Below this, reading again what is known takes less time than asking what is new. */
const MARKED_CATALOG_BYTES = 200_000;

const IS_WORTH_MARKING = "select where pg_catalog.pg_relation_size('pg_catalog.pg_class') > $1";

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
  /** Whether to read all, whatever is known. Default: false; see `additions.ts`. */
  isWhole?: boolean;
  /** From which size of `pg_class` on it is noted where a reading stands. Default: where it is worth it. */
  markedFrom?: number;
  /**
   * Whose open transaction is read, with what it has made so far, in place of a snapshot. It keeps the
   * settings for reading.
   */
  within?: PoolClient;
}

/**
 * Reads a catalog as `extract` does, and asks one more question of the same snapshot, and the one that
 * follows from its answer. Where a large one was read before and was only added to, the schemas without
 * anything new are not read again.
 *
 * The question about dependencies is asked in a form of ours (`dependencies.ts`); of a large catalog it takes
 * almost half of the time. So where the catalog is large and the pool has a connection to spare, it is asked
 * on that, at the start and of the same snapshot. Without it, half of the others are, where sessions read
 * repeatedly.
 */
export async function extractOnTwoConnections<Row extends QueryResultRow>(
  pool: Pool,
  question: string,
  next: (answer: readonly Row[]) => string | undefined,
  {
    dependencies = true,
    isRepeated = false,
    isWhole = false,
    markedFrom = MARKED_CATALOG_BYTES,
    within,
  }: ExtractionOptions = {},
): Promise<Extraction & { answer: Row[]; isLarge: boolean }> {
  const client = within ?? (await pool.connect());
  let ahead: Ahead = new Map();
  let answer: Row[] = [];
  let isLarge = false;
  const asked: Asked = isRepeated ? prepared : (text) => ({ text });
  const before = isWhole ? undefined : lastReadings.get(pool)?.get(dependencies);
  let now: Standing = NOWHERE;
  /** Kept from the library, which would make an index of edges that nobody asks for. */
  let found: Rows = { rows: [] };
  const dependenciesSince = async (mark: Mark | undefined): Promise<Rows> => {
    const question = mark === undefined ? asked(DEPENDENCIES) : { ...asked(NEW_DEPENDENCIES), values: [mark.horizon] };
    return dependenciesIn(await client.query(question));
  };
  const query = async (sql: string): Promise<Rows> => {
    const known = await ahead.get(sql);
    if (isAboutDependencies(sql)) {
      if (dependencies) found = known ?? (await dependenciesSince(now.untouched.length > 0 ? before?.mark : undefined));
      return { rows: [] };
    }
    if (known !== undefined) return known;
    if (now.untouched.length > 0 && isAboutSchemas(sql))
      return client.query({ ...asked(sql.replace(OF_USERS_SCHEMAS, IN_TOUCHED)), values: [now.untouched] });
    // Ours, set at the start, looks for temporary tables last; the library's would first.
    if (sql.startsWith("SET LOCAL search_path ")) return { rows: [] };
    if (sql === "COMMIT") {
      answer = (await client.query<Row>(asked(question))).rows;
      const more = next(answer);
      if (more !== undefined) answer = [...answer, ...(await client.query<Row>(asked(more))).rows];
      // The other connection is in its place before this one is.
      await Promise.all(ahead.values());
    }
    const isOpen = within !== undefined && /^(BEGIN|COMMIT|ROLLBACK)\b/.test(sql);
    const result = isOpen ? { rows: [] } : await client.query(asked(sql));
    if (sql.startsWith("BEGIN")) {
      await client.query(PRINT_ALIKE);
      isLarge = await isWorthMarking(client, markedFrom);
      if (isLarge) now = await standing(client, asked, before?.mark);
      if (within === undefined && now.untouched.length === 0 && (dependencies || isRepeated))
        ahead = await askAhead(pool, client, asked, { dependencies, isRepeated });
    }
    return result;
  };
  // All that `extract` uses of a pool.
  const release = (): void => {
    if (within === undefined) client.release();
  };
  const one = { connect: async () => ({ query, release }) };
  const { factBase: read, ...extraction } = await extract(one as unknown as Pool);
  const factBase = withDependencies(read, found, before?.facts, new Set(now.untouched));
  // What may be rolled back is nothing to go on from.
  if (within !== undefined) return { ...extraction, factBase, answer, isLarge };
  const readings = lastReadings.get(pool) ?? new Map<boolean, Reading>();
  lastReadings.set(pool, readings);
  if (now.mark === undefined) readings.delete(dependencies);
  else readings.set(dependencies, { mark: now.mark, facts: factBase });
  return { ...extraction, factBase, answer, isLarge };
}

/** What was read of a database last, and where that stood. */
interface Reading {
  mark: Mark;
  facts: FactBase;
}

/** Of each pool, with dependencies and without. */
const lastReadings = new WeakMap<Pool, Map<boolean, Reading>>();

const NOWHERE: Standing = { mark: undefined, untouched: [] };

const isWorthMarking = async (client: PoolClient, from: number): Promise<boolean> =>
  (await client.query(IS_WORTH_MARKING, [from])).rows.length > 0;

/**
 * The library's condition in each question about what is in a schema; that about the schemas themselves is
 * asked whole.
 */
const OF_USERS_SCHEMAS = "n.nspname NOT IN ('pg_catalog', 'information_schema')";
const IN_TOUCHED = `${OF_USERS_SCHEMAS} AND n.nspname <> ALL ($1)`;

const isAboutSchemas = (sql: string): boolean =>
  /^\s*SELECT n\.nspname AS schema\b/.test(sql) && sql.split(OF_USERS_SCHEMAS).length === 2;

/** By the id alone: a foreign table belongs to its server. */
function schemaOf(id: StableId): string | undefined {
  if ("target" in id) return schemaOf(id.target);
  return "schema" in id ? (id.schema ?? undefined) : undefined;
}

/**
 * What was read, with what depends on what of it.
 *
 * @param before what is known of the schemas that were not read again, and which those are.
 */
function withDependencies(
  read: FactBase,
  found: Rows,
  before: FactBase | undefined,
  untouched: ReadonlySet<string>,
): FactBase {
  if (before === undefined || untouched.size === 0)
    return buildFactBase(read.facts(), [...read.edges, ...edgesIn(found, (id) => read.has(id))], read.source);
  const known = before.facts().filter(({ id }) => !read.has(id) && untouched.has(schemaOf(id) ?? ""));
  const facts = [...read.facts(), ...known];
  const present = new Set(facts.map(({ id }) => encodeId(id)));
  // What was read again says its own owner and extension; what depends on what was asked of what is new.
  const kept = before.edges.filter(({ kind, from }) => kind === "depends" || !read.has(from));
  const isKnown = ({ kind, from, to }: DependencyEdge): boolean =>
    kind === "depends" &&
    before.outgoingEdges(from).some((edge) => edge.kind === kind && encodeId(edge.to) === encodeId(to));
  const more = [...read.edges, ...edgesIn(found, (id) => present.has(encodeId(id)))];
  return buildFactBase(facts, [...kept, ...more.filter((edge) => !isKnown(edge))], read.source);
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
  { dependencies, isRepeated }: Required<Pick<ExtractionOptions, "dependencies" | "isRepeated">>,
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
