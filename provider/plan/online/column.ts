/**
 * Columns that become NOT NULL or an identity, or are added and filled, without a scan or copy under a lock.
 * Batches are run by `apply/backfill.ts`.
 */
import { identityOf } from "../../catalog/identity.ts";
import { isOwnColumn } from "../../catalog/inheritance.ts";
import { encodeId, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import { rowsBehind, text } from "../../catalog/tables.ts";
import { columnChange } from "../columnSteps.ts";
import { type Conversion, type Conversions, namesIn } from "../conversions.ts";
import { fillMark, notNullCheck } from "../recipeConstraints.ts";
import type { Statement } from "../statement.ts";
import { isVolatileDefault } from "../volatileDefault.ts";
import { brief, type OnlineContext, type Recipe, type SubId, standalone, step } from "./recipe.ts";

export function becomesNotNull(statement: Statement, id: StableId, { live, desired }: OnlineContext): boolean {
  if (statement.isAtOnce === true) return false;
  const [was, is] = [live.get(id), desired.get(id)];
  // An inherited column is a fact only where it differs from that of the parent.
  const isNew = is !== undefined && isOwnColumn(is) && was?.payload.notNull !== true;
  return (
    (was?.payload.notNull === false || isNew) && is?.payload.notNull === true && / SET NOT NULL$/.test(statement.sql)
  );
}

/**
 * A validated check spares the server the scan that it would otherwise make under the strongest lock. A mark
 * that is there already was left by a run that ended in between: rows of a new column may then still lack
 * their value. The check comes after they have it, because it would refuse every change of a row that has
 * none yet.
 */
export function setNotNull(
  statement: Statement,
  id: SubId & StableId,
  { live, desired, conversions }: OnlineContext,
): Recipe {
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
      ...standalone,
      op: "update",
      undo: { sql: `ALTER TABLE ${table} DROP CONSTRAINT IF EXISTS ${quoteIdent(check)}`, steps: isChecked ? 0 : 1 },
    }),
    step(statement, [statement.sql, ...dropped].join(", "), brief),
  ];
  const adding = isChecked ? [] : [add];
  const conversion = conversions.get(encodeId(id));
  const isFilledIn = isMarked || (conversion !== undefined && isOfEmptyValues(id, conversion));
  return isFilledIn
    ? { soon: [], later: [fillIn(statement, id, conversions), ...adding, ...steps] }
    : { soon: adding, later: steps };
}

/** One that reads the column itself is of a change of its type. */
const isOfEmptyValues = (id: SubId, conversion: Conversion): boolean => !namesIn(conversion).has(id.name);

/** The same within the transaction, where the values that are read change there. */
export function setNotNullAtOnce(
  statement: Statement,
  id: SubId & StableId,
  { live, desired, conversions }: OnlineContext,
): Statement[] {
  const conversion = conversions.get(encodeId(id));
  if (conversion === undefined || !isOfEmptyValues(id, conversion)) return [statement];
  const [table, column] = [quoteQualified(id.schema, id.table), quoteIdent(id.name)];
  const helpers = [notNullCheck(id, desired), fillMark(id, desired)].filter((name) =>
    live.has({ kind: "constraint", schema: id.schema, table: id.table, name }),
  );
  const dropped = helpers.map((name) => `DROP CONSTRAINT ${quoteIdent(name)}`);
  return [
    step(statement, `UPDATE ${table} SET ${column} = (${conversion.expression}) WHERE ${column} IS NULL`, {
      lock: "ACCESS EXCLUSIVE",
      rewrites: true,
      work: "rows",
    }),
    step(statement, [statement.sql, ...dropped].join(", "), { isAtOnce: true }),
  ];
}

/** What runs in place of a statement, and the sequence that comes with it. */
interface Waiting {
  together: Statement[];
  sequence?: StableId;
}

/**
 * Columns that become an identity once they are NOT NULL by a recipe. Their default goes in the same moment:
 * without it a new row would have no value in between.
 */
export function identitiesAfterNotNull(
  statements: readonly Statement[],
  context: OnlineContext,
): Map<Statement, Waiting> {
  const waiting = new Map<Statement, Waiting>();
  const of = (column: string, form: RegExp): Statement | undefined =>
    statements.find(({ sql }) => {
      const found = columnChange(sql);
      return found?.column === column && form.test(found.change);
    });
  for (const statement of statements) {
    const { column, change } = columnChange(statement.sql) ?? { column: "", change: "" };
    const { id } = statement;
    const required = change.startsWith("ADD GENERATED ") ? of(column, /^SET NOT NULL$/) : undefined;
    if (id?.kind !== "column" || required === undefined || !becomesNotNull(required, id, context)) continue;
    if (rowsBehind(id, context.sizes, context.live, context.desired) === 0) continue;
    const droppedDefault = of(column, /^TYPE /) === undefined ? of(column, /^DROP DEFAULT$/) : undefined;
    const { sequence } = identityOf(id, context.desired) ?? {};
    waiting.set(statement, {
      together: [...(droppedDefault === undefined ? [] : [droppedDefault]), statement],
      ...(sequence === undefined ? {} : { sequence }),
    });
    if (droppedDefault !== undefined) waiting.set(droppedDefault, { together: [] });
  }
  return waiting;
}

/** As the catalog prints it; empty without one. */
function defaultOf({ schema, table, name }: SubId, { desired }: OnlineContext): string {
  return text(desired.get({ kind: "default", schema, table, name }), "expr");
}

function fillIn(statement: Statement, id: SubId & StableId, conversions: Conversions): Statement {
  const table = quoteQualified(id.schema, id.table);
  const column = quoteIdent(id.name);
  const expression = conversions.get(encodeId(id))?.expression;
  const value = expression === undefined ? "DEFAULT" : `(${expression})`;
  return step(statement, `UPDATE ${table} SET ${column} = ${value} WHERE ${column} IS NULL`, {
    ...standalone,
    op: "update",
    lock: "none",
    backfill: { table, column, ...(expression === undefined ? {} : { expression }) },
  });
}

/**
 * A default that has another value in each row, and a conversion, is filled in by batches; a constant default
 * is a matter of the catalog. Only for a column that demands a value: in another one it could not be told the
 * rows that are still to be filled in from those that are meant to have no value. A mark that comes with the
 * column tells the next run, should this one end in between.
 */
export function addColumn(statement: Statement, id: SubId & StableId, context: OnlineContext): Recipe | undefined {
  const expression = defaultOf(id, context);
  const { notNull, identity, generatedExpr } = context.desired.get(id)?.payload ?? {};
  if (notNull !== true || identity || generatedExpr) return undefined;
  const isConverted = context.conversions.has(encodeId(id));
  if (!isConverted && (expression === "" || !isVolatileDefault(expression))) return undefined;
  const table = `ALTER TABLE ${quoteQualified(id.schema, id.table)}`;
  const column = quoteIdent(id.name);
  const head = `${table} ADD COLUMN ${column} `;
  const tail = ` NOT NULL${expression === "" ? "" : ` DEFAULT ${expression}`}`;
  if (!statement.sql.startsWith(head) || !statement.sql.endsWith(tail)) return undefined;
  const bare = statement.sql.slice(0, -tail.length);
  const mark = quoteIdent(fillMark(id, context.desired));
  const change = { ...brief, op: "update" } as const;
  const required = setNotNull(step(statement, `${table} ALTER COLUMN ${column} SET NOT NULL`, change), id, context);
  return {
    soon: [
      step(statement, bare, brief),
      ...(expression === ""
        ? []
        : [step(statement, `${table} ALTER COLUMN ${column} SET DEFAULT ${expression}`, change)]),
      step(statement, `${table} ADD CONSTRAINT ${mark} CHECK (${column} IS NOT NULL OR true) NOT VALID`, change),
    ],
    later: [
      ...(isConverted ? [] : [fillIn(statement, id, context.conversions)]),
      ...required.soon,
      ...required.later,
      step(statement, `${table} DROP CONSTRAINT ${mark}`, change),
    ],
  };
}
