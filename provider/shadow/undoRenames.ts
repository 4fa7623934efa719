/**
 * What a layer's files would mean before its renames: the scratch database takes them back, is read, and is
 * restored.
 */
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";
import { UserError } from "../core/errors.ts";
import { type Rename, renameSql, undoSql } from "../plan/renames/renames.ts";
import type { ScratchDatabase } from "./shadow.ts";

/** A change of the scratch database, and the way back. */
interface Step {
  there: string[];
  back: string[];
}

/**
 * What a loaded layer means with its renames not made yet: the server itself takes them back, so every
 * definition that names a renamed table or column is as the server writes it. Afterwards the scratch database
 * is as it was.
 *
 * @param top facts of the scratch database as it is.
 * @param below facts without the layer.
 * @param read reads the scratch database under the old names.
 * @throws {UserError} when an old name belongs to an object of the base.
 */
export async function readUnderOldNames(
  { pool }: ScratchDatabase,
  { top, below }: { top: FactBase; below: FactBase },
  renames: readonly Rename[],
  read: () => Promise<FactBase>,
): Promise<FactBase> {
  const steps = stepsBack(renames, top);
  const taken = renames.find(({ from }) => below.has(from));
  if (taken !== undefined) {
    throw new UserError(
      "PS109",
      `Found a rename of ${describe(taken.from)}, which a layer of the base declares. Expected an object of the layer itself: rename it in the layer that declares it.`,
      { property: "files" },
    );
  }
  for (const { there } of steps) for (const sql of there) await pool.query(sql);
  const facts = await read();
  for (const { back } of [...steps].reverse()) for (const sql of back) await pool.query(sql);
  return facts;
}

/** Where tables go that have an old name by now, with their indexes and sequences. */
const ASIDE = "pgstrata_aside";

/**
 * Tables first, because the parts are found by the old names of their tables. What has an old name by now
 * steps aside.
 */
function stepsBack(renames: readonly Rename[], top: FactBase): Step[] {
  const news = new Set(renames.map(({ to }) => encodeId(to)));
  const isTaken = (id: StableId): boolean => top.has(id) && !news.has(encodeId(id));
  const tables = renames.filter(({ to }) => to.kind === "table").reverse();
  const parts = renames.filter(({ to }) => to.kind !== "table").reverse();
  const takenTables = tables.filter(({ from }) => isTaken(from));
  const takenParts = parts.filter(({ from, to }) => isTaken({ ...to, name: from.name }));
  return [
    ...schemasFor(tables, top),
    ...(takenTables.length === 0 ? [] : [newSchema(ASIDE)]),
    ...takenTables.map(({ from }) => aside({ from, to: { ...from, schema: ASIDE } })),
    ...tables.map(asStep),
    ...takenParts.map(({ from }, n) => aside({ from, to: { ...from, name: `${ASIDE}_${n}` } })),
    ...parts.map(asStep),
  ];
}

const asStep = (rename: Rename): Step => ({ there: undoSql(rename), back: renameSql(rename) });
const aside = (rename: Rename): Step => ({ there: renameSql(rename), back: undoSql(rename) });
const newSchema = (name: string): Step => ({
  there: [`CREATE SCHEMA ${quoteIdent(name)}`],
  back: [`DROP SCHEMA ${quoteIdent(name)}`],
});

/** A table may have come from a schema that the files no longer have. */
function schemasFor(tables: readonly Rename[], top: FactBase): Step[] {
  const names = new Set(tables.map(({ from }) => from.schema));
  return [...names].filter((name) => name !== "public" && !top.has({ kind: "schema", name })).map(newSchema);
}
