/** A unique index that becomes a constraint of the same name: the server takes it over as it stands. */
import { isPartitioned } from "../catalog/partitions.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import { tableOf, text } from "../catalog/tables.ts";
import type { Statement } from "./statement.ts";

/** A key as `pg_get_constraintdef` prints it, in the parts that an index for it is made of. */
export interface KeyForm {
  kind: string;
  nulls: string;
  columns: string;
  include: string;
  deferrable: string;
}

/** Undefined for forms that an index cannot be made for beforehand. */
export function keyForm(def: string): KeyForm | undefined {
  const form = /^(UNIQUE|PRIMARY KEY)( NULLS NOT DISTINCT)? (\([^()]*\))( INCLUDE \([^()]*\))?( DEFERRABLE.*)?$/.exec(
    def,
  );
  const [, kind = "", nulls = "", columns = "", include = "", deferrable = ""] = form ?? [];
  return form === null ? undefined : { kind, nulls, columns, include, deferrable };
}

/**
 * In place of the drop of an index and a new constraint of its name, one statement that makes the one of the
 * other, where the index is what the constraint would build. Otherwise the name has to be free first.
 */
export function withKeysFromIndexes(statements: readonly Statement[], live: FactBase, desired: FactBase): Statement[] {
  const drops = new Map(
    statements.flatMap((statement) =>
      statement.op === "delete" && statement.id?.kind === "index" ? [[encodeId(statement.id), statement]] : [],
    ),
  );
  const keys = new Map<Statement, Statement>();
  for (const statement of statements) {
    const drop = statement.op === "create" ? drops.get(encodeId(indexOf(statement.id) ?? NO_INDEX)) : undefined;
    if (drop !== undefined) keys.set(statement, drop);
  }
  if (keys.size === 0) return [...statements];
  const moved = new Set(keys.values());
  return statements.flatMap((statement) => {
    const drop = keys.get(statement);
    if (drop !== undefined) return takingOver(statement, live, desired) ?? [drop, statement];
    return moved.has(statement) ? [] : [statement];
  });
}

const NO_INDEX: StableId = { kind: "index", schema: "", name: "" };

const indexOf = (id: StableId | undefined): StableId | undefined =>
  id?.kind === "constraint" ? { kind: "index", schema: id.schema, name: id.name } : undefined;

function takingOver(statement: Statement, live: FactBase, desired: FactBase): Statement[] | undefined {
  const { id } = statement;
  const index = indexOf(id);
  if (id?.kind !== "constraint" || index === undefined) return undefined;
  const form = keyForm(text(desired.get(id), "def"));
  const table = tableOf(id);
  const fact = live.get(index);
  if (form === undefined || table === undefined || isPartitioned(table, live)) return undefined;
  if (fact?.parent === undefined || encodeId(fact.parent) !== encodeId(table)) return undefined;
  const { kind, columns, include, nulls, deferrable } = form;
  const def = text(fact, "def");
  const isSame = def.startsWith("CREATE UNIQUE INDEX ") && def.endsWith(` USING btree ${columns}${include}${nulls}`);
  if (!isSame) return undefined;
  const name = quoteIdent(id.name);
  const sql = `ALTER TABLE ${quoteQualified(id.schema, id.table)} ADD CONSTRAINT ${name} ${kind} USING INDEX ${name}${deferrable}`;
  return [{ ...statement, sql, work: "catalog" }];
}
