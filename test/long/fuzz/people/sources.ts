import { conditionOn } from "./predicates.ts";
import type { Column, Relation, Scope } from "./scope.ts";
import { arrayOf, BIGINT, BOOLEAN, constantOf, type Field, INTEGER, JSONB, TEXT } from "./types.ts";
import { plainValue } from "./values.ts";

/** What stands behind FROM, and what may be said of it. */
export interface Source {
  sql: string;
  columns: readonly Column[];
  rows: readonly string[];
  /** Base tables by the name that FOR UPDATE takes. */
  lockable: readonly string[];
  /** `*` gives no name twice. */
  isFlat: boolean;
}

const under = (alias: string, columns: readonly Field[]): Column[] =>
  columns.map(({ name, type }) => ({ ref: `${alias}.${name}`, type }));

/** Something to select from: a table mostly, or tables joined, or a function, or a query. */
export function source(scope: Scope, depth: number): Source {
  const { draw } = scope;
  const relation = draw.pick(scope.relations);
  if (relation === undefined) return functionSource(scope);
  const withKey = scope.relations.filter(({ columns }) =>
    columns.some(({ name, type }) => name === "id" && type === INTEGER),
  );
  const keyed = { ...scope, relations: withKey };
  const known = draw.pick(withKey);
  const isTable = scope.relations.indexOf(relation) < 2;
  switch (draw.below(depth <= 0 ? 3 : 14)) {
    case 0:
    case 1:
    case 2:
    case 3:
      return tableSource(scope, relation);
    case 4:
    case 5:
    case 6:
      return known === undefined ? tableSource(scope, relation) : joined(keyed, known);
    case 7:
      return known === undefined ? functionSource(scope) : lateral(keyed, known);
    case 8:
      return functionSource(scope);
    case 9:
      return derived(scope, relation);
    case 10:
      return isTable ? sampled(scope, relation) : derived(scope, relation);
    case 11:
      return renamed(scope, relation);
    case 12:
      return known === undefined ? renamed(scope, relation) : twoJoined(keyed, known);
    default:
      return jsonSource(scope) ?? tableSource(scope, relation);
  }
}

function tableSource(scope: Scope, { sql, columns }: Relation): Source {
  const { draw } = scope;
  if (draw.chance(20)) {
    const bare = columns.map(({ name, type }) => ({ ref: name, type }));
    return { sql, columns: bare, rows: [], lockable: [], isFlat: true };
  }
  const alias = scope.alias();
  const inner = draw.chance(15) ? `only ${sql}` : sql;
  return {
    sql: `${inner} ${draw.one(["", "as "])}${alias}`,
    columns: under(alias, columns),
    rows: [alias],
    lockable: [alias],
    isFlat: true,
  };
}

/** Two tables, by a condition or by the columns that both have. */
function joined(scope: Scope, left: Relation): Source {
  const { draw } = scope;
  const right = draw.pick(scope.relations) ?? left;
  const [a, b] = [scope.alias(), scope.alias()];
  const kind = draw.one(["join", "left join", "right outer join", "full join", "inner join"]);
  const columns = [...under(a, left.columns), ...under(b, right.columns)];
  const rows = [a, b];
  const tables = (join: string): string => `${left.sql} ${a} ${join} ${right.sql} as ${b}`;
  const whole = { columns, rows, lockable: kind.endsWith(" join") && kind !== "inner join" ? [] : [a], isFlat: false };
  switch (draw.below(6)) {
    case 0:
      return { ...whole, sql: `${tables(kind)} on ${a}.id = ${b}.id` };
    case 1:
      return { ...whole, sql: `${tables("cross join")}`, lockable: [a] };
    case 2:
      return { ...whole, sql: `${tables(kind)} using (id)`, columns: [{ ref: "id", type: INTEGER }, ...columns] };
    case 3: {
      const j = scope.alias();
      return {
        ...whole,
        sql: `${tables(kind)} using (id) as ${j}`,
        columns: [{ ref: `${j}.id`, type: INTEGER }, ...columns],
      };
    }
    case 4:
      return { ...whole, sql: `${left.sql} ${a}, ${right.sql} ${b}`, lockable: [a] };
    default: {
      const n = scope.alias();
      return {
        ...whole,
        sql: `${left.sql} ${a} natural ${kind} (select id, ${constantOf(draw, TEXT)} as extra from ${right.sql}) ${n}`,
        columns: [{ ref: "id", type: INTEGER }, ...under(a, left.columns), { ref: "extra", type: TEXT }],
        rows: [a, n],
        lockable: [],
      };
    }
  }
}

/** Joins within joins. */
function twoJoined(scope: Scope, one: Relation): Source {
  const { draw } = scope;
  const [two, three] = [draw.pick(scope.relations) ?? one, draw.pick(scope.relations) ?? one];
  const [a, b, c] = [scope.alias(), scope.alias(), scope.alias()];
  const columns = [...under(a, one.columns), ...under(b, two.columns), ...under(c, three.columns)];
  const kind = (): string => draw.one(["join", "left join", "right join", "full join"]);
  const id: Column = { ref: "id", type: INTEGER };
  const whole = { rows: [a, b, c], lockable: [], isFlat: false };
  switch (draw.below(4)) {
    case 0:
      return {
        ...whole,
        sql: `${one.sql} ${a} ${kind()} ${two.sql} ${b} using (id) ${kind()} ${three.sql} ${c} using (id)`,
        columns: [id, ...columns],
      };
    case 1:
      return {
        ...whole,
        sql: `${one.sql} ${a} ${kind()} (${two.sql} ${b} ${kind()} ${three.sql} ${c} on ${b}.id = ${c}.id) on ${a}.id = ${b}.id`,
        columns,
      };
    case 2: {
      const j = scope.alias();
      return {
        ...whole,
        sql: `${one.sql} ${a} ${kind()} (${two.sql} ${b} ${kind()} ${three.sql} ${c} using (id)) as ${j}(x) on true`,
        columns: under(a, one.columns),
        rows: [a],
      };
    }
    default:
      return {
        ...whole,
        sql: `(${one.sql} ${a} ${kind()} ${two.sql} ${b} using (id)) ${kind()} ${three.sql} ${c} using (id)`,
        columns: [id, ...columns],
      };
  }
}

function lateral(scope: Scope, relation: Relation): Source {
  const { draw } = scope;
  const other = draw.pick(scope.relations) ?? relation;
  const [a, b, l] = [scope.alias(), scope.alias(), scope.alias()];
  const outer = under(a, relation.columns);
  const inner = other.columns[draw.below(other.columns.length)];
  if (inner === undefined) return tableSource(scope, relation);
  const query = draw.one([
    `(select ${b}.${inner.name} as got, ${a}.id as from_outer from ${other.sql} ${b} where ${b}.id = ${a}.id limit 1)`,
    `(select ${b}.${inner.name} got, ${conditionOn(scope, { ref: `${b}.${inner.name}`, type: inner.type })} as from_outer from ${other.sql} ${b} where ${b}.id > ${a}.id order by ${b}.id desc)`,
  ]);
  const sql = draw.one([
    `${relation.sql} ${a}, lateral ${query} ${l}`,
    `${relation.sql} ${a} left join lateral ${query} as ${l} on true`,
    `${relation.sql} ${a} cross join lateral ${query} ${l}`,
  ]);
  return { sql, columns: [...outer, { ref: `${l}.got`, type: inner.type }], rows: [a, l], lockable: [], isFlat: true };
}

function derived(scope: Scope, { sql, columns }: Relation): Source {
  const { draw } = scope;
  const [a, b] = [scope.alias(), scope.alias()];
  const some = draw.some(columns, 3);
  const list = some.map(({ name }) => `${b}.${name}`).join(", ");
  const extra = constantOf(draw, TEXT);
  const inner = `select ${list}, ${extra} as extra from ${sql} ${b}`;
  const withExtra = [...some, { name: "extra", type: TEXT }];
  if (draw.chance(40)) {
    const names = withExtra.map((_, n) => `c${n}`);
    const fields = withExtra.map(({ type }, n) => ({ name: `c${n}`, type }));
    return {
      sql: `(${inner}) as ${a}(${names.join(", ")})`,
      columns: under(a, fields),
      rows: [a],
      lockable: [],
      isFlat: true,
    };
  }
  return { sql: `(${inner}) ${a}`, columns: under(a, withExtra), rows: [a], lockable: [], isFlat: true };
}

function sampled(scope: Scope, { sql, columns }: Relation): Source {
  const alias = scope.alias();
  const sample = scope.draw.one(["bernoulli (10)", "system (1.5) repeatable (42)", "bernoulli ('5')"]);
  return {
    sql: `${sql} as ${alias} tablesample ${sample}`,
    columns: under(alias, columns),
    rows: [alias],
    lockable: [],
    isFlat: true,
  };
}

function renamed(scope: Scope, { sql, columns }: Relation): Source {
  const alias = scope.alias();
  const count = 1 + scope.draw.below(columns.length);
  const fields = columns.map(({ name, type }, n) => ({ name: n < count ? `r${n}` : name, type }));
  const names = fields.slice(0, count).map(({ name }) => name);
  return {
    sql: `${sql} as ${alias}(${names.join(", ")})`,
    columns: under(alias, fields),
    rows: [alias],
    lockable: [],
    isFlat: true,
  };
}

/** Functions and VALUES in FROM, which need no table. */
export function functionSource(scope: Scope): Source {
  const { draw } = scope;
  const f = scope.alias();
  const made = (sql: string, fields: readonly Field[]): Source => ({
    sql,
    columns: under(f, fields),
    rows: [f],
    lockable: [],
    isFlat: true,
  });
  const text = { name: "v", type: TEXT };
  const number = { name: "n", type: INTEGER };
  const forms: [Source, ...Source[]] = [
    made(`generate_series(1, 10) as ${f}(n)`, [number]),
    made(`generate_series(1, 10) with ordinality as ${f}(n, ord)`, [number, { name: "ord", type: BIGINT }]),
    made(`unnest(array['a', 'b'], array[1, 2]) as ${f}(v, n)`, [text, number]),
    made(`unnest('{a,b}'::varchar[]) with ordinality ${f}(v, i)`, [text]),
    made(`rows from (generate_series(1, 3), unnest(array['x'])) as ${f}(n, v)`, [number, text]),
    made(
      `rows from (generate_series(1, 3), jsonb_to_recordset('[]') as (a int, b text)) with ordinality as ${f}(n, a, v, o)`,
      [number, text],
    ),
    made(`jsonb_to_recordset('[{"v": "x"}]') as ${f}(v text, n int, amount numeric(10,2))`, [text, number]),
    made(`json_to_record('{}') as ${f}(v varchar(5), n integer, "Odd" timestamp(3))`, [number]),
    made(`jsonb_each_text(${constantOf(draw, JSONB, true)}) as ${f}(k, v)`, [text]),
    made(`jsonb_each_text('{}') ${f}`, [{ name: "key", type: TEXT }]),
    made(`regexp_split_to_table('a,b', ',') ${f}(v)`, [text]),
    made(`(values (1, 'a'), (2, 'b'), (3, null)) as ${f}(n, v)`, [number, text]),
    made(`(values (1, 'a'::varchar(3)), (2, 'b')) ${f}(n, v)`, [number]),
    made(`(values ('a', true)) ${f}`, [
      { name: "column1", type: TEXT },
      { name: "column2", type: BOOLEAN },
    ]),
    made(`current_date as ${f}(d)`, []),
    made(`coalesce(1, 2) as ${f}(n)`, [number]),
    made(`string_to_table('a b', ' ') as ${f}(v)`, [text]),
    made(`(select array['a', 'b'] as list) ${f}`, [{ name: "list", type: arrayOf(TEXT) }]),
    made(
      `xmltable('/r/x' passing '<r><x a="1">b</x></r>'::xml columns n int path '@a', v text path '.' default 'none' not null, o for ordinality) as ${f}`,
      [number, text],
    ),
    made(`xmltable(xmlnamespaces('http://x' as x), '/x:r' passing xml '<r/>' columns v varchar(10)) ${f}`, []),
  ];
  return draw.pick(forms) ?? forms[0];
}

function jsonSource(scope: Scope): Source | undefined {
  const { draw, major } = scope;
  if (major < 17) return undefined;
  const j = scope.alias();
  const json = plainValue({ ...scope, columns: [] }, JSONB);
  const columns = [
    { name: "n", type: INTEGER },
    { name: "v", type: TEXT },
  ];
  const sql = draw.one([
    `json_table(${json}, '$[*]' columns (n int path '$.n', v text path '$.v' default 'x' on empty)) as ${j}`,
    `json_table(${json}, '$.a[*]' as root columns (o for ordinality, n int, v text exists path '$.v', nested path '$.b[*]' as inner_path columns (w varchar(3), x jsonb format json path '$' with wrapper))) ${j}`,
    `json_table(${json}, '$' passing 1 as x columns (n int path '$.n ? (@ > $x)' null on empty error on error, v text path '$' keep quotes) error on error) as ${j}`,
    `json_table(${json}, '$[*]' columns (n int, v text, nested '$.c' columns (c1 int), nested path '$.d' columns (d1 text))) ${j}`,
  ]);
  return { sql, columns: under(j, columns), rows: [j], lockable: [], isFlat: true };
}
