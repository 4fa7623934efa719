import type { PoolClient } from "pg";
import { foreignDescendants } from "../../engine/algebra.ts";
import { describe, isTopLevel, ownerObject } from "../../engine/names.ts";
import { encodeId, type FactBase, parseId, type StableId } from "../../engine/pgDelta.ts";
import { quoteQualified } from "../../engine/quote.ts";
import type { ContributionRecord } from "../../engine/record.ts";
import type { Statement } from "../../engine/statements.ts";
import { UserError } from "../../userError.ts";

/** A table that is there already under the name of one that a layer declares, but is a different one. */
export function refuseForerunners(
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

/** Objects of others that would have to go with what a layer takes back. Parts of our own tables (an index) are only reported. */
export function refuseDependents(live: FactBase, removed: ReadonlySet<string>): { parts: string[] } {
  const gone = new Set(removed);
  const parts = foreignDescendants(live, removed, removed);
  for (const id of parts) gone.add(encodeId(id));
  const dependents = new Set<string>();
  for (const edge of live.edges) {
    if (edge.kind !== "depends" || gone.has(encodeId(edge.from)) || !gone.has(encodeId(edge.to))) continue;
    dependents.add(describe(ownerObject(edge.from)));
  }
  const standing = parts.filter((id) =>
    ["table", "view", "materializedView", "function", "procedure", "type", "sequence"].includes(id.kind),
  );
  for (const id of standing) dependents.add(describe(id));
  if (dependents.size > 0) {
    throw new UserError(
      `Found objects that depend on what is to be removed and are not this layer's: ${[...dependents].sort().join(", ")}. ` +
        "Expected none. Remove or move them first, or destroy the layer that they belong to. Nothing was changed.",
    );
  }
  return { parts: parts.map(describe).sort() };
}

/** Who keeps rows from being dropped. */
export interface RowsGate {
  /** Approved by the layer: `drop-table:…`, `drop-column:…`. */
  allow: readonly string[];
  force: boolean;
  /** What to do, said at the end of the refusal. */
  advice: string;
}

/**
 * Locks the tables that the statements drop (or drop columns of) and refuses when one of them holds rows. Called inside the
 * transaction that runs the statements, so that no row can come in between.
 */
export async function refuseDroppingRows(
  client: PoolClient,
  statements: readonly Statement[],
  gate: RowsGate,
): Promise<void> {
  if (gate.force) return;
  const held: string[] = [];
  for (const id of statements.flatMap((statement) => statement.drops)) {
    const drop = asDrop(id);
    if (drop === undefined || gate.allow.includes(drop.approval)) continue;
    const table = quoteQualified(drop.schema, drop.table);
    await client.query(`lock table ${table} in access exclusive mode`);
    // A policy must not hide a row from this question: with row_security off the server raises an error instead.
    await client.query("set local row_security = off");
    const { rows } = await client.query<{ held: boolean }>(`select exists (select from ${table}) as held`);
    if (rows[0]?.held !== false) held.push(drop.approval);
  }
  if (held.length > 0) {
    throw new UserError(
      `Refused to drop what holds rows: ${held.map((approval) => approval.replace(/^drop-(\w+):/, "$1 ")).join(", ")}. Nothing was changed.\n${gate.advice}`,
    );
  }
}

function asDrop(id: StableId): { approval: string; schema: string; table: string } | undefined {
  if (id.kind === "table") return { approval: `drop-table:${id.schema}.${id.name}`, schema: id.schema, table: id.name };
  if (id.kind === "column") {
    return { approval: `drop-column:${id.schema}.${id.table}.${id.name}`, schema: id.schema, table: id.table };
  }
  return undefined;
}

/** Who declares what in this run. Two layers that add the same object would fight over it. */
export class Claims {
  private readonly owners = new Map<string, string>();

  /** @throws {UserError} when another layer of this run declares one of the objects. */
  claim(layer: string, record: ContributionRecord): void {
    for (const [key, owner] of this.owners) if (owner === layer && !(key in record.added)) this.owners.delete(key);
    const conflicts = new Map<string, string[]>();
    for (const key of Object.keys(record.added)) {
      const owner = this.owners.get(key);
      if (owner === undefined || owner === layer) this.owners.set(key, layer);
      else conflicts.set(owner, [...(conflicts.get(owner) ?? []), key]);
    }
    for (const [owner, keys] of conflicts) throw new UserError(claimFault(layer, owner, keys));
  }

  /** The layer that declares an object named in a server's message, as far as one was seen. */
  ownerNamedIn(message: string): string | undefined {
    for (const [key, owner] of this.owners) {
      const id = parseId(key);
      if ("schema" in id && "name" in id && isTopLevel(id) && message.includes(`"${id.schema}.${id.name}"`))
        return owner;
    }
    return undefined;
  }
}

function claimFault(layer: string, owner: string, keys: readonly string[]): string {
  const first = keys
    .slice(0, 3)
    .map((key) => describe(parseId(key)))
    .join(", ");
  return (
    `The layers "${owner}" and "${layer}" both declare ${first}${keys.length > 3 ? ` and ${keys.length - 3} more` : ""}. ` +
    `Expected one owner for each object: remove it from one of them, or make "${owner}" a base of "${layer}".`
  );
}
