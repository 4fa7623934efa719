/**
 * Ids of tables and columns, and which table an object is part of, with its size. Sizes are read by
 * `plan/tableSizes.ts`.
 */
import { splitName } from "./kinds/kind.ts";
import { baseOf } from "./kinds/kinds.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "./pgDelta.ts";

export type TableId = { kind: "table"; schema: string; name: string };

export type ColumnId = { kind: "column"; schema: string; table: string; name: string };

export const tableId = (schema: string, name: string): TableId => ({ kind: "table", schema, name });

export const asTable = (id: StableId | undefined): TableId | undefined =>
  id?.kind === "table" ? tableId(id.schema, id.name) : undefined;

/** A column of a table. */
export const columnId = ({ schema, name }: TableId, column: string): ColumnId => ({
  kind: "column",
  schema,
  table: name,
  name: column,
});

/** The column that an id is of or belongs to. */
export const asColumn = (id: StableId | undefined): ColumnId | undefined =>
  id?.kind === "column" || id?.kind === "default"
    ? { kind: "column", schema: id.schema, table: id.table, name: id.name }
    : undefined;

/** How large a table of the target is. */
export interface TableSize {
  /** An estimate, from the statistics; 0 only where the table was seen to be empty. */
  rows: number;
  bytes: number;
}

/** By encoded id of the table or materialized view; one that is not there yet is not in it. */
export type TableSizes = ReadonlyMap<string, TableSize>;

/** The table that an object is a part of: of a column, a constraint, an index, a policy; the table itself. */
export function tableOf(id: StableId, ...bases: readonly FactBase[]): StableId | undefined {
  switch (id.kind) {
    case "table":
      return id;
    case "column":
    case "default":
    case "constraint":
    case "trigger":
    case "policy":
    case "rule":
      return { kind: "table", schema: id.schema, name: id.table };
    case "index":
      return bases.map((base) => base.get(id)?.parent).find((parent) => parent?.kind === "table");
    case "extensionIntent": {
      const base = baseOf(id);
      const [schema = "", name = ""] = splitName(id.key);
      if (base === "index") return tableOf({ kind: "index", schema, name }, ...bases);
      return base === "table" || base === "column" ? tableId(schema, name) : undefined;
    }
    default:
      return undefined;
  }
}

/**
 * Tables with a column of the domain that an object is a constraint of; none for any other object. The server
 * reads them all when the constraint comes, while writes wait.
 */
export function tablesOfDomain(id: StableId, live: FactBase): StableId[] {
  if (id.kind !== "constraint") return [];
  const domain: StableId = { kind: "domain", schema: id.schema, name: id.table };
  if (!live.has(domain)) return [];
  const key = encodeId(domain);
  const tables = live.edges.flatMap(({ from, to }) =>
    from.kind === "column" && to.kind === "domain" && encodeId(to) === key ? (tableOf(from) ?? []) : [],
  );
  return [...new Map(tables.map((table) => [encodeId(table), table])).values()];
}

const EMPTY: TableSize = { rows: 0, bytes: 0 };

/** Size of the table that an object is a part of, or of a materialized view; nothing for a new one. */
export function sizeBehind(id: StableId | undefined, sizes: TableSizes, ...bases: readonly FactBase[]): TableSize {
  const isView = id?.kind === "materializedView";
  const table = id === undefined || isView ? id : tableOf(id, ...bases);
  return table === undefined ? EMPTY : (sizes.get(encodeId(table)) ?? EMPTY);
}

/** Rows of the table that an object is a part of; 0 for a new or empty one. */
export const rowsBehind = (id: StableId | undefined, sizes: TableSizes, ...bases: readonly FactBase[]): number =>
  sizeBehind(id, sizes, ...bases).rows;

/** An estimate of rows for a message. */
export const rowsInWords = (rows: number): string =>
  rows === 1 ? "1 row" : `about ${rows.toLocaleString("en-US")} rows`;

/** A text of a fact's payload. */
export function text(fact: Fact | undefined, attribute: string): string {
  const value = fact?.payload[attribute];
  return typeof value === "string" ? value : "";
}
