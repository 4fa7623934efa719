import { quoteIdent } from "../../../provider/catalog/quote.ts";
import type { TestDatabase } from "../../support/database.ts";
import type { ModelPair } from "./minimise.ts";
import { byKey, type Column, type Model, ofKind, type Table } from "./model.ts";
import { Printer } from "./print.ts";

/**
 * Checksums of what must survive: by table that old and new have under one name, the number of its rows and
 * the values of its columns that both have under one name with one type.
 */
export async function keptRows({ query }: TestDatabase, pair: ModelPair): Promise<Map<string, string>> {
  const prints = new Map<string, string>();
  for (const table of ofKind(pair.old, "table")) {
    const kept = byKey(pair.next, table.key);
    if (kept?.kind !== "table" || !isSameTable(pair, table)) continue;
    const columns = table.columns.filter((column) => isKept(pair, column, kept));
    const name = new Printer(pair.old, "").name(table.key);
    const values = `row(${columns.map((column) => quoteIdent(column.name)).join(", ")})::text`;
    const [row] = await query<{ print: string }>(
      `select count(*) || ' rows ' || coalesce(md5(string_agg(${values}, E'\\n' order by ${values} collate "C")), '') as print from ${name}`,
    );
    prints.set(name, row?.print ?? "");
  }
  return prints;
}

/** One name, and the same partitions: with a partition its rows go. */
function isSameTable({ old, next }: ModelPair, { key }: Table): boolean {
  const [before, after] = [old, next].map((model) => `${new Printer(model, "").name(key)} ${partitions(model, key)}`);
  return before === after;
}

function partitions(model: Model, key: number): string {
  const printer = new Printer(model, "");
  const parts = ofKind(model, "partition").filter(({ table }) => table === key);
  return JSON.stringify(parts.map((part) => [printer.name(part.key), part.number]).sort());
}

function isKept({ old, next }: ModelPair, column: Column, table: Table): boolean {
  const after = table.columns.find(({ key }) => key === column.key);
  const isComputed = column.value.by === "expression" || after?.value.by === "expression";
  return after?.name === column.name && !isComputed && typeText(old, column) === typeText(next, after);
}

function typeText(model: Model, { type }: Column): string {
  return typeof type === "number" ? JSON.stringify([byKey(model, type), new Printer(model, "").name(type)]) : type.sql;
}
