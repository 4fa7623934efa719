import { recursive, withQueries } from "./ctes.ts";
import { predicate } from "./predicates.ts";
import type { Scope } from "./scope.ts";
import { setOperation } from "./setOperations.ts";
import { type Source, source } from "./sources.ts";
import { BIGINT, constantOf, INTEGER, type SqlType, TEXT } from "./types.ts";
import { value } from "./values.ts";

/**
 * A query as stands in a view, with what it gives. A name that is not known is one that the server makes up.
 */
export interface Query {
  sql: string;
  columns: readonly { name: string | undefined; type: SqlType }[];
}

export function query(scope: Scope, depth = 2): Query {
  switch (scope.draw.below(16)) {
    case 0:
    case 1:
    case 2:
      return plainSelect(scope, depth);
    case 3:
    case 4:
      return grouped(scope, depth);
    case 5:
    case 6:
      return windowed(scope, depth);
    case 7:
    case 8:
    case 9:
      return setOperation(scope, depth);
    case 10:
    case 11:
      return withQueries(scope, depth);
    case 12:
      return recursive(scope);
    case 13:
      return distinctOn(scope, depth);
    case 14:
      return values(scope);
    default:
      return starred(scope, depth);
  }
}

/** The scope of what stands behind FROM. */
const within = (scope: Scope, { columns, rows }: Source): Scope => ({ ...scope, columns, rows });

/** A select list without a name twice: some columns as they are, some expressions under names. */
function selectList(scope: Scope, depth: number): { sql: string; columns: Query["columns"] } {
  const { draw } = scope;
  const parts: string[] = [];
  const columns: { name: string | undefined; type: SqlType }[] = [];
  const nameOf = (ref: string): string => /(?:^|\.)("(?:[^"]|"")*"|[^".]+)$/.exec(ref)?.[1] ?? ref;
  for (const { ref, type } of draw.some(scope.columns, 4)) {
    const name = nameOf(ref);
    if (columns.some((column) => column.name === name)) continue;
    parts.push(ref);
    columns.push({ name, type });
  }
  const count = draw.below(4);
  for (let n = 0; n < count; n++) {
    const type = draw.chance(70) ? draw.pick(scope.columns)?.type : draw.pick(scope.types);
    const made = draw.chance(20) ? undefined : value(scope, type ?? TEXT, depth);
    const expression = made ?? (draw.chance(40) ? `(${predicate(scope, depth)})` : constantOf(draw, type ?? TEXT));
    // The server makes up one name; two that it makes up may be the same.
    if (draw.chance(25) && !columns.some(({ name }) => name === undefined)) {
      parts.push(expression);
      columns.push({ name: undefined, type: type ?? TEXT });
      continue;
    }
    const name = draw.one([`x${n}`, `x${n}`, `"X ${n}"`, `"x.${n}"`]);
    parts.push(`${expression} as ${name}`);
    columns.push({ name, type: type ?? TEXT });
  }
  return { sql: parts.join(", "), columns };
}

function tail(scope: Scope, from: Source, canLock: boolean): string {
  const { draw } = scope;
  const order = draw.pick(scope.columns.filter(({ type }) => type.ordered))?.ref;
  const table = draw.pick(from.lockable);
  const lock =
    canLock && table !== undefined && draw.chance(15)
      ? ` ${draw.one(["for update", `for share of ${table}`, "for no key update nowait", `for key share of ${table} skip locked`])}`
      : "";
  if (order === undefined || draw.chance(40)) return lock;
  const by = draw.one(["", " desc", " asc nulls first", " desc nulls last", " using <", " using >"]);
  const limits = [
    "",
    "",
    "",
    " limit 10",
    " limit 5 offset 2",
    " offset 1",
    " fetch first 3 rows only",
    " fetch first row only",
    " limit all",
    " limit 1 + 1",
    " limit null",
    ...(lock === "" ? [" fetch first 3 rows with ties", " fetch first (1 + 1) rows with ties"] : []),
  ];
  return ` order by ${order}${by}${draw.pick(limits) ?? ""}${lock}`;
}

export function plainSelect(scope: Scope, depth: number): Query {
  const from = source(scope, depth);
  const inner = within(scope, from);
  const list = selectList(inner, depth);
  const where = scope.draw.chance(60) ? ` where ${predicate(inner, depth)}` : "";
  return { sql: `select ${list.sql} from ${from.sql}${where}${tail(inner, from, true)}`, columns: list.columns };
}

function starred(scope: Scope, depth: number): Query {
  const { draw } = scope;
  const relation = draw.pick(scope.relations);
  if (relation === undefined) return values(scope);
  if (draw.chance(15)) return { sql: `table ${relation.sql}`, columns: relation.columns };
  const a = scope.alias();
  const columns = relation.columns.map(({ name, type }) => ({ ref: `${a}.${name}`, type }));
  const inner = { ...scope, columns, rows: [a] };
  const list = draw.one([
    "*",
    `${a}.*`,
    `${a}.*, ${constantOf(draw, TEXT)} as extra_1`,
    `${a} as whole_row`,
    `(${a}).*`,
  ]);
  const gives = list.includes("whole") ? [{ name: "whole_row", type: TEXT }] : relation.columns;
  return { sql: `select ${list} from ${relation.sql} ${a} where ${predicate(inner, depth)}`, columns: gives };
}

export function values({ draw }: Scope): Query {
  const rows = draw.one([
    "(1, 'a'), (2, 'b')",
    "(1, null), (2, 'b'::varchar(3))",
    "('a'), ('b')",
    "(1.5, date '2024-01-01', 'x'), (2, null, null)",
    "(array['a']), ('{b}')",
    "(null)",
  ]);
  return {
    sql: `values ${rows}${draw.one(["", " order by 1", " limit 1"])}`,
    columns: [{ name: "column1", type: TEXT }],
  };
}

function distinctOn(scope: Scope, depth: number): Query {
  const { draw } = scope;
  const from = source(scope, depth - 1);
  const inner = within(scope, from);
  const list = selectList(inner, depth - 1);
  const key = draw.pick(inner.columns.filter(({ type }) => type.ordered));
  if (key === undefined) return { sql: `select ${list.sql} from ${from.sql}`, columns: list.columns };
  const on = draw.chance(30) ? `(${value(inner, key.type, 1)})` : key.ref;
  const distinct = draw.chance(75) ? `distinct on (${on})` : `distinct on (${on}, ${inner.columns[0]?.ref ?? on})`;
  return {
    sql: `select ${distinct} ${list.sql} from ${from.sql} order by ${on}${draw.one(["", " desc"])}`,
    columns: list.columns,
  };
}

export function grouped(scope: Scope, depth: number): Query {
  const { draw } = scope;
  const from = source(scope, depth - 1);
  const inner = within(scope, from);
  const keys = draw.some(
    inner.columns.filter(({ type }) => type.ordered),
    3,
  );
  const [first] = keys;
  if (first === undefined)
    return { sql: `select count(*) as n from ${from.sql}`, columns: [{ name: "n", type: BIGINT }] };
  const refs = keys.map(({ ref }) => ref).join(", ");
  const by = draw.one([
    refs,
    refs,
    `rollup (${refs})`,
    `cube (${refs})`,
    `grouping sets ((${refs}), (${first.ref}), ())`,
    `${first.ref}, rollup (${refs})`,
    `distinct ${refs}`,
    "1",
  ]);
  const arg = value(inner, TEXT, 1);
  const aggregate = draw.one([
    "count(*)",
    `count(distinct ${arg})`,
    `count(*) filter (where ${predicate(inner, 1)})`,
    `string_agg(${arg}::text, ',' order by ${first.ref} desc)`,
    `array_agg(${arg} order by ${arg})`,
    `sum(case when ${predicate(inner, 1)} then 1 else 0 end)`,
    `percentile_cont(0.5) within group (order by ${value(inner, INTEGER, 1)})`,
    `mode() within group (order by ${first.ref})`,
    `bool_or(${predicate(inner, 1)})`,
    `jsonb_object_agg(coalesce(${arg}::text, ''), 1)`,
    `grouping(${first.ref})`.replace(/^grouping.*/, by === "1" ? "count(*)" : `grouping(${first.ref})`),
    `percentile_disc(array[0.25, 0.75]) within group (order by ${value(inner, INTEGER, 1)} desc nulls last)`,
    `rank(5) within group (order by ${inner.columns[0]?.ref ?? first.ref})`.replace(/^rank.*/, "max(5)"),
  ]);
  const having = draw.chance(30)
    ? ` having ${draw.one(["count(*) > 1", `max(${arg}::text) in ('a', 'b')`, `bool_and(${predicate(inner, 1)})`])}`
    : "";
  const list = by === "1" ? first.ref : refs;
  const named =
    keys.length === 1 || by === "1" ? `${list} as k0` : keys.map(({ ref }, n) => `${ref} as k${n}`).join(", ");
  return {
    sql: `select ${named}, ${aggregate}${draw.one([" as agg", ""])} from ${from.sql} group by ${by}${having}`,
    columns: [{ name: "k0", type: first.type }],
  };
}

function windowed(scope: Scope, depth: number): Query {
  const { draw } = scope;
  const from = source(scope, depth - 1);
  const inner = within(scope, from);
  const ordered = inner.columns.filter(({ type }) => type.ordered);
  const [key, other] = [draw.pick(ordered), draw.pick(ordered)];
  if (key === undefined || other === undefined) return plainSelect(scope, depth);
  const spec = `partition by ${key.ref} order by ${other.ref}${draw.one(["", " desc nulls last"])}`;
  const frame = draw.one([
    "",
    " rows between 1 preceding and current row",
    " rows unbounded preceding",
    " groups between 2 preceding and 1 following exclude ties",
    " range between unbounded preceding and unbounded following exclude current row",
    " rows between 1 + 1 preceding and unbounded following exclude group",
  ]);
  const call = draw.one([
    "row_number()",
    "rank()",
    `lag(${key.ref}, 1)`,
    `lag(${key.ref}, 1, ${key.ref})`,
    `first_value(${other.ref})`,
    "count(*)",
    `count(*) filter (where ${predicate(inner, 1)})`,
    `nth_value(${key.ref}, 2)`,
    "ntile(4)",
  ]);
  const over = draw.one([
    `over (${spec}${frame})`,
    `over w`,
    `over (w${frame})`,
    "over ()",
    `over (order by ${predicate(inner, 1)}${frame})`,
    `over (order by ${key.ref} range between unbounded preceding and current row)`,
  ]);
  const windows =
    over.includes("w") && /over \(?w/.test(over)
      ? ` window w as (${spec})${draw.one(["", ", w2 as (partition by 1)", ", w3 as (w)"])}`
      : "";
  return {
    sql: `select ${key.ref} as k, ${call} ${over}${draw.one([" as win", ""])} from ${from.sql}${windows}`,
    columns: [{ name: "k", type: key.type }],
  };
}

/** CTEs before any query that reads them and tables. */
/** A row of nothing but constants. */
