/**
 * Which table locks the statements of a transaction take that make others wait. They are taken by
 * `apply/acquireLocks.ts`; room for all locks is counted in `lockCount.ts`.
 */
import { parentOf } from "../catalog/partitions.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { tableOf, tablesOfDomain } from "../catalog/tables.ts";
import type { Lock, Statement } from "./statement.ts";

/** From weak to strong. */
export const STRENGTHS: readonly Lock[] = [
  "none",
  "SHARE UPDATE EXCLUSIVE",
  "SHARE",
  "SHARE ROW EXCLUSIVE",
  "ACCESS EXCLUSIVE",
];

/** Whether readers or writers of a table have to wait for the lock, and it for them. */
export const isStrong = (lock: Lock): boolean => STRENGTHS.indexOf(lock) > STRENGTHS.indexOf("SHARE UPDATE EXCLUSIVE");

/** The strongest of some; `none` of none. */
export const strongest = (locks: readonly Lock[]): Lock =>
  STRENGTHS.findLast((strength) => locks.includes(strength)) ?? "none";

/** The locks of a transaction on tables of the database that make readers or writers wait. */
export interface TableLocks {
  /** The strongest lock of each table, by encoded id. */
  locks: ReadonlyMap<string, Lock>;
  /** Index of the first statement that makes anybody wait; their number when there is none. */
  first: number;
  /** All tables of the database whose readers or writers wait, those of other owners too, by encoded id. */
  waitedFor: ReadonlySet<string>;
}

/** Which tables statements lock, and from which statement on. */
export function locksOf(statements: readonly Statement[], live: FactBase, desired: FactBase): TableLocks {
  const locks = new Map<string, Lock>();
  const waitedFor = new Set<string>();
  const relations = relationsOf(live, desired);
  let first = statements.length;
  for (const [n, statement] of statements.entries()) {
    const strong = locksOfOne(statement, relations, live, desired).filter(
      ([table, lock]) => isStrong(lock) && live.has(table),
    );
    for (const [table] of strong) waitedFor.add(encodeId(table));
    const found = strong.filter(([table]) => !relations.ofOthers.has(encodeId(table)));
    if (found.length > 0 || locksOtherThanTables(statement, live)) first = Math.min(first, n);
    for (const [table, lock] of found) {
      const key = encodeId(table);
      if (STRENGTHS.indexOf(lock) > STRENGTHS.indexOf(locks.get(key) ?? "none")) locks.set(key, lock);
    }
  }
  return { locks, first, waitedFor };
}

/** A view, a sequence, a table of another owner: it is there, and its statement takes the lock itself. */
function locksOtherThanTables(statement: Statement, live: FactBase): boolean {
  const { lock } = statement;
  const id = idNow(statement);
  if (id === undefined || !isStrong(lock)) return false;
  return live.has(tableOf(id, live) ?? id);
}

/** What is renamed has its old name while the locks are taken. */
const idNow = ({ id, renames }: Statement): StableId | undefined => renames ?? id;

function locksOfOne(statement: Statement, relations: Relations, live: FactBase, desired: FactBase): [StableId, Lock][] {
  const { op, lock } = statement;
  const id = idNow(statement);
  if (id === undefined) return [];
  const parent = id.kind === "table" ? (parentOf(id, live) ?? parentOf(id, desired)) : undefined;
  // A partition that comes or goes changes what its parent is to the planner.
  const others: [StableId, Lock][] = parent !== undefined && op !== "update" ? [[parent, "ACCESS EXCLUSIVE"]] : [];
  // A new partition takes no lock of its own, and the strongest on the default one beside it.
  for (const table of statement.locksToo ?? []) others.push([table, lock === "none" ? "ACCESS EXCLUSIVE" : lock]);
  if (!isStrong(lock)) return others;
  if (op === "create") for (const table of tablesOfDomain(id, live)) others.push([table, "SHARE"]);
  const table = tableOf(id, live, desired);
  if (table === undefined) return others;
  const touched = [table, ...referred(id, op, relations, live), ...(reaches(id, op) ? relations.partsOf(table) : [])];
  return [...touched.map((each): [StableId, Lock] => [each, lock]), ...others];
}

/**
 * A foreign key locks the table that it refers to as well, when it comes and when it goes, alone or with its
 * table.
 */
function referred(id: StableId, op: Statement["op"], relations: Relations, live: FactBase): StableId[] {
  if (id.kind === "constraint") return relations.referredBy(id);
  if (id.kind !== "table" || op !== "delete") return [];
  return live
    .childrenOf(id)
    .flatMap(({ id: child }) => (child.kind === "constraint" ? relations.referredBy(child) : []));
}

/**
 * Whether a change of a partitioned table is a change of its parts too; policies and row security are its
 * own.
 */
const reaches = ({ kind }: StableId, op: Statement["op"]): boolean =>
  kind !== "policy" && kind !== "rule" && (kind !== "table" || op === "delete");

/** Of each pair of fact bases: a report asks for the locks of each object of a plan. */
const known = new WeakMap<FactBase, WeakMap<FactBase, Relations>>();

function relationsOf(live: FactBase, desired: FactBase): Relations {
  const ofLive = known.get(live) ?? new WeakMap<FactBase, Relations>();
  known.set(live, ofLive);
  const relations = ofLive.get(desired) ?? new Relations(live, desired);
  ofLive.set(desired, relations);
  return relations;
}

type TablePart = Extract<StableId, { table: string }>;

/** What the facts say of tables to each other. */
class Relations {
  /**
   * Tables of other owners: locking one needs privileges of its own, so its statement takes the lock itself.
   */
  readonly ofOthers: ReadonlySet<string>;
  private readonly dependencies = new Map<string, StableId[]>();
  private readonly parts = new Map<string, StableId[]>();

  constructor(live: FactBase, desired: FactBase) {
    const ofOthers = new Set<string>();
    for (const { kind, from } of live.edges) if (kind === "owner") ofOthers.add(encodeId(from));
    this.ofOthers = ofOthers;
    for (const { kind, from, to } of [...live.edges, ...desired.edges]) {
      if (kind === "depends" && from.kind === "constraint") add(this.dependencies, from, to);
    }
    for (const { id } of live.facts()) {
      const parent = id.kind === "table" ? parentOf(id, live) : undefined;
      // One that goes is locked by its own statement.
      if (parent !== undefined && desired.has(id)) add(this.parts, parent, id);
    }
  }

  /** Other tables that a foreign key refers to. */
  referredBy(constraint: TablePart): StableId[] {
    const { schema, table } = constraint;
    return (this.dependencies.get(encodeId(constraint)) ?? []).flatMap((to) =>
      (to.kind === "column" || to.kind === "constraint") && !(to.schema === schema && to.table === table)
        ? [{ kind: "table", schema: to.schema, name: to.table } as const]
        : [],
    );
  }

  /** Partitions and theirs. */
  partsOf(table: StableId): StableId[] {
    const own = this.parts.get(encodeId(table)) ?? [];
    return [...own, ...own.flatMap((part) => this.partsOf(part))];
  }
}

function add(map: Map<string, StableId[]>, key: StableId, value: StableId): void {
  const encoded = encodeId(key);
  const values = map.get(encoded);
  if (values === undefined) map.set(encoded, [value]);
  else values.push(value);
}
