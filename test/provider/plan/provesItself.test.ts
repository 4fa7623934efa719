import { expect, test } from "vitest";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { planStatements } from "../../../provider/plan/planStatements.ts";
import { onlyDrops } from "../../../provider/plan/provesItself.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const freshDatabase = freshDatabases();

/** What stays, though this transaction has locked it so that readers or writers wait. */
const LOCKED = `
  select distinct c.oid::regclass::text as name
    from pg_locks l join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
   where l.pid = pg_backend_pid() and l.granted and n.nspname not in ('pg_catalog', 'pg_toast')
     and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')`;

const BASE = `
  create schema base;
  create table base.account (id int primary key, name text);
  create table base.event (id int, at date) partition by range (at);
  create view base.names as select name from base.account;
  create materialized view base.stored as select name from base.account;
  create schema top;`;

test.each<[what: string, sql: string, isProven: boolean, locked?: string[]]>([
  [
    "a table with all that is on it, a view of what stays, a function and a type",
    `create type top.kind as enum ('a', 'b');
     create table top.item (id int primary key generated always as identity, kind top.kind, name text);
     create index on top.item (name);
     alter table top.item enable row level security;
     create policy mine on top.item using (name = current_user);
     create function top.touched() returns trigger language plpgsql as 'begin return new; end';
     create trigger touched before update on top.item for each row execute function top.touched();
     create view top.accounts as select id from base.account;
     grant select on top.item to pg_monitor;`,
    true,
  ],
  [
    "tables that refer to each other",
    "create table top.a (id int primary key); create table top.b (a int references top.a);",
    true,
  ],
  [
    "a foreign key to a table that stays",
    "create table top.item (account int references base.account);",
    false,
    ["base.account"],
  ],
  ["a child of a table that stays", "create table top.item (more int) inherits (base.account);", false],
  [
    "a partition of a table that stays",
    "create table top.item partition of base.event for values from ('2026-01-01') to ('2027-01-01');",
    false,
    ["base.event"],
  ],
  ["an index of a materialized view that stays", "create index by_name on base.stored (name);", false, ["base.stored"]],
  [
    "a rule of a view that stays",
    "create rule none as on insert to base.names do instead nothing;",
    false,
    ["base.names"],
  ],
  [
    "a trigger of a view that stays",
    `create function top.none() returns trigger language plpgsql as 'begin return null; end';
     create trigger none instead of insert on base.names for each row execute function top.none();`,
    false,
    ["base.names"],
  ],
  ["a column of a table that stays", "alter table base.account add column more int;", false, ["base.account"]],
  [
    "a default of a column that stays",
    "alter table base.account alter name set default 'none';",
    false,
    ["base.account"],
  ],
  ["a policy of a table that stays", "create policy mine on base.account using (true);", false, ["base.account"]],
  [
    "row security of a table that stays",
    "alter table base.account enable row level security;",
    false,
    ["base.account"],
  ],
])(
  "%s: whether its drop is proved by its transaction, and what stays and is locked",
  async (_, sql, isProven, locked = []) => {
    expect(await dropped(sql)).toEqual({ isProven, locked });
  },
);

test("a table that stays and belongs to another role is not waited for either", async () => {
  const sql = "create table top.item (account int references base.account);";
  expect(await dropped(sql, "pg_monitor")).toEqual({ isProven: false, locked: ["base.account"] });
});

/** @param reader the role that tells its own objects from those of others; default: their owner. */
async function dropped(sql: string, reader?: string): Promise<{ isProven: boolean; locked: string[] }> {
  const database = await freshDatabase();
  const role = reader ?? new URL(database.url).username;
  await database.query(BASE);
  const { facts: base } = await readCatalog(database.pool, role);
  await database.query(sql);
  const { facts: whole } = await readCatalog(database.pool, role);
  const { statements } = planStatements(whole, base);
  const client = await database.pool.connect();
  try {
    await client.query("begin");
    for (const statement of statements) await client.query(statement.sql);
    const { rows } = await client.query<{ name: string }>(LOCKED);
    return { isProven: onlyDrops(statements, whole, base), locked: rows.map(({ name }) => name).sort() };
  } finally {
    await client.query("rollback");
    client.release();
  }
}
