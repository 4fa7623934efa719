import type { Draw } from "../draw.ts";
import { conditionOn, predicate } from "./predicates.ts";
import { query } from "./queries.ts";
import type { Parameter } from "./scope.ts";
import { arrayOf, BOOLEAN, constantOf, INTEGER, SERVER_TYPES, TEXT } from "./types.ts";
import { value } from "./values.ts";
import { bare, prefixed, type Table, type World } from "./world.ts";

/** A function that expressions may call: it depends on nothing but its arguments. */
export function addScalar(world: World, draw: Draw): void {
  const base = world.name(draw, "fn");
  const result = draw.one([TEXT, INTEGER, BOOLEAN, SERVER_TYPES[1] ?? TEXT]);
  const overloads = draw.chance(25) ? 2 : 1;
  for (let n = 0; n < overloads; n++) {
    const type = draw.one([TEXT, INTEGER, SERVER_TYPES[1] ?? TEXT]);
    const first: Parameter = { name: "a", type: n === 0 ? type : arrayOf(TEXT) };
    const second: Parameter = {
      name: '"B b"',
      type: draw.pick([...SERVER_TYPES, ...world.types]) ?? TEXT,
      hasDefault: true,
    };
    const variadic: Parameter = { name: "v", type: TEXT, variadic: true };
    const parameters = draw.one([[first], [first, second], [first, variadic], [first, second]]);
    const made = (own: Draw): string => {
      const list = parameters.map((parameter) => {
        const byDefault =
          parameter.hasDefault === true
            ? ` ${own.one(["default", "="])} ${value(world.scope(own, [], { relations: [], routines: [] }), parameter.type, 1)}`
            : "";
        return `${parameter.variadic === true ? "variadic " : ""}${parameter.name} ${parameter.type.sql}${parameter.variadic === true ? "[]" : ""}${byDefault}`;
      });
      const columns = bare(parameters.filter(({ variadic: many }) => many !== true));
      const scope = world.scope(own, columns, { relations: [], routines: [], immutable: true });
      const body = value(scope, result, 2);
      const text = own.one([`return ${body}`, `begin atomic select ${body}; end`, `return (${body})`]);
      return `create function ${base}(${list.join(", ")}) returns ${result.sql} language sql immutable ${text}`;
    };
    world.add("function", made(draw), { name: base, again: made });
    world.routines.push({ sql: base, parameters, result });
  }
}

export function addTriggerFunction(world: World): string {
  const name = "app.on_change";
  world.add(
    "trigger function",
    `create function ${name}() returns trigger language plpgsql as $$ begin return coalesce(new, old); end $$`,
    { name },
  );
  return name;
}

/** A function or procedure that reads or writes tables. */
export function addRoutine(world: World, draw: Draw, table: Table): void {
  const name = world.name(draw, "sp");
  const made = (own: Draw): string => {
    const args: Parameter[] = [{ name: "arg", type: own.one(SERVER_TYPES) }];
    const [arg] = args;
    const from =
      arg === undefined
        ? ""
        : `${arg.name} ${arg.type.sql}${own.chance(40) ? ` default ${constantOf(own, arg.type)}` : ""}`;
    const outer = bare(args);
    if (own.chance(35)) {
      const read = query(world.scope(own, outer), 2);
      const rows = own.chance(50) ? "setof record" : "bigint";
      const body = rows === "bigint" ? `select count(*) from (${read.sql}) counted` : read.sql;
      return `create function ${name}(${from}) returns ${rows} language sql stable begin atomic ${body}; end`;
    }
    const count = 1 + own.below(3);
    const actions = Array.from({ length: count }, () => action(world, own, table, outer));
    if (own.chance(40)) return `create procedure ${name}(${from}) language sql begin atomic ${actions.join("; ")}; end`;
    const last = own.one([
      `${changing(world, own, table, outer)} returning id`,
      `select id from ${table.sql} where ${predicate(world.scope(own, [...prefixed(table.sql, table.columns), ...outer]), 1)}`,
    ]);
    return `create function ${name}(${from}) returns setof integer language sql begin atomic ${[...actions, last].join("; ")}; end`;
  };
  world.add("routine", made(draw), { name, again: made });
}

type Columns = ReturnType<typeof bare>;

/** A statement that writes. */
function action(world: World, draw: Draw, table: Table, outer: Columns): string {
  return draw.chance(20) ? merge(world, draw, table) : changing(world, draw, table, outer);
}

/** Columns that a statement may set. */
const settable = ({ columns }: Table, draw: Draw): Table["columns"] => {
  const rest = columns.filter(({ name, isGenerated }) => name !== "id" && isGenerated !== true);
  return draw.some(rest, 2);
};

function changing(world: World, draw: Draw, table: Table, outer: Columns): string {
  const set = settable(table, draw);
  const [one] = set;
  if (one === undefined) return `delete from ${table.sql}`;
  const inner = world.scope(draw, [...prefixed("w", table.columns), ...outer]);
  const names = set.map(({ name }) => name).join(", ");
  const constants = set.map(({ type }) => (draw.chance(15) ? "default" : constantOf(draw, type))).join(", ");
  const values = set.map(({ type }) => constantOf(draw, type)).join(", ");
  const other = draw.pick(world.relations) ?? table;
  switch (draw.below(11)) {
    case 0:
      return `insert into ${table.sql} (id, ${names}) values (1, ${constants})`;
    case 1:
      return `insert into ${table.sql} as w (id, ${names}) values (1, ${values}), (2, ${values}) on conflict (id) do update set ${one.name} = excluded.${one.name} where ${predicate(inner, 1)}`;
    case 2:
      return `insert into ${table.sql} (id, ${names}) select w.id, ${set.map(({ type }) => value(inner, type, 1)).join(", ")} from ${table.sql} w where ${predicate(inner, 1)} on conflict do nothing`;
    case 3:
      return `insert into ${table.sql} (id) overriding user value values (1)`;
    case 4:
      return `update ${table.sql} as w set ${one.name} = ${value(inner, one.type, 1)} where ${predicate(inner, 1)}`;
    case 5:
      return `update ${table.sql} w set (${names}${set.length === 1 ? ", id" : ""}) = (select ${values}${set.length === 1 ? ", 1" : ""})`;
    case 6:
      return `update ${table.sql} w set (id, ${names}) = row(1, ${constants}) from ${other.sql} o where ${predicate(inner, 1)}`;
    case 7:
      return `delete from ${table.sql} w using ${other.sql} o where ${predicate(inner, 1)}`;
    case 8:
      return `with gone as (delete from ${table.sql} w where ${predicate(inner, 1)} returning w.*) insert into ${table.sql} (id) select id from gone`;
    case 9:
      return `insert into ${table.sql} default values`;
    default:
      return `insert into ${table.sql} as w (id) values (1) on conflict on constraint ${keyOf(table)} do nothing`;
  }
}

/** The name that the server gives to a primary key. */
function keyOf({ sql }: Table): string {
  const name = /\.(.*)$/.exec(sql)?.[1] ?? sql;
  return name.startsWith('"') ? `${name.slice(0, -1)}_pkey"` : `${name}_pkey`;
}

function merge(world: World, draw: Draw, table: Table): string {
  const [one] = settable(table, draw);
  if (one === undefined) return `delete from ${table.sql}`;
  const both = world.scope(draw, prefixed("w", table.columns), { relations: [] });
  const source = world.scope(draw, [{ ref: "s.id", type: INTEGER }], { relations: [] });
  const whens = [
    `when matched and ${predicate(both, 1)} then update set ${one.name} = ${value(both, one.type, 1)}`,
    `when matched then ${draw.one(["delete", "do nothing"])}`,
    `when not matched${draw.chance(50) ? ` and ${conditionOn(source, { ref: "s.id", type: INTEGER })}` : ""} then insert (id, ${one.name}) values (s.id, ${constantOf(draw, one.type)})`,
    ...(world.major >= 17 && draw.chance(50) ? ["when not matched by source then delete"] : []),
  ];
  const using = draw.one([`${table.sql} s`, "(values (1, 'a'), (2, 'b')) as s(id, v)", `(select 1 as id) s`]);
  return `merge into ${table.sql} as w using ${using} on w.id = s.id ${draw.some(whens, 4).join(" ")}`;
}

/** Rules of a table, or of a view in which nobody can write otherwise. */
export function addRule(world: World, draw: Draw, table: Table): void {
  const name = world.plainName(draw, "rl");
  const made = (own: Draw): string => {
    const event = own.one(["insert", "update", "delete"]);
    const row = event === "insert" ? "new" : event === "delete" ? "old" : own.one(["old", "new"]);
    const outer = prefixed(row, table.columns);
    const target = own.pick(world.tables.filter(({ sql }) => sql !== table.sql)) ?? table;
    const where = own.chance(60) ? ` where ${predicate(world.scope(own, outer, { relations: [] }), 1)}` : "";
    const actions = Array.from({ length: 1 + own.below(2) }, () => changing(world, own, target, outer));
    const list = actions.length === 1 ? actions.join("") : `(${actions.join("; ")})`;
    const what = own.one([list, list, list, "nothing", `notify ${own.one(["changed", '"Odd channel"'])}`]);
    const mode = target === table ? "instead nothing" : `${own.one(["also", "instead"])} ${what}`;
    return `create rule ${name} as on ${event} to ${table.sql}${where} do ${mode}`;
  };
  world.add("rule", made(draw), { again: made });
}
