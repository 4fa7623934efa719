import type { Query } from "./queries.ts";
import type { Scope } from "./scope.ts";
import { constantOf, type SqlType, TEXT } from "./types.ts";
import { plainValue, value } from "./values.ts";

/** Two to four queries of the same types, put together. */
export function setOperation(scope: Scope, depth: number): Query {
  const { draw } = scope;
  const relation = draw.pick(scope.relations);
  const pool = relation !== undefined && draw.chance(70) ? relation.columns.map(({ type }) => type) : scope.types;
  const types = Array.from({ length: 1 + draw.below(3) }, () => (draw.chance(25) ? TEXT : (draw.pick(pool) ?? TEXT)));
  const sortable = types.every(({ ordered }) => ordered);
  const operator = (): string =>
    sortable
      ? draw.one(["union all", "union all", "union", "intersect", "except", "except all", "union distinct"])
      : "union all";
  const count = 2 + draw.below(3);
  const branches = Array.from({ length: count }, (_, n) => branch(scope, types, n === 0, depth));
  const [first = "", second = "", ...rest] = branches;
  const head = draw.chance(20) && count > 2 ? `(${first} ${operator()} ${second})` : `${first} ${operator()} ${second}`;
  const sql = rest.reduce(
    (all, next) =>
      draw.chance(25) ? `${all} ${operator()} (${next} ${operator()} ${next})` : `${all} ${operator()} ${next}`,
    head,
  );
  const order = sortable ? draw.one(["", "", " order by 1", " order by c0 desc limit 3", " limit 1"]) : "";
  return { sql: `${sql}${order}`, columns: types.map((type, n) => ({ name: `c${n}`, type })) };
}

function branch(scope: Scope, types: readonly SqlType[], isFirst: boolean, depth: number): string {
  const { draw } = scope;
  const relation = draw.pick(scope.relations);
  const alias = scope.alias();
  const name = (n: number): string =>
    isFirst ? `${draw.one([" as ", " as ", " "])}c${n}` : draw.one(["", "", ` as d${n}`]);
  if (relation === undefined || draw.chance(45)) {
    const list = types.map(
      (type, n) => `${draw.chance(15) ? "null" : constantOf(draw, type, isFirst && type.family !== "text")}${name(n)}`,
    );
    if (!isFirst && draw.chance(20)) return `values (${types.map((type) => constantOf(draw, type)).join(", ")})`;
    return `select ${list.join(", ")}`;
  }
  const columns = relation.columns.map((column) => ({ ref: `${alias}.${column.name}`, type: column.type }));
  const inner = { ...scope, columns, rows: [alias] };
  const list = types.map((type, n) => {
    const made = draw.chance(15) ? "null" : draw.chance(20) ? value(inner, type, depth - 1) : plainValue(inner, type);
    return `${made}${name(n)}`;
  });
  return `select ${list.join(", ")} from ${relation.sql} ${alias}`;
}
