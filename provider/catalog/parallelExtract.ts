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
 *
 * @returns with the facts: `remember`, to be called where the reading was within a transaction that has been
 *   committed since. It tells whether the next reading can go on from this one.
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
): Promise<Extraction & { answer: Row[]; isLarge: boolean; remember: () => boolean }> {
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
  const isKnown = (): boolean => now.untouched.length > 0;
  const ask = (sql: string): Promise<Rows> => {
    if (isAboutDependencies(sql)) return dependenciesSince(isKnown() ? before?.mark : undefined);
    if (isKnown() && isAboutSchemas(sql))
      return client.query({ ...asked(sql.replace(OF_USERS_SCHEMAS, IN_TOUCHED)), values: [now.untouched] });
    return client.query(asked(sql));
  };
  let questions = new QuestionsAhead([], ask, 0);
  const begin = async (sql: string): Promise<void> => {
    const sent = [...(within === undefined ? [sql] : []), PRINT_ALIKE, VERSION].map((each) => client.query(each));
    const [isWorth, ...answers] = await Promise.all([isWorthMarking(client, markedFrom), ...sent]);
    isLarge = isWorth;
    const version: Version = answers.at(-1)?.rows[0];
    if (isLarge) now = await standing(client, asked, before?.mark);
    if (within === undefined && !isKnown() && (dependencies || isRepeated))
      ahead = await askAhead(pool, client, asked, version, { dependencies, isRepeated });
    const own = (await questionsOf(version)).filter(
      (each) => !ahead.has(each) && (dependencies || !isAboutDependencies(each)),
    );
    questions = new QuestionsAhead([...own, question], ask, isLarge ? FEW : own.length + 1);
  };
  const query = async (sql: string): Promise<Rows> => {
    if (sql.startsWith("BEGIN")) {
      await begin(sql);
      return { rows: [] };
    }
    const known = await ahead.get(sql);
    if (isAboutDependencies(sql)) {
      if (dependencies) found = known ?? (await questions.answerTo(sql));
      return { rows: [] };
    }
    if (known !== undefined) return known;
    // Ours, set at the start, looks for temporary tables last; the library's would first.
    if (sql.startsWith("SET LOCAL search_path ")) return { rows: [] };
    if (sql === "COMMIT") {
      answer = (await questions.answerTo(question)).rows as Row[];
      const more = next(answer);
      if (more !== undefined) answer = [...answer, ...(await client.query<Row>(asked(more))).rows];
      // The other connection is in its place before this one is.
      await Promise.all(ahead.values());
    }
    const isOpen = within !== undefined && /^(COMMIT|ROLLBACK)\b/.test(sql);
    return isOpen ? { rows: [] } : questions.answerTo(sql);
  };
  // All that `extract` uses of a pool.
  const release = (): void => {
    if (within === undefined) client.release();
  };
  const one = { connect: async () => ({ query, release }) };
  const { factBase: read, ...extraction } = await extract(one as unknown as Pool);
  const factBase = withDependencies(read, found, before?.facts, new Set(now.untouched));
  const { mark } = now;
  const remember = (): boolean => {
    const readings = lastReadings.get(pool) ?? new Map<boolean, Reading>();
    lastReadings.set(pool, readings);
    if (mark === undefined) readings.delete(dependencies);
    else readings.set(dependencies, { mark, facts: factBase });
    return mark !== undefined;
  };
  // What may be rolled back is nothing to go on from.
  if (within === undefined) remember();
  return { ...extraction, factBase, answer, isLarge, remember };
}

/**
 * Questions that are sent before the library asks them, on one connection and in the library's order: the
 * server has the next one while an answer is on its way or is read, and a slow line is waited for once and
 * not for each. A question that is not expected is asked when it comes.
 *
 * After one that fails, those sent behind it fail as well, because their transaction is over, and some of
 * them may be asked for before it. Each of them throws what the first one failed with.
 */
class QuestionsAhead {
  private readonly expected: readonly string[];
  private readonly ask: (sql: string) => Promise<Rows>;
  private readonly most: number;
  /** Of the expected ones, from the first that the library has not asked yet. */
  private readonly answers: Promise<Rows>[] = [];
  private asked = 0;
  private failure: { error: unknown } | undefined;

  /** @param most how many answers are under way at once. */
  constructor(expected: readonly string[], ask: (sql: string) => Promise<Rows>, most: number) {
    this.expected = expected;
    this.ask = ask;
    this.most = most;
    this.fill();
  }

  answerTo(sql: string): Promise<Rows> {
    const at = this.expected.indexOf(sql, this.asked);
    if (at < 0) return this.send(sql);
    // What was expected before it is not asked after all.
    const answer = this.answers.splice(0, at - this.asked + 1)[at - this.asked] ?? this.send(sql);
    this.asked = at + 1;
    this.fill();
    return answer;
  }

  private fill(): void {
    while (this.answers.length < this.most) {
      const next = this.expected[this.asked + this.answers.length];
      if (next === undefined) return;
      const answer = this.send(next);
      // A failure shows where it is asked for.
      answer.catch(() => {});
      this.answers.push(answer);
    }
  }

  private send(sql: string): Promise<Rows> {
    return this.ask(sql).catch((error: unknown) => {
      this.failure ??= { error };
      throw this.failure.error;
    });
  }
}

/** Of a large catalog, whose answers take memory. */
const FEW = 4;

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
  version: Version,
  { dependencies, isRepeated }: Required<Pick<ExtractionOptions, "dependencies" | "isRepeated">>,
): Promise<Ahead> {
  const hasRoom = pool.idleCount > 0 || pool.totalCount < (pool.options.max ?? 0);
  if (!hasRoom) return new Map();
  const [exported] = (await client.query<{ snapshot: string }>(isRepeated ? EXPORT_SNAPSHOT : EXPORT_IF_LARGE)).rows;
  if (exported === undefined) return new Map();
  const questions = (await questionsOf(version)).filter((sql, n) =>
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
    const settings = [
      "begin isolation level repeatable read read only",
      `set transaction snapshot ${quotedSnapshot}`,
      PRINT_ALIKE,
      "select pg_catalog.set_config('jit', 'off', true) where pg_catalog.has_parameter_privilege(current_user, 'jit', 'SET')",
    ].map((sql) => client.query(sql));
    const answers = questions.map((question) => answerTo(question, client, asked));
    return (await Promise.all([...settings, ...answers])).slice(settings.length);
  } finally {
    await client.query("rollback").catch(() => undefined);
    client.release();
  }
}

/** What a server says of its version. */
type Version = Record<string, unknown> | undefined;

const known = new Map<string, Promise<readonly string[]>>();

/**
 * What `extract` will ask a server of that version, learned by letting it read a database that is empty.
 */
function questionsOf(version: Version): Promise<readonly string[]> {
  const key = JSON.stringify(version);
  const questions = known.get(key) ?? learn(version);
  known.set(key, questions);
  return questions;
}

async function learn(version: Version): Promise<readonly string[]> {
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
