import type pg from "pg";

/** Chooses by a seed, so that a failure can be repeated. */
export interface Chance {
  below(limit: number): number;
  of<Item>(items: readonly Item[]): Item;
}

export function chanceOf(seed: number): Chance {
  let state = seed >>> 0;
  const below = (limit: number): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
  return {
    below,
    of: (items) => {
      const item = items[below(items.length)];
      if (item === undefined) throw new Error("found nothing to choose from");
      return item;
    },
  };
}

/** Objects of the user's as SQL calls them, but for what a transaction of another session has made. */
const OBJECTS = `
  with numbered as (
    ${[
      "class",
      "proc",
      "type",
      "constraint",
      "operator",
      "opclass",
      "opfamily",
      "collation",
      "conversion",
      "ts_config",
      "ts_dict",
      "statistic_ext",
      "namespace",
      "policy",
      "trigger",
      "rewrite",
      "cast",
      "extension",
      "event_trigger",
      "foreign_data_wrapper",
      "foreign_server",
      "language",
      "publication",
      "subscription",
    ]
      .map((name) => `select tableoid as classid, oid as objid from pg_${name} where oid >= 16384`)
      .join(" union all ")}
  )
  select i.type, i.identity
    from numbered n, lateral pg_identify_object(n.classid, n.objid, 0) i
   where i.identity is not null and coalesce(i.schema, i.identity) !~ '^pg_'
   order by 1, 2`;

interface Found {
  type: string;
  identity: string;
}

/** Makes statements for what is there, most of which succeed. */
export class RandomDdl {
  readonly chance: Chance;
  private objects: readonly Found[] = [];

  constructor(chance: Chance) {
    this.chance = chance;
  }

  async look(client: pg.Pool): Promise<void> {
    this.objects = (await client.query<Found>(OBJECTS)).rows;
  }

  statement(): string {
    const { chance } = this;
    return chance.of(chance.of([CREATIONS, CREATIONS, CHANGES, SPOKEN, ROLES, UPKEEP]))(this);
  }

  any(...types: string[]): string {
    const found = this.objects.filter(({ type }) => types.includes(type));
    return found.length === 0 ? "nothing.here" : this.chance.of(found).identity;
  }

  /** As statements about any kind of object call it. */
  object(): string {
    const known = this.objects.filter(({ type }) => type !== "toast table");
    const { type, identity } = this.chance.of(known.length === 0 ? [{ type: "schema", identity: "public" }] : known);
    return `${WORDS[type] ?? type} ${identity}`;
  }

  /** One of a few names, which are used again. */
  get name(): string {
    return `x${this.chance.below(8)}`;
  }
  get role(): string {
    return `r${this.chance.below(3)}`;
  }
  get schema(): string {
    return this.any("schema");
  }
  get inSchema(): string {
    return `${this.schema}.${this.name}`;
  }
  get table(): string {
    return this.any("table");
  }
  get type(): string {
    return this.chance.below(2) === 0 ? this.chance.of(["int", "text", "date"]) : this.any("type");
  }
}

const WORDS: Record<string, string> = {
  "table constraint": "constraint",
  "domain constraint": "constraint",
  "statistics object": "statistics",
  "foreign-data wrapper": "foreign data wrapper",
};

type Statement = (on: RandomDdl) => string;

const CREATIONS: Statement[] = [
  (on) => `create schema ${on.name}`,
  (on) => `create schema ${on.name} authorization ${on.role}`,
  (on) =>
    `create table ${on.inSchema} (id int primary key, x0 ${on.type}, x1 varchar default 'a', x2 int check (x2 > 0))`,
  (on) => `create table ${on.inSchema} (id serial unique, x3 bigint generated always as identity, x4 ${on.type})`,
  (on) => `create table ${on.inSchema} (id int primary key references ${on.table})`,
  (on) => `create table ${on.inSchema} (x5 text) inherits (${on.table})`,
  (on) => `create table ${on.inSchema} (id int, x0 date) partition by range (id)`,
  (on) => `create table ${on.inSchema} partition of ${on.table} for values from (${on.chance.below(9)}) to (10)`,
  (on) => `create unlogged table ${on.inSchema} (like ${on.table} including all)`,
  (on) => `create temp table ${on.name} (id int)`,
  (on) => `alter table ${on.table} add ${on.name} ${on.type}`,
  (on) => `alter table ${on.table} add ${on.name} int generated always as (id + 1) stored`,
  (on) => `alter table ${on.table} add foreign key (id) references ${on.table}`,
  (on) => `alter table ${on.table} add constraint ${on.name} check (id > 0) not valid`,
  (on) => `alter table ${on.table} add constraint ${on.name} exclude using btree (id with =)`,
  (on) => `create index on ${on.table} (id)`,
  (on) => `create index on ${on.table} using hash (x1)`,
  (on) => `create index ${on.name} on ${on.table} (lower(x1), x0) where id > 0`,
  (on) => `create statistics ${on.inSchema} on id, x0 from ${on.table}`,
  (on) => `create view ${on.inSchema} as select a.id, b.id as other, a.* from ${on.table} a, ${on.table} b`,
  (on) => `create view ${on.inSchema} as select * from ${on.any("view")}`,
  (on) => `create materialized view ${on.inSchema} as select id from ${on.table}`,
  (on) => `create policy ${on.name} on ${on.table} using (exists (select from ${on.table} o where o.id > 0))`,
  (on) => `create policy ${on.name} on ${on.table} to ${on.role} using (id > 0)`,
  (on) => `create rule ${on.name} as on delete to ${on.table} do instead nothing`,
  (on) => `create function ${on.inSchema}() returns trigger language plpgsql as 'begin return new; end'`,
  (on) => `create trigger ${on.name} before insert on ${on.table} for each row execute function ${on.any("function")}`,
  (on) => `create function ${on.inSchema}(${on.type}) returns int language sql begin atomic select 1; end`,
  (on) =>
    `create function ${on.inSchema}() returns setof ${on.table} language sql begin atomic select * from ${on.table}; end`,
  (on) => `create procedure ${on.inSchema}(int) language sql as ''`,
  (on) => `create aggregate ${on.inSchema}(int) (sfunc = int4pl, stype = int)`,
  (on) => `create type ${on.inSchema} as enum ('a', 'b')`,
  (on) => `create type ${on.inSchema} as (x int, y ${on.type})`,
  (on) => `create type ${on.inSchema} as range (subtype = ${on.type})`,
  (on) => `create domain ${on.inSchema} as ${on.type} constraint ${on.name} check (value is not null)`,
  (on) => `alter type ${on.any("type")} add value '${on.name}'`,
  (on) => `alter domain ${on.any("type")} add constraint ${on.name} check (value is not null) not valid`,
  (on) => `create collation ${on.inSchema} from "C"`,
  (on) => `create sequence ${on.inSchema}`,
  (on) => `create cast (${on.any("type")} as text) with inout`,
  (on) =>
    `create function ${on.inSchema}(${on.any("type")}, ${on.any("type")}) returns bool language sql as 'select true'`,
  (on) => `create operator ${on.schema}.=== (leftarg = int, rightarg = int, function = int4eq)`,
  (on) =>
    `create operator class ${on.inSchema} default for type varchar using hash as operator 1 = (text, text), function 1 hashtext(text)`,
  (on) => `create operator family ${on.inSchema} using btree`,
  (on) => `create text search configuration ${on.inSchema} (parser = default)`,
  (on) => `create text search dictionary ${on.inSchema} (template = simple)`,
  (on) => `create extension ${on.chance.of(["citext", "hstore", "pg_trgm"])} schema ${on.schema}`,
  (on) => `create publication ${on.name} for table ${on.table}`,
  (on) => `create publication ${on.name} for tables in schema ${on.schema}`,
  (on) =>
    `create subscription ${on.name} connection 'dbname=none' publication p with (connect = false, slot_name = none)`,
  (on) => `create foreign data wrapper ${on.name}`,
  (on) => `create server ${on.name} foreign data wrapper ${on.any("foreign-data wrapper")}`,
  (on) => `create foreign table ${on.inSchema} (id int, x0 text) server ${on.any("server")}`,
  (on) => `create user mapping for ${on.role} server ${on.any("server")} options (a '${on.name}')`,
  (on) => `create event trigger ${on.name} on ddl_command_end execute function public.on_ddl()`,
  (on) => `alter default privileges in schema ${on.schema} grant select on tables to ${on.role}`,
];

const CHANGES: Statement[] = [
  (on) => `drop ${on.object()}`,
  (on) => `drop ${on.object()} cascade`,
  (on) => `alter ${on.object()} rename to ${on.name}`,
  (on) => `alter ${on.object()} owner to ${on.role}`,
  (on) => `alter ${on.object()} set schema ${on.schema}`,
  (on) => `alter table ${on.table} drop column ${on.name} cascade`,
  (on) => `alter table ${on.table} rename ${on.name} to ${on.name}`,
  (on) => `alter table ${on.table} alter ${on.name} type text`,
  (on) => `alter table ${on.table} alter ${on.name} set default null`,
  (on) => `alter table ${on.table} alter ${on.name} set not null`,
  (on) => `alter table ${on.table} drop constraint ${on.name}`,
  (on) => `alter table ${on.table} validate constraint ${on.name}`,
  (on) => `alter table ${on.table} set (fillfactor = ${50 + on.chance.below(50)})`,
  (on) => `alter table ${on.table} enable row level security`,
  (on) => `alter table ${on.table} replica identity full`,
  (on) => `alter table ${on.table} inherit ${on.table}`,
  (on) => `alter table ${on.table} no inherit ${on.table}`,
  (on) => `alter table ${on.table} attach partition ${on.table} default`,
  (on) => `alter table ${on.table} detach partition ${on.table}`,
  (on) => `alter table ${on.table} disable trigger ${on.name}`,
  (on) => `create or replace view ${on.any("view")} as select 1 as id`,
  (on) => `create or replace function ${on.inSchema}(int) returns int language sql as 'select 2'`,
  (on) => `alter view ${on.any("view")} set (security_barrier = true)`,
  (on) => `alter type ${on.any("type")} rename value 'a' to 'c'`,
  (on) => `alter type ${on.any("type")} add attribute ${on.name} int`,
  (on) => `alter domain ${on.any("type")} set default null`,
  (on) => `alter sequence ${on.any("sequence")} increment ${1 + on.chance.below(5)}`,
  (on) => `alter sequence ${on.any("sequence")} owned by ${on.table}.id`,
  (on) => `alter function ${on.any("function")} cost ${1 + on.chance.below(9)}`,
  (on) => `alter policy ${on.name} on ${on.table} using (id > 1)`,
  (on) => `alter index ${on.any("index")} set (fillfactor = 60)`,
  (on) => `alter operator family ${on.any("operator family")} add operator 1 < (int, bigint)`,
  (on) => `alter text search configuration ${on.any("text search configuration")} add mapping for word with simple`,
  (on) => `alter publication ${on.any("publication")} add table ${on.table}`,
  (on) => `alter publication ${on.any("publication")} drop table ${on.table}`,
  (on) => `alter server ${on.any("server")} options (add host '${on.name}')`,
  (on) => `alter user mapping for ${on.role} server ${on.any("server")} options (set a '${on.name}')`,
  (on) => `alter event trigger ${on.any("event trigger")} disable`,
  (on) => `alter subscription ${on.any("subscription")} set (binary = true)`,
  (on) => `alter subscription ${on.any("subscription")} owner to ${on.role}`,
  (on) => `alter extension citext add ${on.object()}`,
  (on) => `alter extension citext drop ${on.object()}`,
];

const SPOKEN: Statement[] = [
  (on) => `comment on ${on.object()} is '${on.name}'`,
  (on) => `comment on ${on.object()} is '${on.name}'`,
  (on) => `comment on ${on.object()} is null`,
  (on) => `comment on column ${on.table}.id is '${on.name}'`,
  (on) => `comment on role ${on.role} is '${on.name}'`,
  (on) => `grant select on ${on.table} to ${on.role}`,
  (on) => `grant update (id) on ${on.table} to ${on.role}`,
  (on) => `revoke all on ${on.table} from ${on.role}`,
  (on) => `grant usage on schema ${on.schema} to ${on.role}`,
  (on) => `revoke execute on function ${on.any("function")} from public`,
  (on) => `grant usage on type ${on.any("type")} to ${on.role}`,
  (on) => `alter default privileges for role ${on.role} grant select on tables to public`,
  (on) => `alter default privileges in schema ${on.schema} revoke select on tables from ${on.role}`,
];

const ROLES: Statement[] = [
  (on) => `create role ${on.role}`,
  (on) => `alter role ${on.role} rename to ${on.role}`,
  (on) => `alter role ${on.role} ${on.chance.of(["createdb", "nocreatedb", "superuser", "login"])}`,
  (on) => `alter role ${on.role} set work_mem = '${1 + on.chance.below(9)}MB'`,
  (on) => `grant ${on.role} to ${on.role}`,
  (on) => `revoke ${on.role} from ${on.role}`,
  (on) => `drop owned by ${on.role}`,
  (on) => `reassign owned by ${on.role} to ${on.role}`,
  (on) => `drop role ${on.role}`,
];

/** What changes rows, or where they are, and nothing that they say. */
const UPKEEP: Statement[] = [
  () => "analyze",
  () => "vacuum",
  () => "vacuum freeze",
  (on) => `vacuum full ${on.chance.of(["pg_class", "pg_attribute", "pg_depend", "pg_type", "pg_description"])}`,
  (on) => `vacuum full ${on.table}`,
  (on) => `reindex table ${on.chance.of(["pg_class", "pg_depend"])}`,
  (on) => `reindex index concurrently ${on.any("index")}`,
  (on) => `truncate ${on.table} restart identity`,
  (on) => `refresh materialized view ${on.any("materialized view")}`,
  (on) => `create index concurrently on ${on.table} (id)`,
  (on) => `select nextval('${on.any("sequence")}')`,
  (on) => `select lo_create(0), '${on.name}'`,
];
