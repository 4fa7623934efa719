/** How a new table with parents is made. What it has of them is known from the facts of the table itself. */
import { inheritanceOf } from "../../catalog/inheritance.ts";
import type { FactBase } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../catalog/quote.ts";
import type { Statement } from "../statement.ts";

/**
 * The planner names one parent, and no column that a parent has as well. Both say what a column of the parent
 * that is dropped leaves behind, and in which order columns come.
 */
export function withAllParents(statement: Statement, desired: FactBase): Statement {
  const { id, sql } = statement;
  const tail = / INHERITS \((?:"(?:[^"]|"")+"\.?)+\)$/.exec(sql)?.[0];
  const its = id === undefined ? undefined : inheritanceOf(desired.get(id));
  if (tail === undefined || its === undefined || !/^CREATE (UNLOGGED )?TABLE /.test(sql)) return statement;
  const local = its.columns
    .filter(({ isInherited, isLocal }) => isInherited && isLocal)
    .map(({ name, payload }) => `${quoteIdent(name)} ${payload.type}${collated(payload.collation)}`);
  const open = sql.indexOf('" (') + 3;
  const own = sql.slice(open, -tail.length - 1);
  const columns = [...local, ...(own === "" ? [] : [own])].join(", ");
  const parents = [...its.parents].sort((one, other) => one.place - other.place);
  const names = parents.map(({ schema, name }) => quoteQualified(schema, name));
  return { ...statement, sql: `${sql.slice(0, open)}${columns}) INHERITS (${names.join(", ")})` };
}

const collated = (collation: string | null): string => (collation === null ? "" : ` COLLATE ${collation}`);
