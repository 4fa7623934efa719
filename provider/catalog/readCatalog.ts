/**
 * What is known of a database: its facts, comparable with those of another server, and what pg-delta leaves
 * out. What a layer owns of it is left to `contribution/`.
 */
import type { Pool } from "pg";
import { timed } from "../core/timing.ts";
import { buildFactBase } from "./factBase.ts";
import { INHERITANCE, withoutInherited } from "./inheritance.ts";
import { factsOfKept, KEPT, type Kept, keptFrom } from "./kept.ts";
import { IDENTITY_SEQUENCES, identitySequencesFrom } from "./kinds/identitySequences.ts";
import { KINDS_PRESENT, objectsFrom, objectsOf } from "./kinds/objects.ts";
import { withUnvalidated } from "./kinds/unvalidatedNotNull.ts";
import { VIEW_PRIVILEGES, viewPrivilegesFrom } from "./kinds/viewPrivileges.ts";
import { type ExtractionOptions, extractOnTwoConnections } from "./parallelExtract.ts";
import { type DependencyEdge, encodeId, type Fact, type FactBase, type StableId } from "./pgDelta.ts";
import { factsOfMoves, moveOf, ROW_MOVES, type RowMove } from "./rowMoves.ts";
import { asColumn, tableId } from "./tables.ts";
import { asVirtual } from "./virtualColumns.ts";

/** What is known of one database at one moment. */
export interface Catalog {
  facts: FactBase;
  /** `server_version`, such as `18.4`. */
  serverVersion: string;
  /**
   * Encoded ids of indexes that a failed build left behind. They are of no use, so they are no
   * facts.
   */
  invalidIndexes: ReadonlySet<string>;
  /** What earlier runs have begun to move; nothing of it is a fact. */
  rowMoves: readonly RowMove[];
  /** What layers have dropped and is kept for some days; nothing of it is a fact. */
  kept: Kept;
  /** Whether readings are worth going on from. */
  isLarge?: boolean;
  /** See {@link extractOnTwoConnections}. */
  remember?: () => boolean;
  /** In a preview: the present name of a table or a column that a layer planned before would have renamed. */
  nameNow?: (table: StableId) => StableId;
}

/**
 * What the library does not tell: indexes that are invalid, but for one of a partitioned table, which is
 * until all its parts have one; and generated columns that are computed when they are read, from version 18
 * on; domains' defaults as they are printed, because the library reads the text that was kept when they
 * were made, whose names depend on the search path of then; and what tables have from others.
 */
const BEYOND = `
  select 'index' as kind, n.nspname as schema, '' as table, c.relname as name, null as text
    from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where not i.indisvalid and c.relkind = 'i'
  union all
  select 'column', n.nspname, c.relname, a.attname, null
    from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where a.attgenerated = 'v'
  union all
  select 'domain', n.nspname, '', t.typname, pg_catalog.pg_get_expr(t.typdefaultbin, 0)
    from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace
   where t.typtype = 'd' and t.typdefaultbin is not null and n.nspname <> 'information_schema'
  union all
  ${ROW_MOVES}
  union all
  ${KEPT}
  union all
  ${INHERITANCE}
  union all
  ${VIEW_PRIVILEGES}
  union all
  ${IDENTITY_SEQUENCES}
  union all
  ${KINDS_PRESENT}`;

interface RowOf<Kind> {
  kind: Kind;
  schema: string;
  table: string;
  name: string;
  text: string | null;
}

type BeyondRow =
  | RowOf<"index" | "column" | "domain" | "table">
  | RowOf<"move" | "kept" | "privilege" | "identity" | "kind" | "object">;

/**
 * Reads the catalog of a database in one repeatable-read transaction and makes it comparable with that of
 * another server.
 *
 * @param owner the connecting role. What it owns and its own default privileges are implied everywhere, so
 *   they are left out: a shadow and a target whose objects belong to the roles that created them are then
 *   alike.
 * @param options without dependencies, half of the time is saved: enough to compare the facts themselves.
 */
export async function readCatalog(pool: Pool, owner: string, options: ExtractionOptions = {}): Promise<Catalog> {
  const { factBase, pgVersion, answer, isLarge, remember } = await timed("extract", () =>
    extractOnTwoConnections<BeyondRow>(pool, BEYOND, (rows) => objectsIn(rows, options), options),
  );
  const of = (kind: BeyondRow["kind"]): [string, string][] =>
    answer.flatMap((row) => (isNamed(row) && row.kind === kind ? [[encodeId(row), row.text ?? ""]] : []));
  const rowMoves = answer.flatMap((row) => (row.kind === "move" ? moveOf(row) : []));
  const textsOf = (kind: BeyondRow["kind"]): string[] =>
    answer.flatMap((row) => (row.kind === kind && row.text !== null ? [row.text] : []));
  const invalidIndexes = new Set(new Map(of("index")).keys());
  const beyond = {
    invalidIndexes,
    virtualColumns: new Map(of("column")),
    domainDefaults: new Map(of("domain")),
    inheritance: new Map(of("table")),
    privileges: textsOf("privilege"),
    identitySequences: textsOf("identity"),
    objects: textsOf("object"),
  };
  const isOthers = ({ schema, table }: BeyondRow): boolean =>
    table === "" &&
    factBase.outgoingEdges({ kind: "schema", name: schema }).some((edge) => isOwnedByOther(edge, owner));
  const kept = keptFrom(answer.filter((row) => row.kind === "kept" && !isOthers(row)));
  const hidden = factsOfKept(kept, factBase.facts());
  const moved = factsOfMoves(rowMoves, factBase.facts());
  return {
    facts: comparable(factBase, owner, { ...beyond, left: moved.union(hidden) }),
    serverVersion: pgVersion,
    invalidIndexes,
    rowMoves,
    isLarge,
    remember,
    kept: { ...kept, whole: hidden.size === 0 ? undefined : comparable(factBase, owner, { ...beyond, left: moved }) },
  };
}

/** What another role has made under such a name is not believed. */
const isOwnedByOther = (edge: DependencyEdge, owner: string): boolean =>
  keepOwnerEdge(edge) && "name" in edge.to && edge.to.name !== owner;

const isNamed = (row: BeyondRow): row is RowOf<"index" | "column" | "domain" | "table"> =>
  ["index", "column", "domain", "table"].includes(row.kind);

/** The question about objects that the library does not read, where there are some. */
function objectsIn(rows: readonly BeyondRow[], { dependencies = true }: ExtractionOptions): string | undefined {
  const present = rows.flatMap(({ kind, name }) => (kind === "kind" ? [name] : []));
  return present.length === 0 ? undefined : objectsOf(present, dependencies);
}

/** Edges to roles that are not facts are kept only for ownership, where they say `ALTER … OWNER TO`. */
export const keepOwnerEdge = (edge: DependencyEdge): boolean => edge.kind === "owner" && edge.to.kind === "role";

/**
 * By encoded id: indexes that are left out, columns that are not stored, what domains' defaults say, and what
 * tables inherit.
 */
interface Beyond {
  invalidIndexes: ReadonlySet<string>;
  virtualColumns: ReadonlyMap<string, string>;
  domainDefaults: ReadonlyMap<string, string>;
  inheritance: ReadonlyMap<string, string>;
  /** What belongs to moves and what is kept. */
  left: ReadonlySet<string>;
  /** See {@link VIEW_PRIVILEGES}. */
  privileges: readonly string[];
  /** See {@link IDENTITY_SEQUENCES}. */
  identitySequences: readonly string[];
  /** Of kinds that the library does not read, see {@link objectsOf}. */
  objects: readonly string[];
}

/**
 * Facts without what belongs to the cluster (roles, memberships) and without what is implied by who connects
 * (see {@link readCatalog}). Privileges that an owner holds by default are implied too, which role the owner
 * is.
 */
function comparable(
  facts: FactBase,
  owner: string,
  { invalidIndexes, virtualColumns, domainDefaults, inheritance, left, privileges, identitySequences, objects }: Beyond,
): FactBase {
  const kept = withoutInherited(facts.facts(), inheritance)
    .filter((fact) => left.size === 0 || !left.has(encodeId(fact.id)))
    .filter((fact) => !isClusterWide(fact.id) && !isOwnersDefault(fact) && !isDomainNotNull(fact))
    .filter((fact) => invalidIndexes.size === 0 || !invalidIndexes.has(encodeId(fact.id)))
    .map((fact) => (virtualColumns.size > 0 && virtualColumns.has(encodeId(fact.id)) ? asVirtual(fact) : fact))
    .map((fact) => withDomainDefault(fact, domainDefaults));
  const present = new Set(kept.map((fact) => encodeId(fact.id)));
  // Metadata of a role (its comment) hangs below it and goes with it.
  const whole = kept.filter((fact) => fact.parent === undefined || present.has(encodeId(fact.parent)));
  const edges = facts.edges
    .filter((edge) => !(keepOwnerEdge(edge) && "name" in edge.to && edge.to.name === owner))
    .filter(({ from, to }) => left.size === 0 || !(left.has(encodeId(from)) || left.has(encodeId(to))))
    .flatMap((edge) => (inheritance.size === 0 ? [edge] : withoutInheritedColumns(edge, present)));
  const more = objectsFrom(objects, owner, whole);
  const onIdentities = identitySequencesFrom(identitySequences, whole).filter((fact) => !isOwnersDefault(fact));
  return buildFactBase(
    [...withUnvalidated(whole, more.facts), ...viewPrivilegesFrom(privileges, whole), ...onIdentities, ...more.facts],
    [...edges, ...more.edges],
    facts.source,
    { allowDangling: keepOwnerEdge },
  );
}

/** What stands on an inherited column stands on its table. */
function withoutInheritedColumns(edge: DependencyEdge, present: ReadonlySet<string>): DependencyEdge[] {
  const near = (id: StableId): StableId => {
    const column = asColumn(id);
    if (column === undefined || present.has(encodeId(id))) return id;
    const table = tableId(column.schema, column.table);
    return present.has(encodeId(table)) ? table : id;
  };
  const [from, to] = [near(edge.from), near(edge.to)];
  return encodeId(from) === encodeId(to) ? [] : [{ ...edge, from, to }];
}

function isClusterWide(id: StableId): boolean {
  return id.kind === "role" || id.kind === "membership";
}

function withDomainDefault(fact: Fact, defaults: ReadonlyMap<string, string>): Fact {
  const text = fact.id.kind === "domain" ? defaults.get(encodeId(fact.id)) : undefined;
  return text === undefined ? fact : { ...fact, payload: { ...fact.payload, default: text } };
}

/**
 * Servers from version 17 on keep the NOT NULL of a domain as a constraint, too. The domain's own attribute
 * says the same.
 */
function isDomainNotNull({ parent, payload }: Fact): boolean {
  return parent?.kind === "domain" && payload.type === "n";
}

function isOwnersDefault({ id, payload }: Fact): boolean {
  const ownerDefault = payload._ownerDefault;
  if (id.kind !== "acl" || !Array.isArray(ownerDefault)) return false;
  const { privileges, grantable } = payload;
  return (
    Array.isArray(privileges) &&
    Array.isArray(grantable) &&
    grantable.length === 0 &&
    privileges.length === ownerDefault.length &&
    privileges.every((privilege) => ownerDefault.includes(privilege))
  );
}
