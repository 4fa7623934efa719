/**
 * Online recipes: statements that would block the readers or writers of a table with rows, written as steps that do not. Each step
 * is harmless by itself, and a run that ends between two of them is finished by the next one. Tables without rows keep the direct,
 * transactional form.
 *
 * @see https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
 * @see https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES
 */

import { isPartitioned, leavesOf } from "../catalog/partitions.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import { rowsBehind, type TableSizes, tableOf, text } from "../catalog/tables.ts";
import { StatementDependencies } from "./dependencies.ts";
import { LONGEST_NAME_BYTES, shortened, withName } from "./indexDefinition.ts";
import { fillMark, notNullCheck } from "./recipeConstraints.ts";
import type { Statement, StatementList } from "./statement.ts";
import { isVolatileDefault } from "./volatileDefault.ts";

/** What the recipes look at. */
export interface OnlineContext {
  live: FactBase;
  desired: FactBase;
  sizes: TableSizes;
  /** Encoded ids of indexes that a build left behind invalid. They are no facts of `live`. */
  invalidIndexes: ReadonlySet<string>;
  /** Of the server. */
  majorVersion: number;
  /** Nothing may run before the others: they need names that come with the transaction. */
  inOrder?: boolean;
}

/** What one statement becomes. `soon` runs where the statement stood, with the others; `later` after all of them, each by itself. */
interface Recipe {
  soon: Statement[];
  later: Statement[];
}

/**
 * The list with recipes in place of what would block. A recipe that has nothing to do with the rest of the list runs before all
 * others: if its rows do not fit, nothing has been changed yet. Statements that need the result of a later step are put off with it.
 */
export function online(list: StatementList, context: OnlineContext): StatementList {
  const replaced = replacedIndexes(list.statements, context);
  const busy = busyTables(list.statements, context);
  const early: Statement[] = [];
  const soon: Statement[] = [];
  const later: Statement[] = [];
  const putOff = new Set<string>();
  const surroundings = new StatementDependencies(list.statements, context);
  for (const statement of list.statements) {
    const id = statement.id === undefined ? undefined : encodeId(statement.id);
    if (statement.op === "delete" && id !== undefined && replaced.has(id)) continue;
    const recipe = recipeFor(statement, context, id !== undefined && replaced.has(id));
    if (surroundings.needs(statement).some((needed) => putOff.has(needed))) {
      later.push(...recipe.soon, ...recipe.later);
      if (id !== undefined) putOff.add(id);
      continue;
    }
    const isApart = !busy.has(tableKey(statement, context)) && surroundings.isApart(statement);
    if (recipe.later.length > 0 && context.inOrder !== true && isApart) {
      early.push(...recipe.soon, ...recipe.later);
      continue;
    }
    soon.push(...recipe.soon);
    later.push(...recipe.later);
    if (recipe.later.length > 0 && recipe.soon.length === 0 && id !== undefined) putOff.add(id);
  }
  return { ...list, statements: [...early, ...soon, ...later] };
}

function tableKey({ id }: Statement, { live, desired }: OnlineContext): string {
  const table = id === undefined ? undefined : tableOf(id, live, desired);
  return table === undefined ? "" : encodeId(table);
}

/** Tables of which the list changes more than their indexes and constraints. */
function busyTables(statements: readonly Statement[], context: OnlineContext): Set<string> {
  const harmless = (statement: Statement): boolean =>
    statement.op === "create" && (statement.id?.kind === "index" || statement.id?.kind === "constraint");
  const dropped = (statement: Statement): boolean => statement.op === "delete" && statement.id?.kind === "index";
  const notNull = (statement: Statement): boolean => / SET NOT NULL$/.test(statement.sql);
  return new Set(
    statements
      .filter((statement) => !harmless(statement) && !dropped(statement) && !notNull(statement))
      .map((statement) => tableKey(statement, context)),
  );
}

/** Indexes that the list drops and makes again under the same name, on tables with rows. */
function replacedIndexes(statements: readonly Statement[], { live, desired, sizes }: OnlineContext): Set<string> {
  const dropped = new Set<string>();
  const replaced = new Set<string>();
  for (const { id, op } of statements) {
    if (
      id?.kind !== "index" ||
      rowsBehind(id, sizes, live, desired) === 0 ||
      isPartitioned(tableOf(id, live, desired), live)
    )
      continue;
    if (op === "delete") dropped.add(encodeId(id));
    else if (dropped.has(encodeId(id))) replaced.add(encodeId(id));
  }
  return replaced;
}

function recipeFor(statement: Statement, context: OnlineContext, isReplacement: boolean): Recipe {
  const { id, op } = statement;
  const { live, desired, sizes } = context;
  const asIs: Recipe = { soon: [statement], later: [] };
  if (id === undefined) return asIs;
  if (op === "create" && id.kind === "index") {
    if (rowsBehind(id, sizes, live, desired) === 0) return withoutLeftOver(statement, id, context);
    if (isPartitioned(tableOf(id, desired), live))
      return live.has(id) ? asIs : buildOnPartitions(statement, id, context);
    return {
      soon: [],
      later: isReplacement ? replaceIndex(statement, id, context) : buildIndex(statement, id, context),
    };
  }
  if (rowsBehind(id, sizes, live, desired) === 0) return asIs;
  if (op === "create" && id.kind === "constraint") return addConstraint(statement, id, context) ?? asIs;
  if (op === "update" && id.kind === "column" && becomesNotNull(statement, id, context))
    return setNotNull(statement, id, context);
  if (op === "create" && id.kind === "column") return addColumn(statement, id, context) ?? asIs;
  return asIs;
}

/** An index by name; schemas have one name space for tables and indexes. */
interface IndexId {
  schema: string;
  name: string;
}

const asId = ({ schema, name }: IndexId): StableId => ({ kind: "index", schema, name });

interface SubId {
  schema: string;
  table: string;
  name: string;
}

/** A step of a recipe: as the statement, but with other SQL. */
function step(statement: Statement, sql: string, change: Partial<Statement> = {}): Statement {
  return { ...statement, sql, ...change };
}

/** Runs by itself, for as long as it takes, and blocks neither readers nor writers. */
const alone = { transaction: "none", lock: "SHARE UPDATE EXCLUSIVE", work: "rows", rewrites: false } as const;

/** Stops everybody, but only for a moment. */
const brief = { transaction: "shared", lock: "ACCESS EXCLUSIVE", work: "catalog", rewrites: false } as const;

function withoutLeftOver(statement: Statement, id: IndexId, { invalidIndexes }: OnlineContext): Recipe {
  if (!invalidIndexes.has(encodeId(asId(id)))) return { soon: [statement], later: [] };
  const name = quoteQualified(id.schema, id.name);
  return {
    soon: [step(statement, `DROP INDEX ${name}`, { ...brief, op: "delete" }), statement],
    later: [],
  };
}

function buildIndex(statement: Statement, id: IndexId, context: OnlineContext): Statement[] {
  const leftOver = context.invalidIndexes.has(encodeId(asId(id)));
  const successor = successorOf(id);
  const finished = context.live.get(asId(successor));
  // A replacement that ended between dropping the old index and giving the new one its name.
  if (finished !== undefined && withName(text(finished, "def"), id) === statement.sql)
    return [rename(statement, successor, id)];
  return [
    ...(leftOver ? [dropConcurrently(statement, id)] : []),
    ...(finished === undefined && !context.invalidIndexes.has(encodeId(asId(successor)))
      ? []
      : [dropConcurrently(statement, successor)]),
    step(statement, concurrently(statement.sql), { ...alone, undo: undoBuild(id) }),
  ];
}

/**
 * The server cannot build an index of a partitioned table concurrently, but one of each partition, and takes those that are there
 * when the index of the whole table comes.
 */
function buildOnPartitions(
  statement: Statement,
  id: IndexId & StableId,
  { live, desired, invalidIndexes }: OnlineContext,
): Recipe {
  const table = tableOf(id, desired);
  // One that goes with the same plan needs no index.
  const staying = new Set(leavesOf(table, desired).map(({ schema, name }) => quoteQualified(schema, name)));
  const leaves = leavesOf(table, live).filter(({ schema, name }) => staying.has(quoteQualified(schema, name)));
  const parts = leaves.flatMap((part): Statement[] => {
    const own: IndexId = { schema: part.schema, name: shortened(`${part.name}_${id.name}`, LONGEST_NAME_BYTES) };
    const leftOver = live.has(asId(own)) || invalidIndexes.has(encodeId(asId(own)));
    const sql = concurrently(withName(statement.sql, own)).replace(
      TABLE_OF_INDEX,
      (_found, head: string) => `${head}${quoteQualified(part.schema, part.name)}`,
    );
    return [
      ...(leftOver ? [dropConcurrently(statement, own)] : []),
      step(statement, sql, { ...alone, undo: undoBuild(own) }),
    ];
  });
  return { soon: [], later: [...parts, step(statement, statement.sql, { work: "catalog" })] };
}

/** Up to the table that a definition of an index names. */
const TABLE_OF_INDEX =
  /^(CREATE (?:UNIQUE )?INDEX CONCURRENTLY (?:"(?:[^"]|"")+"|[^\s"]+) ON )(?:"(?:[^"]|"")+"|[^\s".]+)\.(?:"(?:[^"]|"")+"|[^\s".]+)/;

/** Without a moment in which neither the old index nor the new one is there. */
function replaceIndex(statement: Statement, id: IndexId, { live, invalidIndexes }: OnlineContext): Statement[] {
  const successor = successorOf(id);
  const leftOver = live.has(asId(successor)) || invalidIndexes.has(encodeId(asId(successor)));
  return [
    ...(leftOver ? [dropConcurrently(statement, successor)] : []),
    step(statement, concurrently(withName(statement.sql, successor)), { ...alone, undo: undoBuild(successor) }),
    dropConcurrently(statement, id),
    rename(statement, successor, id),
  ];
}

const concurrently = (sql: string): string =>
  sql.replace(/^CREATE (UNIQUE )?INDEX /, (found) => `${found}CONCURRENTLY `);

const undoBuild = ({ schema, name }: IndexId) => ({
  sql: `DROP INDEX CONCURRENTLY IF EXISTS ${quoteQualified(schema, name)}`,
  steps: 0,
});

function dropConcurrently(statement: Statement, id: IndexId): Statement {
  return step(statement, `DROP INDEX CONCURRENTLY IF EXISTS ${quoteQualified(id.schema, id.name)}`, {
    ...alone,
    op: "delete",
  });
}

function rename(statement: Statement, from: IndexId, to: IndexId): Statement {
  const sql = `ALTER INDEX ${quoteQualified(from.schema, from.name)} RENAME TO ${quoteIdent(to.name)}`;
  return step(statement, sql, { ...alone, work: "catalog", op: "update" });
}

/** The name under which the replacement of an index is built. */
function successorOf({ schema, name }: IndexId): IndexId {
  const suffix = "__pgstrata_new";
  return { schema, name: shortened(name, LONGEST_NAME_BYTES - suffix.length) + suffix };
}

function addConstraint(
  statement: Statement,
  id: SubId & StableId,
  { desired, live, invalidIndexes, majorVersion }: OnlineContext,
): Recipe | undefined {
  const fact = desired.get(id);
  const table = quoteQualified(id.schema, id.table);
  const name = quoteIdent(id.name);
  const def = text(fact, "def");
  switch (text(fact, "type")) {
    case "c":
    case "f":
      if (text(fact, "type") === "f" && isPartitioned(tableOf(id), live) && majorVersion < 18) return undefined; // the server refuses NOT VALID there
      if (fact?.payload.validated === false || / NOT VALID$/.test(def)) return undefined;
      return {
        soon: [step(statement, `${statement.sql} NOT VALID`, { work: "catalog" })],
        later: [
          step(statement, `ALTER TABLE ${table} VALIDATE CONSTRAINT ${name}`, {
            ...alone,
            op: "update",
            undo: { sql: `ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${name}`, steps: 1 },
          }),
        ],
      };
    case "u":
    case "p":
      return isPartitioned(tableOf(id), live) ? undefined : addUnique(statement, id, def, { live, invalidIndexes });
    default:
      return undefined;
  }
}

/** Undefined for forms that an index cannot be built for beforehand. */
function addUnique(
  statement: Statement,
  id: SubId & StableId,
  def: string,
  { live, invalidIndexes }: Pick<OnlineContext, "live" | "invalidIndexes">,
): Recipe | undefined {
  const form = /^(UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? (\([^()]*\))( INCLUDE \([^()]*\))?( DEFERRABLE.*)?$/.exec(
    def,
  );
  if (form === null) return undefined;
  const [, kind, nulls = "", columns = "", include = "", deferrable = ""] = form;
  const table = quoteQualified(id.schema, id.table);
  const index: IndexId = { schema: id.schema, name: id.name };
  const leftOver = invalidIndexes.has(encodeId(asId(index))) || live.has(asId(index));
  return {
    soon: [],
    later: [
      ...(leftOver ? [dropConcurrently(statement, index)] : []),
      step(
        statement,
        `CREATE UNIQUE INDEX CONCURRENTLY ${quoteIdent(id.name)} ON ${table} ${columns}${include}${nulls}`,
        { ...alone, undo: undoBuild(index) },
      ),
      step(
        statement,
        `ALTER TABLE ${table} ADD CONSTRAINT ${quoteIdent(id.name)} ${kind} USING INDEX ${quoteIdent(id.name)}${deferrable}`,
        brief,
      ),
    ],
  };
}

function becomesNotNull(statement: Statement, id: StableId, { live, desired }: OnlineContext): boolean {
  return (
    live.get(id)?.payload.notNull === false &&
    desired.get(id)?.payload.notNull === true &&
    / SET NOT NULL$/.test(statement.sql)
  );
}

/**
 * A validated check spares the server the scan that it would otherwise make under the strongest lock. A mark that is there already was
 * left by a run that ended in between: rows of a new column may then still lack their value. The check comes after they have it,
 * because it would refuse every change of a row that has none yet.
 */
function setNotNull(statement: Statement, id: SubId & StableId, { live, desired }: OnlineContext): Recipe {
  const table = quoteQualified(id.schema, id.table);
  const [check, mark] = [notNullCheck(id, desired), fillMark(id, desired)];
  const has = (name: string): boolean => live.has({ kind: "constraint", schema: id.schema, table: id.table, name });
  const [isMarked, isChecked] = [has(mark), has(check)];
  const add = step(
    statement,
    `ALTER TABLE ${table} ADD CONSTRAINT ${quoteIdent(check)} CHECK (${quoteIdent(id.name)} IS NOT NULL) NOT VALID`,
    brief,
  );
  const dropped = [check, ...(isMarked ? [mark] : [])].map((name) => `DROP CONSTRAINT ${quoteIdent(name)}`);
  const steps: Statement[] = [
    step(statement, `ALTER TABLE ${table} VALIDATE CONSTRAINT ${quoteIdent(check)}`, {
      ...alone,
      op: "update",
      undo: { sql: `ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${quoteIdent(check)}`, steps: isChecked ? 0 : 1 },
    }),
    step(statement, [statement.sql, ...dropped].join(", "), brief),
  ];
  const adding = isChecked ? [] : [add];
  return isMarked ? { soon: [], later: [fillIn(statement, id), ...adding, ...steps] } : { soon: adding, later: steps };
}

/** As the catalog prints it; empty without one. */
function defaultOf({ schema, table, name }: SubId, { desired }: OnlineContext): string {
  return text(desired.get({ kind: "default", schema, table, name }), "expr");
}

function fillIn(statement: Statement, id: SubId): Statement {
  const table = quoteQualified(id.schema, id.table);
  const column = quoteIdent(id.name);
  return step(statement, `UPDATE ${table} SET ${column} = DEFAULT WHERE ${column} IS NULL`, {
    ...alone,
    op: "update",
    lock: "none",
    backfill: { table, column },
  });
}

/**
 * A default that has another value in each row is filled in by batches; a constant one is a matter of the catalog. Only for a column
 * that demands a value: in another one nobody could tell the rows that are still to be filled in from those that are meant to have
 * no value. A mark that comes with the column tells the next run, should this one end in between.
 */
function addColumn(statement: Statement, id: SubId & StableId, context: OnlineContext): Recipe | undefined {
  const expression = defaultOf(id, context);
  const { notNull, identity, generatedExpr } = context.desired.get(id)?.payload ?? {};
  if (notNull !== true || identity || generatedExpr) return undefined;
  if (expression === "" || !isVolatileDefault(expression)) return undefined;
  const table = `ALTER TABLE ${quoteQualified(id.schema, id.table)}`;
  const column = quoteIdent(id.name);
  const head = `${table} ADD COLUMN ${column} `;
  const tail = ` NOT NULL DEFAULT ${expression}`;
  if (!statement.sql.startsWith(head) || !statement.sql.endsWith(tail)) return undefined;
  const bare = statement.sql.slice(0, -tail.length);
  const mark = quoteIdent(fillMark(id, context.desired));
  const change = { ...brief, op: "update" } as const;
  const required = setNotNull(step(statement, `${table} ALTER COLUMN ${column} SET NOT NULL`, change), id, context);
  return {
    soon: [
      step(statement, bare, brief),
      step(statement, `${table} ALTER COLUMN ${column} SET DEFAULT ${expression}`, change),
      step(statement, `${table} ADD CONSTRAINT ${mark} CHECK (${column} IS NOT NULL OR true) NOT VALID`, change),
    ],
    later: [
      fillIn(statement, id),
      ...required.soon,
      ...required.later,
      step(statement, `${table} DROP CONSTRAINT ${mark}`, change),
    ],
  };
}
