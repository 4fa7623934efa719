/**
 * What a run has written, as its resources note it: a change of rows that is meant to be is told apart from
 * one that is not.
 */

/** What a run has written so far. */
export interface RunWrites {
  /** Rows more (or fewer) that sets of rows and single rows have made, by table. */
  rows: Map<string, number>;
  /** Tables whose contents a plan has changed, by what it did. */
  tables: Map<string, TableChange>;
  /** URNs of the layers that were changed, by their names. */
  layers: Map<string, string>;
}

/** `moved`: rows went to another table, or came from one. */
export type TableChange = "dropped" | "moved" | "converted";

/** A table as the keys of {@link RunWrites} name it. */
export const tableKey = (schema: string, name: string): string => JSON.stringify([schema, name]);

export const nothingWritten = (): RunWrites => ({ rows: new Map(), tables: new Map(), layers: new Map() });

/** Where a run keeps it. */
interface Keeper {
  writes?: RunWrites;
}

export function noteRows(record: Keeper, table: { schema: string; name: string } | undefined, more: number): void {
  if (table === undefined) return;
  record.writes ??= nothingWritten();
  const key = tableKey(table.schema, table.name);
  record.writes.rows.set(key, (record.writes.rows.get(key) ?? 0) + more);
}

export function noteLayer(
  record: Keeper,
  layer: { name: string; urn: string },
  changes: ReadonlyMap<string, TableChange>,
): void {
  record.writes ??= nothingWritten();
  record.writes.layers.set(layer.name, layer.urn);
  for (const [key, change] of changes) record.writes.tables.set(key, change);
}
