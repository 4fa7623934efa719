/**
 * Tables and columns that were dropped from a layer's files with their rows, and are kept for some days. They
 * carry a mark and are no facts, so no plan, drift or destroy has to do with them. Retiring them and taking
 * them back is left to `plan/kept/`.
 */
import { z } from "zod";
import { splitName } from "./kinds/kind.ts";
import { baseOf } from "./kinds/kinds.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "./pgDelta.ts";
import { type ColumnId, columnId, tableId } from "./tables.ts";

/** What the names of kept columns, and of the schemas of kept tables, begin with; the date follows. */
export const KEPT_PREFIX = "pgstrata_kept_";

/** One row for each schema and each column with such a name; its text is the comment on it. */
export const KEPT = `
  select 'kept', n.nspname, '', '', pg_catalog.obj_description(n.oid, 'pg_namespace')
    from pg_catalog.pg_namespace n where pg_catalog.starts_with(n.nspname::pg_catalog.text, '${KEPT_PREFIX}')
  union all
  select 'kept', n.nspname, c.relname, a.attname, pg_catalog.col_description(a.attrelid, a.attnum)
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
     and pg_catalog.starts_with(a.attname::pg_catalog.text, '${KEPT_PREFIX}')`;

/** A day as ISO 8601: `2026-12-28`. */
const day = z.string().regex(/^\d{4}-\d\d-\d\d$/);

const schemaNote = z.object({
  layer: z.string(),
  schema: z.string(),
  until: day,
  /** Names of tables that the layer had found, and not made. */
  adopted: z.array(z.string()),
});

const columnNote = z.object({ layer: z.string(), column: z.string(), until: day, adopted: z.boolean() });

/** A schema of ours that holds tables of one schema under the names that they had there. */
export type KeptSchema = z.infer<typeof schemaNote> & { name: string };

/** A column under another name, in its table. */
export type KeptColumn = z.infer<typeof columnNote> & { id: ColumnId };

/** What is kept in a database. */
export interface Kept {
  schemas: readonly KeptSchema[];
  columns: readonly KeptColumn[];
  /** The facts of the database with those of what is kept; undefined where nothing is. */
  whole: FactBase | undefined;
}

export const NOTHING_KEPT: Kept = { schemas: [], columns: [], whole: undefined };

/** The comment on a schema of ours. */
export const schemaNoteOf = ({ layer, schema, until, adopted }: Omit<KeptSchema, "name">): string =>
  JSON.stringify({ layer, schema, until, adopted });

/** The comment on a kept column. */
export const columnNoteOf = ({ layer, column, until, adopted }: Omit<KeptColumn, "id">): string =>
  JSON.stringify({ layer, column, until, adopted });

interface Marked {
  schema: string;
  table: string;
  name: string;
  text: string | null;
}

/** What of the marked things is ours: one of such a name with another comment is not. */
export function keptFrom(rows: readonly Marked[]): Omit<Kept, "whole"> {
  const schemas: KeptSchema[] = [];
  const columns: KeptColumn[] = [];
  for (const { schema, table, name, text } of rows) {
    const note = asJson(text);
    if (table === "") {
      const found = schemaNote.safeParse(note);
      if (found.success) schemas.push({ ...found.data, name: schema });
    } else {
      const found = columnNote.safeParse(note);
      if (found.success) columns.push({ ...found.data, id: columnId(tableId(schema, table), name) });
    }
  }
  return { schemas, columns };
}

function asJson(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "");
  } catch {
    return undefined;
  }
}

/** Encoded ids of all that is kept, with what hangs on it. */
export function factsOfKept({ schemas, columns }: Omit<Kept, "whole">, facts: readonly Fact[]): Set<string> {
  const found = new Set<string>();
  if (schemas.length + columns.length === 0) return found;
  const names = new Set(schemas.map(({ name }) => name));
  const keys = new Set(columns.map(({ id }) => encodeId(id)));
  const known = new Map(facts.map((fact) => [encodeId(fact.id), fact]));
  const isPart = ({ id, parent }: Fact): boolean => {
    const isOwn = isIn(id, names) || columnsOf(id).some((column) => keys.has(encodeId(column)));
    const above = parent === undefined ? undefined : known.get(encodeId(parent));
    return isOwn || (above !== undefined && isPart(above));
  };
  for (const fact of facts) if (isPart(fact)) found.add(encodeId(fact.id));
  return found;
}

/** Whether something is one of these schemas, in one, or on something in one. */
function isIn(id: StableId, schemas: ReadonlySet<string>): boolean {
  if ("target" in id) return isIn(id.target, schemas);
  if (id.kind === "schema") return schemas.has(id.name);
  if (id.kind === "extensionIntent") return baseOf(id) !== undefined && schemas.has(splitName(id.key)[0] ?? "");
  return "schema" in id && id.schema !== null && schemas.has(id.schema);
}

/** The column that something is, or is on. */
function columnsOf(id: StableId): ColumnId[] {
  if (id.kind === "column") return [columnId(tableId(id.schema, id.table), id.name)];
  if (id.kind === "acl" && id.column !== undefined && id.target.kind === "table")
    return [columnId(tableId(id.target.schema, id.target.name), id.column)];
  if (id.kind === "extensionIntent" && baseOf(id) === "column") {
    const [schema = "", table = "", name = ""] = splitName(id.key);
    return [columnId(tableId(schema, table), name)];
  }
  return [];
}
