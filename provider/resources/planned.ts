// What a preview has planned so far. Nothing of it is in the database yet, so what a resource would be
// refused for can be asked there only where nothing planned before has to do with it.
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { tableOf } from "../catalog/tables.ts";
import type { TableName } from "./row/identity.ts";

/** Facts that never decide whether a row is taken. */
const HARMLESS: ReadonlySet<string> = new Set(["acl", "comment", "schema", "role", "membership", "defaultPrivilege"]);
const RELATIONS = ["table", "view", "foreignTable"] as const;

export class Planned {
  private before: FactBase | undefined;
  private after: FactBase | undefined;
  /** Encoded ids of what layers change; undefined until they are asked for. */
  private changed: { tables: Set<string>; isElsewhere: boolean } | undefined;
  private readonly written = new Map<string, TableName>();
  private isAnyWritten = false;

  /** What a layer would make of the target. */
  layer(before: FactBase, after: FactBase): void {
    this.before ??= before;
    this.after = after;
    this.changed = undefined;
  }

  /** Rows that a resource would write; without a table, they may be of any. */
  rows(table: TableName | undefined): void {
    if (table === undefined) this.isAnyWritten = true;
    else this.written.set(keyOf(table), table);
  }

  /** Whether a table that the database does not have is made by a layer. */
  makes(table: TableName): boolean {
    return RELATIONS.some((kind) => this.after?.has({ kind, ...table }) === true);
  }

  /** Whether a table that the database has is dropped, or gets another name. */
  drops(table: TableName): boolean {
    return RELATIONS.some((kind) => this.before?.has({ kind, ...table }) === true) && !this.makes(table);
  }

  /** Whether a layer adds a column of that name, be it to a table that the other one inherits from. */
  addsColumn(name: string): boolean {
    const { before, after } = this;
    if (before === undefined || after === undefined) return false;
    return after.facts().some(({ id }) => id.kind === "column" && id.name === name && !before.has(id));
  }

  /** Whether a table is other than the database says, or what is no part of a table and may matter to it. */
  changes(table: TableName): boolean {
    const { before, after } = this;
    if (before === undefined || after === undefined) return false;
    this.changed ??= changesBetween(before, after);
    return this.changed.isElsewhere || this.changed.tables.has(encodeId({ kind: "table", ...table }));
  }

  /** Whether another resource writes rows of a table. */
  writes(table: TableName): boolean {
    return this.isAnyWritten || this.written.has(keyOf(table));
  }

  /** The tables that get rows. */
  tablesWritten(): TableName[] {
    return [...this.written.values()];
  }
}

const keyOf = ({ schema, name }: TableName): string => JSON.stringify([schema, name]);

function changesBetween(before: FactBase, after: FactBase): { tables: Set<string>; isElsewhere: boolean } {
  const tables = new Set<string>();
  let isElsewhere = false;
  const note = (id: StableId): void => {
    const table = tableOf(id, before, after);
    if (table !== undefined) tables.add(encodeId(table));
    else if (!HARMLESS.has(id.kind)) isElsewhere = true;
  };
  for (const { id } of after.facts()) if (!before.has(id) || before.hashOf(id) !== after.hashOf(id)) note(id);
  for (const { id } of before.facts()) if (!after.has(id)) note(id);
  return { tables, isElsewhere };
}
