/**
 * Partitions that are attached or detached without a scan under a lock: a check on them, and one on the
 * default partition, is validated beforehand. Other links are in `links.ts`.
 */
import { inheritanceOf, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { asTable, rowsBehind, type TableId, text } from "../../catalog/tables.ts";
import { brief, type OnlineContext, type Recipe, standalone, step } from "../online/recipe.ts";
import { boundCheck } from "../recipeConstraints.ts";
import type { Statement } from "../statement.ts";
import { defaultPartitionOf } from "./links.ts";

/** A check that proves to the server what it would otherwise read all rows for. */
interface Proof {
  add: Statement;
  validate: Statement;
  drop: Statement;
}

/**
 * Statements that part tables or join them; what can be done beforehand comes first.
 *
 * @see https://www.postgresql.org/docs/current/ddl-partitioning.html
 */
export function onlineLinks(
  statements: readonly Statement[],
  context: OnlineContext,
): { ahead: Statement[]; statements: Statement[] } {
  const recipes = statements.map((statement) => recipeOf(statement, context));
  const proofs = recipes.flatMap(({ proofs }) => proofs);
  return {
    ahead: [
      ...recipes.flatMap(({ first }) => first),
      ...proofs.map(({ add }) => add),
      ...proofs.map(({ validate }) => validate),
    ],
    statements: [...recipes.flatMap(({ statements }) => statements), ...proofs.map(({ drop }) => drop)],
  };
}

interface LinkRecipe {
  /** By itself, before all others. */
  first: Statement[];
  proofs: Proof[];
  statements: Statement[];
}

function recipeOf(statement: Statement, context: OnlineContext): LinkRecipe {
  const table = asTable(statement.id);
  const asIs: LinkRecipe = { first: [], proofs: [], statements: [statement] };
  if (table === undefined) return asIs;
  if (/ DETACH PARTITION (?!.* FINALIZE$)/.test(statement.sql))
    return isDetachedForGood(table, context) ? detachConcurrently(statement, table, context) : asIs;
  if (!/ ATTACH PARTITION /.test(statement.sql)) return asIs;
  const own = hasRows(table, context) ? proofOfBound(statement, table, context) : undefined;
  const others = proofOfDefault(statement, table, context);
  const unproven = hasRows(table, context) && own === undefined ? [table] : [];
  const scans = [...unproven, ...others.unproven];
  return {
    first: [],
    proofs: [...(own ?? []), ...others.proofs].flat(),
    statements: [scans.length === 0 ? statement : { ...statement, work: "rows", scans }],
  };
}

const hasRows = (table: TableId, { sizes, live, desired }: OnlineContext): boolean =>
  rowsBehind(table, sizes, live, desired) > 0;

/**
 * The server adds a check of the bound to what it detaches concurrently, under a name of its own, unless
 * there is one. It refuses the form beside a default partition.
 */
function isDetachedForGood(table: TableId, context: OnlineContext): boolean {
  const { live, desired, inOrder } = context;
  const [parent] = parentsOf(live.get(table));
  if (inOrder === true || parent === undefined || parentsOf(desired.get(table)).length > 0) return false;
  return (
    hasRows(table, context) && defaultPartitionOf(parent, live) === undefined && conditionOf(table, live) !== undefined
  );
}

function detachConcurrently(statement: Statement, table: TableId, context: OnlineContext): LinkRecipe {
  const name = boundCheck(table);
  const isLeftOver = context.live.has({ kind: "constraint", schema: table.schema, table: table.name, name });
  const proof = proofThat(conditionOf(table, context.live) ?? "true", { statement, on: table, of: table, context });
  return {
    first: [
      proof.add,
      proof.validate,
      step(statement, `${statement.sql} CONCURRENTLY`, { ...standalone, locksToo: [] }),
      ...(isLeftOver ? [] : [proof.drop]),
    ],
    proofs: [],
    statements: [],
  };
}

function proofOfBound(statement: Statement, table: TableId, context: OnlineContext): Proof[] | undefined {
  const condition = conditionOf(table, context.desired);
  return condition === undefined ? undefined : [proofThat(condition, { statement, on: table, of: table, context })];
}

/**
 * What holds for the rows of a partition, where that can be said in a check: what a default partition holds
 * depends on all the others.
 */
export function conditionOf(table: TableId, facts: FactBase): string | undefined {
  const fact = facts.get(table);
  const condition = inheritanceOf(fact)?.condition ?? undefined;
  if (text(fact, "partitionBound") === "DEFAULT" || condition?.includes("satisfies_hash_partition(")) return undefined;
  return condition;
}

/**
 * Rows of the default partition may belong to one that comes; the server reads them all to see that none
 * does.
 */
function proofOfDefault(
  statement: Statement,
  table: TableId,
  context: OnlineContext,
): { proofs: Proof[]; unproven: TableId[] } {
  const [parent] = parentsOf(context.desired.get(table));
  const rest = parent === undefined ? undefined : defaultPartitionOf(parent, context.live);
  const isOther =
    rest !== undefined &&
    encodeId(rest) !== encodeId(table) &&
    text(context.desired.get(rest), "partitionBound") === "DEFAULT";
  if (!isOther || parent === undefined || !hasRows(rest, context)) return { proofs: [], unproven: [] };
  const condition = parentsOf(context.desired.get(parent)).length > 0 ? undefined : conditionOf(table, context.desired);
  if (condition === undefined) return { proofs: [], unproven: [rest] };
  return { proofs: [proofThat(`NOT (${condition})`, { statement, on: rest, of: table, context })], unproven: [] };
}

interface ProofContext {
  statement: Statement;
  /** The table whose rows are checked. */
  on: TableId;
  /** The partition whose bound it is. */
  of: TableId;
  context: OnlineContext;
}

function proofThat(condition: string, { statement, on, of, context }: ProofContext): Proof {
  const table = `ALTER TABLE ${quoteQualified(on.schema, on.name)}`;
  const name = boundCheck(of);
  const isThere = context.live.has({ kind: "constraint", schema: on.schema, table: on.name, name });
  const drop = `DROP CONSTRAINT ${quoteIdent(name)}`;
  const about = { id: on, object: describe(on), subject: describe(on), locksToo: [] };
  const add = `ADD CONSTRAINT ${quoteIdent(name)} CHECK (${condition}) NOT VALID`;
  return {
    add: step(statement, `${table} ${isThere ? `${drop}, ` : ""}${add}`, { ...brief, ...about }),
    validate: step(statement, `${table} VALIDATE CONSTRAINT ${quoteIdent(name)}`, {
      ...standalone,
      ...about,
      undo: { sql: `${table} DROP CONSTRAINT IF EXISTS ${quoteIdent(name)}`, steps: 1 },
    }),
    drop: step(statement, `${table} ${drop}`, { ...brief, ...about }),
  };
}

/** A new partition beside a default one that has rows. */
export function addPartition(statement: Statement, context: OnlineContext): Recipe | undefined {
  const table = asTable(statement.id);
  if (table === undefined || text(context.desired.get(table), "partitionBound") === "") return undefined;
  const { proofs, unproven } = proofOfDefault(statement, table, context);
  if (unproven.length > 0) return { soon: [{ ...statement, work: "rows", scans: unproven }], later: [] };
  const op = "update" as const;
  return proofs.length === 0
    ? undefined
    : {
        soon: [],
        later: [
          ...proofs.flatMap(({ add, validate }) => [
            { ...add, op },
            { ...validate, op },
          ]),
          statement,
          ...proofs.map(({ drop }) => ({ ...drop, op })),
        ],
      };
}
