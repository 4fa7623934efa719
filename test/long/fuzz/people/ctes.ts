import { conditionOn } from "./predicates.ts";
import { grouped, plainSelect, type Query, values } from "./queries.ts";
import type { Column, Relation, Scope } from "./scope.ts";
import { setOperation } from "./setOperations.ts";
import { constantOf, type Field, INTEGER, TEXT } from "./types.ts";

export function withQueries(scope: Scope, depth: number): Query {
  const { draw } = scope;
  const count = 1 + draw.below(3);
  const made: string[] = [];
  const relations: Relation[] = [];
  for (let n = 0; n < count; n++) {
    const inner = { ...scope, relations: [...scope.relations, ...relations] };
    const part = draw.chance(35) ? constants(scope) : draw.one([plainSelect, setOperation, grouped])(inner, depth - 1);
    const name = draw.one([`cte_${n}`, `cte_${n}`, `"Cte ${n}"`]);
    const list =
      draw.chance(30) && part.columns.every((column) => column.name !== undefined)
        ? part.columns.map((_, at) => `c${at}`)
        : undefined;
    made.push(
      `${name}${list === undefined ? "" : `(${list.join(", ")})`} as ${draw.one(["", "", "materialized ", "not materialized "])}(${part.sql})`,
    );
    const columns: Field[] = part.columns.flatMap(({ name: own, type }, at) => {
      const known = list?.[at] ?? own;
      return known === undefined ? [] : [{ name: known, type }];
    });
    if (columns.length > 0) relations.push({ sql: name, columns });
  }
  const last = relations.at(-1);
  const all = {
    ...scope,
    relations:
      last === undefined || draw.chance(20)
        ? scope.relations
        : draw.chance(60)
          ? relations
          : [...scope.relations, last],
  };
  const main = draw.one([plainSelect, setOperation, starredFlat])(all, depth - 1);
  return { sql: `with ${made.join(", ")} ${main.sql}`, columns: main.columns };
}

const starredFlat = (scope: Scope, depth: number): Query =>
  scope.relations.length === 0 ? values(scope) : plainSelect(scope, depth);

function constants({ draw, types }: Scope): Query {
  const list = Array.from({ length: 1 + draw.below(3) }, (_, n) => ({
    name: `c${n}`,
    type: draw.chance(50) ? TEXT : (draw.pick(types) ?? TEXT),
  }));
  return {
    sql: `select ${list.map(({ name, type }) => `${draw.chance(10) ? "null" : constantOf(draw, type)} as ${name}`).join(", ")}`,
    columns: list,
  };
}

export function recursive(scope: Scope): Query {
  const { draw } = scope;
  const relation = draw.pick(
    scope.relations.filter(({ columns }) => columns.some(({ name, type }) => name === "id" && type === INTEGER)),
  );
  const column: Column = { ref: "r.n", type: INTEGER };
  const start =
    relation !== undefined && draw.chance(50)
      ? `select t.id, array['a'] from ${relation.sql} t`
      : draw.one(["select 1, array['a']", "values (1, array['a'::text])", "select 1, '{}'::text[]"]);
  const step = draw.one([
    "select r.n + 1, r.path || 'x'::text from r where r.n < 10",
    `select r.n + 1, r.path || array['b'] from r where r.n < 5 and ${conditionOn(scope, column)}`,
    ...(relation === undefined
      ? []
      : [`select t.id, r.path || t.id::text from ${relation.sql} t join r on t.id = r.n + 1 and r.n < 5`]),
  ]);
  const marks = draw.one([
    "",
    "",
    " search depth first by n set ord",
    " search breadth first by n, path set ord",
    " cycle n set is_cycle using trail",
    " cycle n, path set is_cycle to 'Y' default 'N' using trail",
    " search depth first by n set ord cycle n set is_cycle using trail",
  ]);
  const list = draw.one(["n, path", "*", "n as x, path[1] as first_step"]);
  return {
    sql: `with recursive r(n, path) as (${start} ${draw.one(["union all", "union"])} ${step})${marks} select ${list} from r${draw.one(["", " order by 1", " where n in (1, 2)"])}`,
    columns: [],
  };
}
