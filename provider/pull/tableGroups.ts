/**
 * Which tables share a file: one that others refer to opens a group, and the others join the one that they
 * are a part of, by their name or by a foreign key that deletes them along.
 */
import { parentsOf } from "../catalog/inheritance.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { tableOf } from "../catalog/tables.ts";

/** Tables of one file, the one that gives it its name first. */
export interface TableGroup {
  schema: string;
  name: string;
  tables: StableId[];
}

type Table = Fact & { id: Extract<StableId, { schema: string; name: string }> };

/** The groups in an order in which foreign keys lead backwards, where there is one. */
export function tableGroups(facts: FactBase): TableGroup[] {
  const tables = new Map(
    facts
      .facts()
      .filter(isTable)
      .map((table) => [encodeId(table.id), table]),
  );
  const references = referencesOf(facts, tables);
  const stems = stemsOf(tables.values());
  const referredTo = new Set([...references.values()].flatMap((found) => found.map(({ to }) => to)));
  const parentOf = (table: Table): Table | undefined => {
    const [inherited] = parentsOf(table);
    const parent = inherited === undefined ? undefined : tables.get(encodeId(inherited));
    return parent ?? byName(table, stems) ?? wholeOf(table, tables, references, referredTo);
  };
  const rootOf = (table: Table, seen: readonly Table[] = []): Table => {
    const parent = seen.includes(table) ? undefined : parentOf(table);
    return parent === undefined ? table : rootOf(parent, [...seen, table]);
  };
  const groups = new Map<string, Table[]>();
  for (const table of tables.values()) {
    const root = encodeId(rootOf(table).id);
    groups.set(root, [...(groups.get(root) ?? []), table]);
  }
  const edges = (table: Table): string[] => [
    ...(references.get(encodeId(table.id)) ?? []).map(({ to }) => to),
    ...parentsOf(table).map((id) => encodeId(id)),
  ];
  const groupOf = new Map([...groups].flatMap(([root, members]) => members.map(({ id }) => [encodeId(id), root])));
  const order = sorted([...groups.keys()].sort(), (root) =>
    (groups.get(root) ?? []).flatMap(edges).flatMap((to) => groupOf.get(to) ?? []),
  );
  return order.flatMap((root) => {
    const members = new Map((groups.get(root) ?? []).map((table) => [encodeId(table.id), table]));
    const head = members.get(root);
    if (head === undefined) return [];
    const keys = [root, ...[...members.keys()].filter((key) => key !== root).sort()];
    const inOrder = sorted(keys, (key) => {
      const table = members.get(key);
      return table === undefined ? [] : edges(table).filter((to) => members.has(to));
    });
    return [
      { schema: head.id.schema, name: head.id.name, tables: inOrder.flatMap((key) => members.get(key)?.id ?? []) },
    ];
  });
}

function isTable(fact: Fact): fact is Table {
  return fact.id.kind === "table" || fact.id.kind === "foreignTable";
}

interface Reference {
  to: string;
  /** The row goes with the one that it refers to, and cannot be without it. */
  isWhole: boolean;
}

/** Foreign keys by table. */
function referencesOf(facts: FactBase, tables: ReadonlyMap<string, Table>): Map<string, Reference[]> {
  const found = new Map<string, Reference[]>();
  for (const { id, payload } of facts.facts()) {
    if (id.kind !== "constraint" || payload.type !== "f") continue;
    const from = encodeId({ kind: "table", schema: id.schema, name: id.table });
    const to = facts
      .outgoingEdges(id)
      .map((edge) => encodeId(tableOf(edge.to) ?? edge.to))
      .find((key) => key !== from && tables.has(key));
    if (to === undefined) continue;
    const isWhole = String(payload.def).includes("ON DELETE CASCADE");
    found.set(from, [...(found.get(from) ?? []), { to, isWhole }]);
  }
  return found;
}

const inSchema = (schema: string, name: string): string => JSON.stringify([schema, name]);

/** Tables by what names of their parts begin with: `projects`, `project`. */
function stemsOf(tables: Iterable<Table>): Map<string, Table> {
  const stems = new Map<string, Table>();
  for (const table of tables) {
    const { schema, name } = table.id;
    for (const stem of [name, name.replace(/s$/, ""), name.replace(/es$/, ""), name.replace(/ies$/, "y")])
      if (stem.length > 2) stems.set(inSchema(schema, stem), table);
  }
  return stems;
}

/**
 * `project_members` is a part of `projects`; of several such tables, the one with the longest name counts.
 */
function byName({ id }: Table, stems: ReadonlyMap<string, Table>): Table | undefined {
  for (let end = id.name.lastIndexOf("_"); end > 0; end = id.name.lastIndexOf("_", end - 1)) {
    const whole = stems.get(inSchema(id.schema, id.name.slice(0, end)));
    if (whole !== undefined && whole.id.name !== id.name) return whole;
  }
  return undefined;
}

/** What a table that no other refers to is a part of. */
function wholeOf(
  { id }: Table,
  tables: ReadonlyMap<string, Table>,
  references: ReadonlyMap<string, Reference[]>,
  referredTo: ReadonlySet<string>,
): Table | undefined {
  const key = encodeId(id);
  if (referredTo.has(key)) return undefined;
  const wholes = (references.get(key) ?? []).filter(({ isWhole }) => isWhole).map(({ to }) => to);
  const whole = wholes.length === 1 ? tables.get(wholes[0] ?? "") : undefined;
  return whole?.id.schema === id.schema ? whole : undefined;
}

/** Each behind those that it needs, as far as there is such an order; else as they come. */
function sorted(keys: readonly string[], needs: (key: string) => readonly string[]): string[] {
  const known = new Set(keys);
  const done = new Set<string>();
  const visit = (key: string, path: ReadonlySet<string>): void => {
    if (done.has(key) || path.has(key)) return;
    for (const other of needs(key)) if (known.has(other)) visit(other, new Set([...path, key]));
    done.add(key);
  };
  for (const key of keys) visit(key, new Set());
  return [...done];
}
