// Brings a set into the database, where it is compared: into a temporary table of the transaction, in chunks,
// so that only one of them is in memory.
import type pg from "pg";
import { UserError } from "../../core/errors.ts";
import { UNKNOWN, type Value } from "../../core/resourceType.ts";
import { containsUnknown, kindOf } from "../../core/values.ts";
import type { Column } from "../row/columns.ts";
import { bindValue } from "../row/parameters.ts";
import { firstRefused, refusal, refusedColumns, valueError } from "./failingRow.ts";
import type { RowsInputs } from "./inputs.ts";
import { layoutOf, requireColumns, type SetColumn, type SetLayout } from "./layout.ts";
import { type RowSource, requireKey, type SetRow } from "./source.ts";
import { ANALYZE_SET, createSet, duplicatesInSet, fillSet } from "./sql.ts";

const MOST_ROWS = 5000;
const MOST_CHARACTERS = 1 << 20;
/** From here on the planner should know how many rows there are. */
const WORTH_ANALYZING = 1000;

/** What is known of a set once all of it was read. */
export interface StagedSet {
  /**
   * Undefined where nothing could be compared: the set has no row, or the table lacks the table or the key.
   */
  layout: SetLayout | undefined;
  /** All rows of the set, whether staged or not. */
  count: number;
  /** Rows among them whose key is not known yet. */
  unknownKeys: number;
}

export interface StageOptions {
  /**
   * What is missing in the table, or not known yet, is no mistake: a layer or another resource is to come.
   */
  isPlan: boolean;
}

/** Reads a set without a database. */
export async function countRows(source: RowSource, inputs: RowsInputs): Promise<number> {
  let count = 0;
  for await (const row of source.rows()) {
    if (count === 0) requireKey(source.columns, inputs.key, source.describe(row.place));
    count += 1;
  }
  return count;
}

/**
 * Reads a set into the database. Within a transaction.
 *
 * @throws {UserError} that names the row and the column which cannot be taken, or the keys that are there
 * twice.
 */
export async function stageSet(
  client: pg.ClientBase,
  inputs: RowsInputs,
  source: RowSource,
  columns: ReadonlyMap<string, Column>,
  { isPlan }: StageOptions,
): Promise<StagedSet> {
  const { table } = inputs;
  if (table === undefined) throw new Error("the table's name is not known");
  let chunk: Chunk | undefined;
  const staged: StagedSet = { layout: undefined, count: 0, unknownKeys: 0 };
  for await (const row of source.rows()) {
    if (staged.count === 0) {
      requireKey(source.columns, inputs.key, source.describe(row.place));
      const layout = layoutOf(inputs, table, columns, source.columns);
      if (!isPlan) requireColumns(layout, inputs, columns);
      if (layout.key.length === inputs.key.length) {
        await client.query(createSet(layout));
        chunk = new Chunk(client, layout, source);
        staged.layout = layout;
      }
    }
    staged.count += 1;
    if (chunk !== undefined && !chunk.add(row)) staged.unknownKeys += 1;
    if (chunk?.isFull()) await chunk.flush();
  }
  if (chunk === undefined || staged.layout === undefined) return staged;
  await chunk.flush();
  if (staged.count >= WORTH_ANALYZING) await client.query(ANALYZE_SET);
  const { rows } = await client.query<{ places: number[] }>(duplicatesInSet(staged.layout));
  if (rows.length > 0) {
    const found = rows.map(({ places }) => places.slice(0, 3).map(source.describe).join(" and "));
    throw new UserError(
      "PS411",
      `found the same key (${inputs.key.join(", ")}) in more than one row: ${found.join("; ")}. Expected each key once`,
    );
  }
  return staged;
}

/** Rows that go into the database together. */
class Chunk {
  private readonly client: pg.ClientBase;
  private readonly layout: SetLayout;
  private readonly source: RowSource;
  private rows: { n: number; place: number; isOpen: boolean; texts: (string | null)[] }[] = [];
  private characters = 0;
  private next = 0;

  constructor(client: pg.ClientBase, layout: SetLayout, source: RowSource) {
    this.client = client;
    this.layout = layout;
    this.source = source;
  }

  /** False where the key is not known yet, so that the row cannot be looked for. */
  add({ place, cells }: SetRow): boolean {
    const { columns, key, absent } = this.layout;
    if (key.some((column) => containsUnknown(cells[column.place] ?? null))) return false;
    const missing = key.find((column) => (cells[column.place] ?? null) === null);
    if (missing !== undefined) {
      const where = `${this.source.describe(place)}, column "${missing.name}"`;
      throw new UserError("PS411", `${where}: found no value, expected one in each row: the column is in key`);
    }
    let isOpen = absent.length > 0;
    const texts = columns.map((column) => {
      const cell = cells[column.place] ?? null;
      if (containsUnknown(cell)) isOpen = true;
      const text = containsUnknown(cell) ? null : this.textOf(column, cell, place);
      this.characters += text?.length ?? 0;
      return text;
    });
    this.rows.push({ n: this.next, place, isOpen, texts });
    this.next += 1;
    return true;
  }

  isFull(): boolean {
    return this.rows.length >= MOST_ROWS || this.characters >= MOST_CHARACTERS;
  }

  async flush(): Promise<void> {
    const { client, rows } = this;
    if (rows.length === 0) return;
    const write = (from: number, to: number): Promise<unknown> => {
      const part = rows.slice(from, to);
      return client.query(fillSet(this.layout), [
        part.map(({ n }) => n),
        part.map(({ place }) => place),
        part.map(({ isOpen }) => isOpen),
        ...this.layout.columns.map((_column, n) => part.map(({ texts }) => texts[n])),
      ]);
    };
    const error = await refusal(client, () => write(0, rows.length));
    if (error !== undefined) throw await this.explain(error, write);
    this.rows = [];
    this.characters = 0;
  }

  private textOf(column: SetColumn, cell: Value, place: number): string | null {
    if (cell === UNKNOWN || cell === null) return null;
    if (this.source.isText && typeof cell === "string") return cell;
    const where = this.source.describe(place);
    if (column.isSecret) {
      if (typeof cell === "string") return cell;
      throw new UserError(
        "PS406",
        `${where}, column "${column.name}": found ${kindOf(cell)}, expected a string for a secret`,
      );
    }
    try {
      return bindValue(column.name, column.column, cell);
    } catch (error) {
      throw error instanceof UserError
        ? new UserError(error.code, `${where}: ${error.message}`, { cause: error })
        : error;
    }
  }

  private async explain(error: unknown, write: (from: number, to: number) => Promise<unknown>): Promise<unknown> {
    const first = await firstRefused(this.client, this.rows.length, write);
    const row = this.rows[first?.n ?? -1];
    if (row === undefined) return error;
    const [refused] = await refusedColumns(this.client, this.layout.columns, row.texts);
    return refused === undefined ? error : valueError(this.source.describe(row.place), refused);
  }
}
