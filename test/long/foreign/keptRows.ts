/** The rows of a small database before and after a change, and which values of them differ. */
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import type { TestDatabase } from "../../support/database.ts";
import type { Change } from "./foreignSchema.ts";

interface Column {
  table: string;
  name: string;
  type: string;
  isGenerated: boolean;
}

interface Table {
  columns: Map<string, Column>;
  /** Each value as a text; in no order. */
  rows: Record<string, string | null>[];
}

/** By `schema.table`; partitions count as rows of the table that they are of. */
export type Rows = Map<string, Table>;

const COLUMNS = `
  select n.nspname || '.' || c.relname as "table", a.attname as name,
         pg_catalog.format_type(a.atttypid, a.atttypmod) as type, a.attgenerated <> '' as "isGenerated"
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
   where c.relkind in ('r', 'p') and not c.relispartition
     and n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'
     and not exists (select from pg_catalog.pg_depend d
                      where d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objid = c.oid and d.deptype = 'e')
   order by c.oid, a.attnum`;

export async function rowsOf({ query }: TestDatabase): Promise<Rows> {
  const rows: Rows = new Map();
  for (const column of await query<Column>(COLUMNS)) {
    const table = rows.get(column.table) ?? { columns: new Map(), rows: [] };
    table.columns.set(column.name, column);
    rows.set(column.table, table);
  }
  for (const [name, table] of rows) {
    const values = [...table.columns.keys()].map((column) => `${quoteIdent(column)}::text`).join(", ");
    const from = name.split(".").map(quoteIdent).join(".");
    table.rows = await query(`select ${values} from ${from}`);
  }
  return rows;
}

export const countOf = (rows: Rows): number => [...rows.values()].reduce((sum, table) => sum + table.rows.length, 0);

/**
 * What was lost or changed: of tables that both have the number of rows, and the values of columns that both
 * have with one type.
 */
export function differences(
  before: Rows,
  after: Rows,
  { renamed = {}, movesRowsOf = [] }: Pick<Change, "renamed" | "movesRowsOf"> = {},
): string[] {
  return [...before].flatMap(([name, old]) => {
    const now = after.get(renamed[name] ?? name);
    if (now === undefined || movesRowsOf.includes(name)) return [];
    if (now.rows.length !== old.rows.length) return [`${name}: ${old.rows.length} rows became ${now.rows.length}`];
    const kept = [...old.columns.values()].flatMap((column) => {
      const [newName = column.name] = (renamed[`${name}.${column.name}`] ?? column.name).split(".").reverse();
      const other = now.columns.get(newName);
      const isSame = other?.type === column.type && !column.isGenerated && !other.isGenerated;
      return isSame ? [{ from: column.name, to: newName }] : [];
    });
    const print = (rows: Table["rows"], side: "from" | "to"): string =>
      rows
        .map((row) => JSON.stringify(kept.map((column) => row[column[side]])))
        .sort()
        .join("\n");
    return print(old.rows, "from") === print(now.rows, "to") ? [] : [`${name}: values differ`];
  });
}
