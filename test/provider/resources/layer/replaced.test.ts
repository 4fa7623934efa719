import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestRole, type TestRole } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, pending, preview, project, up } from "../../../support/layerHarness.ts";

let role: TestRole;
beforeAll(async () => {
  role = await createTestRole({ prefix: "moody" });
});
// Runs after the databases are dropped in which the role may do something.
afterAll(() => role.drop());

const freshDatabase = freshDatabases();
const shop = (sql: string, more = {}) => project.layer("shop", `create schema shop; ${sql}`, more);

const AROUND = `
  create index on shop.item (c);
  alter table shop.item enable row level security;
  create policy everyone on shop.item using (c > 0);
  comment on table shop.item is 'what is sold';
  grant select on shop.item to public;
  create view shop.names as select c from shop.item;
  create view shop.above as select c + 1 as more from shop.names;
  create function shop.first() returns int language sql begin atomic select c from shop.item limit 1; end;
  create function shop.touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touch before insert on shop.item for each row execute function shop.touch();
  create table shop.sale (id int primary key, a int, b int, foreign key (a, b) references shop.item);
  create policy theirs on shop.sale using (exists (select from shop.item where c = id));`;

const partitioned = (key: string, parts: string, columns = "a int, b int") =>
  `create table shop.item (${columns}, number serial, c int, primary key (a, b)) partition by ${key}; ${parts}`;

test.each([
  ["another key", partitioned("list (a)", ""), partitioned("list (b)", "")],
  [
    "another key and other partitions",
    partitioned("list (a)", "create table shop.part partition of shop.item for values in (1);"),
    partitioned("hash (b)", "create table shop.whole partition of shop.item for values with (modulus 1, remainder 0);"),
  ],
  [
    "partitions of partitions",
    partitioned(
      "list (a)",
      "create table shop.part partition of shop.item for values in (1) partition by list (b); create table shop.leaf partition of shop.part for values in (1);",
    ),
    partitioned(
      "list (a)",
      "create table shop.part partition of shop.item for values in (1) partition by range (b); create table shop.leaf partition of shop.part for values from (1) to (2);",
    ),
  ],
  [
    "partitions instead of none",
    "create table shop.item (a int, b int, number serial, c int, primary key (a, b));",
    partitioned("list (a)", ""),
  ],
])("a table that has to be made anew for %s takes along what stands on it", async (_what, before, after) => {
  const database = await freshDatabase();
  const first = await up(database.url, shop(before + AROUND, { allow: ["grant-public:shop.item"] }));
  const next = shop(after + AROUND, { allow: ["grant-public:shop.item"] });
  const second = await up(database.url, next, first);
  expect(await pending(database.url, second)).toEqual([]);
  const back = await up(database.url, shop(before + AROUND, { allow: ["grant-public:shop.item"] }), second);
  expect(await pending(database.url, back)).toEqual([]);
});

test("a partitioned table with rows that has to be made anew is refused, until somebody approves", async () => {
  const database = await freshDatabase();
  const parts = "create table shop.part partition of shop.item default;";
  const view = "create view shop.names as select c from shop.item;";
  const state = await up(database.url, shop(partitioned("list (a)", parts) + view));
  await database.query("insert into shop.item (a, b, c) values (1, 1, 1)");
  const next = shop(partitioned("list (b)", parts) + view);
  await expect(up(database.url, next, state)).rejects.toThrow("rewrite-table:shop.item");
  const after = await up(database.url, { ...next, allow: ["rewrite-table:shop.item"] }, state);
  expect(await pending(database.url, after)).toEqual([]);
  expect(await database.query("select c from shop.names")).toEqual([{ c: 1 }]);
});

test("an enum that loses a value keeps its privileges and its comment, and is at no moment open to all", async () => {
  const database = await freshDatabase();
  const moods = (values: string): string =>
    `create type shop.mood as enum (${values});
     revoke all on type shop.mood from public; grant usage on type shop.mood to "${role.name}";
     comment on type shop.mood is 'how it is';
     create type shop.open as enum (${values}); grant usage on type shop.open to "${role.name}" with grant option;
     create table shop.item (id int primary key, mood shop.mood default 'good', moods shop.mood[], open shop.open);
     alter table shop.item enable row level security;
     create policy cheerful on shop.item using (mood = 'good' and open is not null);
     create view shop.moods as select mood, open from shop.item;`;
  const allow = ["mood", "moods", "open"].map((column) => `change-type:shop.item.${column}`);
  const state = await up(database.url, shop(moods("'good', 'bad', 'ugly'"), { roles: [role.name] }));
  const privileges =
    "select typname, typacl::text, obj_description(oid) from pg_type where typname in ('mood', 'open')";
  const before = await database.query(`${privileges} order by 1`);
  await database.query("insert into shop.item values (1, 'bad')");
  const next = shop(moods("'good', 'bad'"), { roles: [role.name], allow: [...allow, "rewrite-table:shop.item"] });
  const after = await up(database.url, next, state);
  expect(await database.query(`${privileges} order by 1`)).toEqual(before);
  expect(await database.query("select id, mood::text from shop.item")).toEqual([{ id: 1, mood: "bad" }]);
  expect(await pending(database.url, after)).toEqual([]);
  expect((await preview(database.url, [next], [after]))[0]).toEqual([]);
});

test("a partition goes while foreign keys refer to its table, and stays while they refer to its rows", async () => {
  const database = await freshDatabase();
  const tables = `
    create table shop.item (a int primary key, up int references shop.item) partition by list (a);
    create table shop.other partition of shop.item for values in (2) partition by list (a);
    create table shop.rest partition of shop.other default;
    create table shop.sale (id int primary key, a int references shop.item);`;
  const part = "create table shop.part partition of shop.item for values in (1);";
  const state = await up(database.url, shop(tables + part));
  await database.query("insert into shop.item values (1), (2); insert into shop.sale values (1, 1)");
  const next = shop(tables, { allow: ["drop-table:shop.part"] });
  await expect(up(database.url, next, state)).rejects.toThrow(/violates foreign key constraint.*nothing was changed/s);
  await database.query("delete from shop.sale");
  const after = await up(database.url, next, state);
  expect(await pending(database.url, after)).toEqual([]);
  expect(await database.query("select a from shop.item")).toEqual([{ a: 2 }]);
  await database.query("truncate shop.item, shop.sale");
  await destroy(database.url, after);
  expect(await relationsIn(database, "shop")).toEqual([]);
});
