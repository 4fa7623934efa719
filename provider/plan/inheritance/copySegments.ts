/**
 * A table that becomes partitioned, gets other partitions or loses them: it moves aside into a schema of
 * its own with all its names, a new one is created, filled from it, and given what depends on it, in one
 * transaction.
 */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { inheritanceOf, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, type Payload, type StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../../catalog/quote.ts";
import { asTable, columnId, type TableId, tableId, tableOf } from "../../catalog/tables.ts";
import { revertContribution } from "../../contribution/contribution.ts";
import { UserError } from "../../core/errors.ts";
import { LONGEST_NAME_BYTES, shortened } from "../indexDefinition.ts";
import { standingOn } from "../replacedObjects.ts";
import type { Statement, StatementList } from "../statement.ts";
import { linking, parting, repartitioned } from "./links.ts";
import type { Planner, Segment } from "./segment.ts";

/** What is made after the rows are there. */
const LATE: ReadonlySet<StableId["kind"]> = new Set(["constraint", "index", "trigger", "policy", "rule"]);

/** @returns undefined where no table has to be copied. */
export function copySegments(from: FactBase, to: FactBase, plan: Planner): Segment[] | undefined {
  const tables = repartitioned(from, to);
  if (tables.length === 0) return undefined;
  for (const table of tables) refuseOtherColumns(table, from, to);
  const moved = withPartitions(tables, from);
  const made = withPartitions(tables, to);
  const gone = standingOn(from, moved);
  const aside = revertContribution(from, { remove: gone, restore: [], reset: [] });
  const late = made.flatMap((table) => to.childrenOf(table).flatMap(({ id }) => (LATE.has(id.kind) ? [id] : [])));
  const bare = withoutRowSecurity(
    revertContribution(to, { remove: standingOn(to, late), restore: [], reset: [] }),
    made,
  );
  const isMoved = new Set(moved.map(encodeId));
  const isCopied = new Set(tables.map(encodeId));
  const clearing = plan(from, aside);
  const statements = clearing.statements.filter((statement) => !goesAlong(statement, isMoved, gone, from));
  const schemas = [...new Set(moved.map(({ schema }) => schema))];
  const stepping = [
    ...schemas.map(schemaFor),
    ...tables.flatMap((table) => parting(table, from)),
    ...moved.flatMap((table) => steppingAside(table, from)),
  ];
  const making = plan(aside, bare);
  refuseCommits([...statements, ...making.statements], tables);
  const copying = [
    ...tables.flatMap((table) => copyStatements(table, from, to)),
    // Those copied were parted from their parents; other parts go with theirs.
    ...moved.filter((table) => isCopied.has(encodeId(table)) || !isPartOf(table, moved, from)).map(droppingCopy),
    ...schemas.map(droppingSchema),
  ];
  const segment = (live: FactBase, desired: FactBase, list: StatementList, more: Partial<Segment>): Segment => ({
    ...{ live, desired, list, isLinking: false, isTogether: true },
    ...more,
  });
  return [
    segment(from, aside, { ...clearing, statements: [...statements, ...stepping] }, {}),
    segment(aside, bare, making, { fresh: made }),
    segment(from, to, { statements: copying, settings: [] }, { isLinking: true }),
    segment(bare, to, plan(bare, to), { fresh: made, isTogether: false, inOrder: true }),
  ];
}

export function withPartitions(tables: readonly TableId[], facts: FactBase): TableId[] {
  const found = new Map(tables.map((table) => [encodeId(table), table]));
  const isBelow = (table: TableId): boolean =>
    parentsOf(facts.get(table)).some((parent) => found.has(encodeId(parent)) || isBelow(parent));
  for (const { id } of facts.facts()) {
    const table = asTable(id);
    if (table !== undefined && isBelow(table)) found.set(encodeId(table), table);
  }
  return [...found.values()];
}

const isPartOf = (table: TableId, others: readonly TableId[], facts: FactBase): boolean =>
  parentsOf(facts.get(table)).some((parent) => others.some((other) => encodeId(other) === encodeId(parent)));

/** Whether a statement drops or detaches what goes with a table that steps aside. */
function goesAlong(
  { op, id, sql }: Statement,
  moved: ReadonlySet<string>,
  gone: ReadonlySet<string>,
  from: FactBase,
): boolean {
  if (id === undefined || (op !== "delete" && !/ DETACH PARTITION /.test(sql))) return false;
  if (id.kind === "sequence") return gone.has(encodeId(id));
  const table = tableOf(id, from);
  return table !== undefined && moved.has(encodeId(table)) && !["trigger", "policy", "rule"].includes(id.kind);
}

function withoutRowSecurity(facts: FactBase, tables: readonly TableId[]): FactBase {
  const made = new Set(tables.map(encodeId));
  const all = facts
    .facts()
    .map(
      (fact): Fact =>
        made.has(encodeId(fact.id))
          ? { ...fact, payload: { ...fact.payload, rowSecurity: false, forceRowSecurity: false } }
          : fact,
    );
  return factBaseOf(all, facts.edges, facts);
}

function refuseOtherColumns(table: TableId, from: FactBase, to: FactBase): void {
  const after = new Map(columnsOf(table, to));
  // A table that inherits from it can have more columns.
  const before = withPartitions([table], from).flatMap((one) => columnsOf(one, from));
  const changed = new Set(before.flatMap(([name, { type }]) => (after.get(name)?.type === type ? [] : [name])));
  if (changed.size > 0) throw inTwoUpdates(table, `drops or converts columns of it (${[...changed].join(", ")})`);
}

function refuseCommits(statements: readonly Statement[], [table]: readonly TableId[]): void {
  const [found] = statements.filter(({ transaction }) => transaction !== "shared");
  if (found !== undefined && table !== undefined)
    throw inTwoUpdates(table, `has ${found.subject}, which needs a commit of its own`);
}

const inTwoUpdates = (table: TableId, what: string): UserError =>
  new UserError(
    "PS307",
    `The rows of ${describe(table)} have to be copied, because its partitioning changes, and the same update ${what}. ` +
      "Expected one of the two at a time. Nothing was changed. Make the change in two updates.",
  );

const asideSchema = (schema: string): string => shortened(`pgstrata_copy_${schema}`, LONGEST_NAME_BYTES);
const aside = ({ schema, name }: TableId): string => quoteQualified(asideSchema(schema), name);

function schemaFor(schema: string): Statement {
  const id: StableId = { kind: "schema", name: asideSchema(schema) };
  return {
    ...linking(tableId(schema, ""), `CREATE SCHEMA ${quoteIdent(id.name)}`, {
      subject: describe(id),
      others: [],
      consumes: [],
    }),
    op: "create",
    object: describe(id),
    id,
    lock: "none",
    consumes: [],
  };
}

function droppingSchema(schema: string): Statement {
  const id: StableId = { kind: "schema", name: asideSchema(schema) };
  return { ...schemaFor(schema), sql: `DROP SCHEMA ${quoteIdent(id.name)}`, op: "delete" };
}

/** Without row security: a policy would hide rows from the copy. */
function steppingAside(table: TableId, from: FactBase): Statement[] {
  const { rowSecurity } = from.get(table)?.payload ?? {};
  const change = `ALTER TABLE ${quoteQualified(table.schema, table.name)}`;
  return [
    ...(rowSecurity === true ? [about(table, `${change} DISABLE ROW LEVEL SECURITY`)] : []),
    about(table, `${change} SET SCHEMA ${quoteIdent(asideSchema(table.schema))}`),
  ];
}

const about = (table: TableId, sql: string): Statement =>
  linking(table, sql, { subject: describe(table), others: [], consumes: [] });

const droppingCopy = (table: TableId): Statement => about(table, `DROP TABLE ${aside(table)}`);

/** Columns with what their facts say, or would say if they were not inherited. */
function columnsOf(table: TableId, facts: FactBase): [string, Payload][] {
  const inherited = inheritanceOf(facts.get(table))?.columns.map(({ name, payload }): [string, Payload] => [
    name,
    payload,
  ]);
  return (
    inherited ??
    facts
      .childrenOf(table)
      .flatMap(({ id, payload }): [string, Payload][] => (id.kind === "column" ? [[id.name, payload]] : []))
  );
}

function copyStatements(table: TableId, from: FactBase, to: FactBase): Statement[] {
  const before = new Map(columnsOf(table, from));
  const columns = columnsOf(table, to).flatMap(([name, { generatedExpr }]) =>
    before.has(name) && generatedExpr === null ? [name] : [],
  );
  const names = columns.map(quoteIdent).join(", ");
  const target = quoteQualified(table.schema, table.name);
  const sequences = columns.flatMap((name) => {
    const [was, is] = [sequenceOf(table, name, from), sequenceOf(table, name, to)];
    if (was === undefined || is === undefined) return [];
    const value = `SELECT pg_catalog.setval(${quoteLiteral(quoteQualified(is.schema, is.name))}, last_value, is_called) FROM ${aside({ kind: "table", schema: was.schema, name: was.name })}`;
    return [about(table, value)];
  });
  const sql = `INSERT INTO ${target} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${aside(table)}`;
  return [{ ...about(table, sql), copies: true, work: "rows" }, ...sequences];
}

/** The sequence of an identity column, or one that belongs to the column. */
function sequenceOf(table: TableId, column: string, facts: FactBase): { schema: string; name: string } | undefined {
  const identity = facts.get(columnId(table, column))?.payload.identity;
  if (typeof identity === "object" && identity !== null && "sequence" in identity) return named(identity.sequence);
  const owned = facts.facts().find(({ id, payload: { ownedBy } }) => {
    if (id.kind !== "sequence" || typeof ownedBy !== "object" || ownedBy === null || !("column" in ownedBy))
      return false;
    return ownedBy.schema === table.schema && ownedBy.table === table.name && ownedBy.column === column;
  });
  return owned?.id.kind === "sequence" ? { schema: owned.id.schema, name: owned.id.name } : undefined;
}

function named(value: unknown): { schema: string; name: string } | undefined {
  if (typeof value !== "object" || value === null || !("schema" in value && "name" in value)) return undefined;
  const { schema, name } = value;
  return typeof schema === "string" && typeof name === "string" ? { schema, name } : undefined;
}
