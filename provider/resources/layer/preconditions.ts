/**
 * What must hold before a layer's first statement: no conflicting tables, no dependents of others, no rows in
 * what is dropped. Hazards and approvals are left to `plan/`.
 */
import type { PoolClient } from "pg";
import { describe, isTopLevel, nameInApproval, ownerObject } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { quoteQualified } from "../../catalog/quote.ts";
import { unmanagedDescendants } from "../../contribution/contribution.ts";
import { UserError } from "../../core/errors.ts";
import type { Statement } from "../../plan/statement.ts";

/** A table that is there already under the name of one that a layer declares, but is a different one. */
export function refuseConflictingTables(
  live: FactBase,
  added: readonly StableId[],
  ours: ReadonlySet<string>,
  allow: readonly string[],
): void {
  const faults: string[] = [];
  for (const id of added) {
    if (id.kind !== "table" || ours.has(encodeId(id)) || !live.has(id)) continue;
    const name = `${id.schema}.${id.name}`;
    if (allow.includes(`adopt-table:${name}`)) continue;
    const declared = columnNames(added, id);
    const present = columnNames(
      live.childrenOf(id).map((fact) => fact.id),
      id,
    );
    const missing = declared.filter((column) => !present.includes(column));
    const unknown = present.filter((column) => !declared.includes(column));
    if (missing.length === 0 || unknown.length === 0) continue;
    faults.push(
      `table ${name}: found a table of another shape: it lacks ${missing.join(", ")} and has ${unknown.join(", ")}, which are not declared.`,
    );
  }
  if (faults.length === 0) return;
  throw new UserError(
    "PS213",
    `${faults.join("\n")}\nExpected no such table, or one that differs by missing or by extra columns only. It was probably made by ` +
      "another migration under the same name. Rename it out of the way (`alter table … rename to …`) and move its rows over afterwards, " +
      'or, to change it in place, add "adopt-table:<schema>.<name>" to the layer\'s `allow`. Nothing was changed.',
  );
}

function columnNames(ids: readonly StableId[], table: { schema: string; name: string }): string[] {
  return ids.flatMap((id) =>
    id.kind === "column" && id.schema === table.schema && id.table === table.name ? [id.name] : [],
  );
}

/**
 * Refuses when objects of others would have to go with what a layer takes back. Parts of its own tables (an
 * index) are only reported.
 *
 * @param ours what stays or comes, and is the layer's own to change.
 */
export function refuseDependents(
  live: FactBase,
  removed: ReadonlySet<string>,
  ours: ReadonlySet<string>,
  warn: (message: string) => void,
): void {
  if (removed.size === 0) return;
  const members = new Set(membersOf(live, (extension) => removed.has(extension) || ours.has(extension)));
  for (const id of unmanagedDescendants(live, members, members)) members.add(encodeId(id));
  const gone = new Set([...removed, ...members]);
  const parts = unmanagedDescendants(live, removed, gone);
  for (const id of parts) gone.add(encodeId(id));
  const dependents = new Set<string>();
  for (const edge of live.edges) {
    const from = encodeId(edge.from);
    if (edge.kind !== "depends" || gone.has(from) || ours.has(from) || !gone.has(encodeId(edge.to))) continue;
    dependents.add(describe(ownerObject(edge.from)));
  }
  for (const id of parts) if (isTopLevel(id) && !TABLE_PARTS.has(id.kind)) dependents.add(describe(id));
  if (dependents.size > 0) {
    throw new UserError(
      "PS214",
      `Found objects that depend on what is to be removed and are not this layer's: ${[...dependents].sort().join(", ")}. ` +
        "Expected none. Remove or move them first, or destroy the layer that they belong to. What another layer declares now stays in place by `hand-over:<name>` in the layer's `allow`. Nothing was changed.",
    );
  }
  if (parts.length > 0) {
    const names = parts.map(describe).sort().join(", ");
    warn(`these parts of the layer's objects belong to others and are dropped with them: ${names}`);
  }
}

/** Top-level kinds that are of no use without their table. */
const TABLE_PARTS: ReadonlySet<StableId["kind"]> = new Set(["index", "policy", "trigger", "rule", "publicationRel"]);

/** Functions and the like that go with an extension, or move with it to another schema. */
function membersOf(live: FactBase, isChanged: (extension: string) => boolean): string[] {
  return live.edges
    .filter((edge) => edge.kind === "memberOfExtension" && isChanged(encodeId(edge.to)))
    .map((edge) => encodeId(edge.from));
}

/** Who keeps rows from being dropped. */
export interface RowsPrecondition {
  /** Approved by the layer: `drop-table:…`, `drop-column:…`. */
  allow: readonly string[];
  force: boolean;
  /** What to do, said at the end of the refusal. */
  advice: string;
}

/**
 * Locks the tables that the statements drop (or drop columns of) and refuses when one of them holds rows.
 * Called inside the transaction that runs the statements, so that no row can come in between.
 */
export async function refuseDroppingRows(
  client: PoolClient,
  statements: readonly Statement[],
  gate: RowsPrecondition,
): Promise<void> {
  if (gate.force) return;
  const tables = new Map<string, string>();
  const drops = statements.flatMap((statement) => statement.drops);
  // The renames of this transaction are still to be made.
  const namesNow = new Map(statements.flatMap(({ id, renames }) => (id && renames ? [[encodeId(id), renames]] : [])));
  const whole = new Set(drops.filter(({ kind }) => kind === "table").map(encodeId));
  for (const id of drops) {
    // Who approves of a table's end approves of its columns' end.
    const drop = id.kind === "column" && whole.has(encodeId(ownerObject(id))) ? undefined : asDrop(id);
    if (drop === undefined || gate.allow.includes(drop.approval)) continue;
    const now = namesNow.get(encodeId({ kind: "table", schema: drop.schema, name: drop.table }));
    const table =
      now?.kind === "table" ? quoteQualified(now.schema, now.name) : quoteQualified(drop.schema, drop.table);
    tables.set(drop.approval, table);
  }
  const held = await holdingRows(client, [...tables]);
  if (held.length > 0) {
    throw new UserError(
      "PS215",
      `Refused to drop what holds rows: ${held.map((approval) => approval.replace(/^drop-(\w+):/, "$1 ")).join(", ")}. Nothing was changed.\n${gate.advice}`,
    );
  }
}

/** Few enough for one message, many enough that thousands of tables take no thousands of round trips. */
const TABLES_AT_A_TIME = 100;

/** Locks tables and tells which of them hold rows: the first part of each pair that does. */
async function holdingRows(client: PoolClient, tables: readonly (readonly [string, string])[]): Promise<string[]> {
  const held: string[] = [];
  for (let n = 0; n < tables.length; n += TABLES_AT_A_TIME) {
    const some = tables.slice(n, n + TABLES_AT_A_TIME);
    const quotedTables = some.map(([, table]) => table).join(", ");
    await client.query(`lock table ${quotedTables} in access exclusive mode`);
    // A policy must not hide a row from this question: with row_security off the server raises an error
    // instead.
    await client.query("set local row_security = off");
    const quotedQuestions = some
      .map(([, table], place) => `select ${place} as place where exists (select from ${table})`)
      .join(" union all ");
    const { rows } = await client.query<{ place: number }>(`${quotedQuestions} order by place`);
    for (const { place } of rows) held.push(some[place]?.[0] ?? "");
  }
  return held;
}

function asDrop(id: StableId): { approval: string; schema: string; table: string } | undefined {
  if (id.kind === "table") return { approval: `drop-table:${nameInApproval(id)}`, schema: id.schema, table: id.name };
  if (id.kind === "column") {
    return { approval: `drop-column:${nameInApproval(id)}`, schema: id.schema, table: id.table };
  }
  return undefined;
}
