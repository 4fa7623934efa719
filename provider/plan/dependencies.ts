/**
 * Which statements of a list need one another, for those who move some of them (`online/online.ts`). The
 * order itself comes from the planner.
 */
import { encodeId, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { tableOf } from "../catalog/tables.ts";
import type { Statement } from "./statement.ts";

/**
 * What the statements of a list have to do with one another beyond their own tables: which objects one stands
 * on that another makes, changes or drops, and which names one takes that another gives up. The planner keeps
 * to it by the order of the list; who changes that order asks here.
 */
export class StatementDependencies {
  private readonly live: FactBase;
  private readonly desired: FactBase;
  private readonly links: Map<string, string[]>;
  private readonly touched: ReadonlySet<string>;
  private readonly touchedTables: ReadonlySet<string>;
  private readonly namesGivenUp: ReadonlySet<string>;

  constructor(statements: readonly Statement[], { live, desired }: { live: FactBase; desired: FactBase }) {
    this.live = live;
    this.desired = desired;
    const ids = statements.flatMap(({ id }) => id ?? []);
    this.touched = new Set(ids.map(encodeId));
    this.touchedTables = new Set(ids.map((id) => this.tableKey(id)));
    const dropped = statements.filter(({ op, id }) => op === "delete" && id?.kind !== "index");
    this.namesGivenUp = new Set(dropped.flatMap(({ id }) => nameOf(id)));
    this.links = new Map();
    for (const { kind, from, to } of desired.edges) {
      const key = encodeId(from);
      if (kind !== "depends" || !this.touched.has(key)) continue;
      this.links.set(key, [...(this.links.get(key) ?? []), encodeId(to)]);
    }
  }

  /** Encoded ids of what the statement stands on. */
  needs({ id, consumes }: Statement): string[] {
    return [...consumes, ...(id === undefined ? [] : (this.links.get(encodeId(id)) ?? []))];
  }

  /** Whether nothing else in the list has to come before the statement, its own table left aside. */
  isApart(statement: Statement): boolean {
    const { id } = statement;
    if (nameOf(id).some((name) => this.namesGivenUp.has(name))) return false;
    const own = id === undefined ? "" : this.tableKey(id);
    return this.needs(statement).every((needed) => {
      const table = this.tableKey(parseId(needed));
      return table === own ? true : !this.touched.has(needed) && !this.touchedTables.has(table);
    });
  }

  /** Encoded id of the table that an object is a part of; of the object itself where there is none. */
  private tableKey(id: StableId): string {
    return encodeId(tableOf(id, this.live, this.desired) ?? id);
  }
}

/** The name that an object has among tables, views, sequences, indexes and types of its schema. */
function nameOf(id: StableId | undefined): string[] {
  const isOne = id !== undefined && "schema" in id && "name" in id && id.kind !== "function" && id.kind !== "procedure";
  return isOne ? [JSON.stringify([id.schema, id.name])] : [];
}
