/**
 * Partitions that a run has begun to fill with rows of the default partition and could not attach. They hold
 * copies only, so neither they nor what belongs to the move are facts: the next plan goes on with it or takes
 * it back.
 */
import { z } from "zod";
import { encodeId, type Fact, type StableId } from "./pgDelta.ts";
import { type TableId, tableId } from "./tables.ts";

/** What the log of a move, its function and its triggers are called, before the name of the partition. */
export const MOVE_PREFIX = "pgstrata_move_";

/** One row for each log; its text is the comment on it. */
export const ROW_MOVES = `
  select 'move', n.nspname, '', c.relname, pg_catalog.obj_description(c.oid, 'pg_class')
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and pg_catalog.starts_with(c.relname::pg_catalog.text, '${MOVE_PREFIX}')`;

/** A move of rows from a default partition into a table that is to be a partition. */
export interface RowMove {
  partition: TableId;
  from: TableId;
  /** The name of the log of changed keys, of its function and of its trigger. */
  log: string;
}

const note = z.object({ partition: z.string(), from: z.tuple([z.string(), z.string()]), digest: z.string() });

/** The comment on a log, by which the next run knows what was begun. */
export const noteOf = ({ partition, from }: RowMove, digest: string): string =>
  JSON.stringify({ partition: partition.name, from: [from.schema, from.name], digest });

/** A table of such a name with another comment is none of ours. */
export function moveOf({ schema, name, text }: { schema: string; name: string; text: string | null }): RowMove[] {
  try {
    const { partition, from } = note.parse(JSON.parse(text ?? ""));
    return [{ partition: tableId(schema, partition), from: tableId(...from), log: name }];
  } catch {
    return [];
  }
}

/** What follows the name of the trigger that tells of a `TRUNCATE`. */
export const TRUNCATED = "_t";

/** Encoded ids of all that belongs to moves, with what hangs on it. */
export function factsOfMoves(moves: readonly RowMove[], facts: readonly Fact[]): Set<string> {
  const found = new Set<string>();
  if (moves.length === 0) return found;
  const known = new Map(facts.map((fact) => [encodeId(fact.id), fact]));
  for (const { partition, log } of moves) {
    const isPlain = (known.get(encodeId(partition))?.payload.parentTable ?? null) === null;
    found.add(encodeId(tableId(partition.schema, log)));
    if (isPlain) found.add(encodeId(partition));
  }
  const isTrigger = (id: StableId): boolean =>
    id.kind === "trigger" && moves.some(({ log }) => id.name === log || id.name === log + TRUNCATED);
  const isFunction = (id: StableId): boolean =>
    id.kind === "function" && moves.some(({ log, partition }) => id.name === log && id.schema === partition.schema);
  const isPart = (fact: Fact | undefined): boolean =>
    fact !== undefined &&
    (found.has(encodeId(fact.id)) ||
      isTrigger(fact.id) ||
      isFunction(fact.id) ||
      (fact.parent !== undefined && isPart(known.get(encodeId(fact.parent)))));
  for (const fact of facts) if (isPart(fact)) found.add(encodeId(fact.id));
  return found;
}
