import type { Draw } from "../draw.ts";
import type { Item } from "./items.ts";
import { predicate } from "./predicates.ts";
import { query } from "./queries.ts";
import { type Field, INTEGER } from "./types.ts";
import { value } from "./values.ts";
import { bare, prefixed, type Table, type World } from "./world.ts";

/** A statement that may be made again with other expressions. */
function put(world: World, kind: string, draw: Draw, made: (draw: Draw) => string, more: Partial<Item> = {}): void {
  world.add(kind, made(draw), { again: made, ...more });
}

export function addCheck(world: World, draw: Draw, table: Table): void {
  const name = world.plainName(draw, "ck");
  put(world, "check", draw, (own) => {
    const scope = world.scope(own, bare(table.columns), { relations: [] });
    return `alter table ${table.sql} add constraint ${name} check (${predicate(scope, 2)})`;
  });
}

export function addIndex(world: World, draw: Draw, table: Table): void {
  const name = world.plainName(draw, "ix");
  put(world, "index", draw, (own) => {
    const scope = world.scope(own, bare(table.columns), { relations: [], immutable: true });
    const ordered = table.columns.filter(({ type }) => type.ordered);
    const keys = Array.from({ length: 1 + own.below(2) }, () =>
      indexKey(own, ordered, () => {
        const type = own.pick(ordered)?.type ?? INTEGER;
        return own.chance(70) ? value(scope, type, 2) : predicate(scope, 1);
      }),
    );
    const include = own.chance(15) && ordered[0] !== undefined ? ` include (${ordered[0].name})` : "";
    const where = own.chance(50) ? ` where ${predicate(scope, 2)}` : "";
    const unique = own.chance(25) ? "unique " : "";
    const nulls = unique !== "" && own.chance(30) ? " nulls not distinct" : "";
    return `create ${unique}index ${name} on ${table.sql} (${keys.join(", ")})${include}${nulls}${where}`;
  });
}

function indexKey(draw: Draw, ordered: readonly Field[], expression: () => string): string {
  const column = draw.pick(ordered);
  const order = draw.one(["", "", " desc", " nulls first", " desc nulls last", " asc"]);
  if (column === undefined || draw.chance(60)) return `(${expression()})${order}`;
  const isText = /^(text|varchar|character varying)/.test(column.type.sql);
  return `${column.name}${isText ? draw.one(["", ' collate "C"', " text_pattern_ops", ' collate "POSIX" varchar_ops']) : ""}${order}`;
}

export function addExclusion(world: World, draw: Draw, table: Table): void {
  const name = world.plainName(draw, "ex");
  const range = table.columns.find(({ type }) => type.family === "range");
  put(world, "exclusion", draw, (own) => {
    const scope = world.scope(own, bare(table.columns), { relations: [], immutable: true });
    const where = own.chance(60) ? ` where (${predicate(scope, 1)})` : "";
    const compared = own.one(["id with =, ", "(id + 1) with =, ", "id with <>, "]);
    const text = world.items.some((item) => item.name === "public.btree_gist") ? compared : "";
    const overlap = range === undefined ? "int4range(id, id + 1) with &&" : `${range.name} with &&`;
    return `alter table ${table.sql} add constraint ${name} exclude using gist (${text}${overlap})${where}${own.one(["", " deferrable initially deferred"])}`;
  });
}

export function addPolicy(world: World, draw: Draw, table: Table): void {
  const name = world.plainName(draw, "pol");
  put(world, "policy", draw, (own) => {
    const scope = world.scope(own, own.chance(70) ? bare(table.columns) : prefixed(table.sql, table.columns));
    const using = ` using (${predicate(scope, 2)})`;
    const check = ` with check (${predicate(scope, 2)})`;
    const what = own.one([
      `${using}`,
      `${using}${check}`,
      ` for select${using}`,
      ` for insert${check}`,
      ` for update${using}${check}`,
      ` for delete to public${using}`,
    ]);
    return `create policy ${name} on ${table.sql}${own.one(["", " as restrictive"])}${what}`;
  });
}

export function addTrigger(world: World, draw: Draw, table: Table, routine: string): void {
  const name = world.plainName(draw, "trg");
  put(world, "trigger", draw, (own) => {
    const column = own.pick(table.columns.filter(({ isGenerated }) => isGenerated !== true))?.name ?? "id";
    const event = own.one([
      "insert",
      "update",
      `update of ${column}`,
      "delete",
      "insert or update",
      `insert or update of id, ${column}`.replace("id, id", "id"),
    ]);
    const time = own.one(["before", "after"]);
    const rows = [...(event.includes("insert") ? [] : ["old"]), ...(event === "delete" ? [] : ["new"])];
    // What is generated is not known yet before the row is written.
    const known = table.columns.filter(({ isGenerated }) => isGenerated !== true);
    const scope = world.scope(
      own,
      rows.flatMap((row) => prefixed(row, known)),
      { relations: [], rows },
    );
    const whole =
      rows.length === 2
        ? own.one(["old.* is distinct from new.*", "old is distinct from new", "(old.*) <> (new.*)"])
        : predicate(scope, 2);
    const when = own.chance(85) ? ` when (${own.chance(85) ? predicate(scope, 2) : whole})` : "";
    const args = own.one(["", "'a'", "'it''s', 1, x"]);
    const constraint = own.chance(10) ? "create constraint trigger" : undefined;
    if (constraint !== undefined)
      return `${constraint} ${name} after ${event} on ${table.sql} deferrable initially deferred for each row${when} execute function ${routine}(${args})`;
    return `create trigger ${name} ${time} ${event} on ${table.sql} for each row${when} execute function ${routine}(${args})`;
  });
}

export function addView(world: World, draw: Draw): void {
  const isMaterialized = draw.chance(20);
  const name = world.name(draw, isMaterialized ? "mv" : "v");
  let columns: Field[] = [];
  const made = (own: Draw): string => {
    const { sql, columns: gives } = query(world.scope(own, []), 2);
    columns = gives.flatMap(({ name: known, type }) => (known === undefined ? [] : [{ name: known, type }]));
    if (isMaterialized) return `create materialized view ${name} as ${sql}${own.one(["", " with no data"])}`;
    const options = own.one([
      "",
      "",
      "",
      " with (security_barrier)",
      " with (security_barrier = true, security_invoker = true)",
    ]);
    return `create view ${name}${options} as ${sql}`;
  };
  put(world, isMaterialized ? "materialized view" : "view", draw, made, { name });
  if (columns.length > 0) world.relations.push({ sql: name, columns });
}

export function addSimpleView(world: World, draw: Draw, table: Table): void {
  const name = world.name(draw, "uv");
  put(
    world,
    "view",
    draw,
    (own) => {
      const columns = own.some(table.columns, 5);
      const list = own.chance(30) ? ` (${columns.map((_, n) => own.one([`c${n}`, `"C ${n}"`])).join(", ")})` : "";
      const scope = world.scope(own, bare(table.columns));
      const option = own.one(["", " with check option", " with local check option", " with cascaded check option"]);
      return `create or replace view ${name}${list} as select ${columns.map((column) => column.name).join(", ")} from ${table.sql} where ${predicate(scope, 2)}${option}`.replace(
        "or replace ",
        own.one(["", ""]),
      );
    },
    { name },
  );
}

/** Partitioned by what people partition by, with bounds of that kind. */
export function addPartitioned(world: World, draw: Draw): void {
  const name = world.name(draw, "p");
  const enumType = draw.pick(world.types.filter(({ family }) => family === "enum"));
  const [type, by, ...bounds] =
    draw.pick<readonly string[]>([
      [
        "timestamptz",
        "range (k)",
        "from ('2024-01-01') to ('2024-02-01 00:00+02')",
        "from (minvalue) to (timestamptz '2024-01-01')",
        "default",
      ],
      [
        "timestamptz",
        "range (k)",
        "from ('2024-01-01'::date) to ('2024-02-01'::date + interval '1 day')",
        "from ('2024-03-01'::timestamp) to (maxvalue)",
      ],
      ["timestamp(3)", "range (k)", "from ('2024-01-01') to ('2024-02-01')", "from ('2024-02-01') to (maxvalue)"],
      ["date", "range (k)", "from ('2024-01-01') to (date '2024-01-01' + 31)", "default"],
      ["varchar(10)", "list (k)", "in ('a', 'b')", "in ('c', null)", "default"],
      ["text", "list (k)", "in ('a', 'b'::varchar)", "in ('it''s')", "default"],
      ["text", "list (lower(k))", "in ('a', 'b')", "default"],
      ["text", 'list (k collate "C")', "in ('a')", "in ('b')"],
      ["text", "hash (k)", "with (modulus 2, remainder 0)", "with (modulus 2, remainder 1)"],
      ["integer", "range (k, id)", "from (1, minvalue) to (10, maxvalue)", "from (10, 1) to (20, '5')", "default"],
      ["integer", "range ((k % 10))", "from (0) to (1 + 1)", "from (5) to (maxvalue)"],
      ["integer", "list (k)", "in (1, 2, '3')", "in (null)", "in (-1)"],
      ["bigint", "range (k)", "from (-1) to (2147483648)", "default"],
      ["numeric(6,2)", "range (k)", "from (1) to (1.5)", "from ('1.5') to (100)"],
      ["bool", "list (k)", "in (true)", "in ('f')"],
      ["char(3)", "list (k)", "in ('a')", "in ('b  ')"],
      ["jsonb", "list ((k ->> 'a'))", "in ('x')", "default"],
      ["interval", "range (k)", "from ('1 day') to (interval '1' month)"],
      ["uuid", "hash (k)", "with (modulus 1, remainder 0)"],
      ["bytea", "list (k)", "in ('\\xff')"],
      ["timestamptz", "range ((k at time zone 'UTC'))", "from ('2024-01-01') to ('2025-01-01')"],
      ["timestamp", "list (date_trunc('day', k))", "in ('2024-01-01', timestamp '2024-01-02')"],
      ["inet", "list (k)", "in ('10.0.0.1', inet '::1')"],
      ["double precision", "range (k)", "from ('-infinity') to (1.5)", "from (1.5) to ('NaN')"],
      ["money", "range (k)", "from (1) to ('2.5')"],
      ["bit(3)", "list (k)", "in (B'101', '110')"],
      ["name", "list (k)", "in ('a')"],
      ...(enumType === undefined ? [] : [[enumType.sql, "list (k)", `in (${enumType.constants[0]})`, "default"]]),
    ]) ?? [];
  if (type === undefined || by === undefined) return;
  world.add(
    "partitioned",
    `create table ${name} (id integer, k ${type}, note varchar(20) check (note in ('a', 'b'))) partition by ${by}`,
    {
      name,
      plain: `create table ${name} (id integer, k ${type}, note varchar(20)) partition by ${by}`,
    },
  );
  for (const bound of bounds) {
    const part = world.name(draw, "part");
    world.add(
      "partition",
      `create table ${part} partition of ${name} ${bound === "default" ? bound : `for values ${bound}`}`,
      { name: part },
    );
  }
}

/** The server takes no functions or types of others in a filter. */
export function addPublication(world: World, draw: Draw, table: Table): void {
  const name = world.plainName(draw, "pub");
  put(world, "publication", draw, (own) => {
    const plain = table.columns.filter(({ type }) => !type.sql.includes("."));
    const scope = world.scope(own, bare(plain), { relations: [], routines: [], immutable: true });
    const columns = own.chance(40)
      ? ` (${own
          .some(table.columns, 3)
          .map((column) => column.name)
          .join(", ")})`
      : "";
    return `create publication ${name} for table ${table.sql}${columns} where (${predicate(scope, 1)}) with (publish = 'insert')`;
  });
}
