/**
 * The statements that change one column, in the order that the server demands: the planner sorts them by the
 * names of the attributes, so that an identity comes before its NOT NULL and a default before its type.
 */
import { identityOf } from "../catalog/identity.ts";
import { ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, parseId } from "../catalog/pgDelta.ts";
import type { Statement } from "./statement.ts";

/** `ALTER TABLE … ALTER COLUMN …` in its parts; names are quoted, as the planner writes them. */
const CHANGE = /^ALTER (?:FOREIGN )?TABLE ((?:"(?:[^"]|"")+"\.?)+) ALTER COLUMN ("(?:[^"]|"")+") (.*)$/s;

/**
 * What an identity takes the place of goes first. A default is of the new type, and an identity demands
 * NOT NULL.
 */
const ORDER: readonly RegExp[] = [
  /^DROP IDENTITY$/,
  /^DROP DEFAULT$/,
  /^TYPE /,
  /^(SET|DROP) NOT NULL$/,
  /^ADD GENERATED /,
  /^SET DEFAULT /,
];

/** The column that a statement changes, with its table, and how; undefined for any other statement. */
export function columnChange(sql: string): { column: string; change: string } | undefined {
  const [, table, column, change] = CHANGE.exec(sql) ?? [];
  return change === undefined ? undefined : { column: `${table}.${column}`, change };
}

/** @param desired the facts that the statements lead to. */
export function withColumnStepsInOrder(statements: readonly Statement[], desired: FactBase): Statement[] {
  let ordered = withoutRepetition(statements);
  const columns = new Set(ordered.flatMap((statement) => stepOf(statement)?.column ?? []));
  for (const column of columns) ordered = sorted(ordered, column, desired);
  return ordered;
}

function stepOf({ sql }: Statement): { column: string; rank: number } | undefined {
  const found = columnChange(sql);
  const rank = found === undefined ? -1 : ORDER.findIndex((form) => form.test(found.change));
  return found === undefined || rank === -1 ? undefined : { column: found.column, rank };
}

/** A default comes with the new type of its column, and once more as a change of its own. */
function withoutRepetition(statements: readonly Statement[]): Statement[] {
  const last = new Map(statements.map((statement, n) => [statement.sql, n]));
  return statements.filter((statement, n) => stepOf(statement) === undefined || last.get(statement.sql) === n);
}

/** Each step that stands before one of a lower rank moves behind it, and takes along what needs it. */
function sorted(statements: readonly Statement[], column: string, desired: FactBase): Statement[] {
  let ordered = [...statements];
  const steps = ordered.flatMap((statement) => {
    const step = stepOf(statement);
    return step?.column === column ? [{ statement, rank: step.rank }] : [];
  });
  for (const { statement, rank } of steps.toSorted((a, b) => a.rank - b.rank)) {
    const earlier = steps.filter((other) => other.rank < rank);
    const end = Math.max(-1, ...earlier.map((other) => ordered.indexOf(other.statement)));
    if (end > ordered.indexOf(statement)) ordered = movedBehind(ordered, statement, end, desired);
  }
  return ordered;
}

function movedBehind(statements: readonly Statement[], moved: Statement, end: number, desired: FactBase): Statement[] {
  const start = statements.indexOf(moved);
  const sequence = moved.id === undefined ? undefined : identityOf(moved.id, desired)?.sequence;
  const made = new Set(sequence === undefined ? [] : [encodeId(sequence)]);
  const [staying, moving]: [Statement[], Statement[]] = [[], [moved]];
  for (const statement of statements.slice(start + 1, end + 1)) {
    const needs = statement.consumes.some((id) => made.has(id) || made.has(encodeId(ownerObject(parseId(id)))));
    if (needs && statement.id !== undefined) made.add(encodeId(statement.id));
    (needs ? moving : staying).push(statement);
  }
  return [...statements.slice(0, start), ...staying, ...moving, ...statements.slice(end + 1)];
}
