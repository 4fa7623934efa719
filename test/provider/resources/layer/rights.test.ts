import { afterAll, beforeAll, expect, test } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { createTestRole, type TestDatabase, type TestRole } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, pending, preview, project, up } from "../../../support/layerHarness.ts";

let guest: TestRole;

beforeAll(async () => {
  guest = await createTestRole({ prefix: "guest" });
});
// Runs after the databases in which the role may do something are dropped.
afterAll(() => guest.drop());

const freshDatabase = freshDatabases();

const BASE = `
  create schema shop;
  create table shop.item (id int primary key, name text);
  create view shop.names as select name from shop.item;
  create function shop.one() returns int language sql as 'select 1';`;

project.write("shop.sql", BASE);
const base = [{ name: "shop", files: ["shop.sql"] }];

/** A database whose schema `shop` belongs to a role that the guest is not a member of. */
async function shopDatabase(): Promise<{ database: TestDatabase; url: string; owner: string }> {
  const database = await freshDatabase();
  await database.query(BASE);
  return { database, url: database.urlFor(guest), owner: new URL(database.url).username };
}

/** A preview and an update must refuse alike, with nothing done. */
async function refusalOf(database: TestDatabase, url: string, layer: Properties): Promise<string> {
  const shape = () =>
    database.query("select relname, relacl::text, relrowsecurity from pg_class where oid > 16383 order by 1");
  const before = await shape();
  const refused = (error: Error): string => error.message;
  const previewed = await preview(url, [layer]).then(() => "not refused", refused);
  const updated = await up(url, layer).then(() => "not refused", refused);
  expect(updated).toBe(previewed);
  expect(previewed).toContain(`The role ${guest.name} lacks privileges that this layer needs. Nothing was changed.`);
  expect(await shape()).toEqual(before);
  return previewed;
}

test("a schema in a database in which the role may not create is refused with the grant, and made after it", async () => {
  const { database, url } = await shopDatabase();
  const layer = project.layer("own", "create schema own; create table own.t (id int);");
  const grant = `grant create on database ${database.name} to "${guest.name}"`;
  expect(await refusalOf(database, url, layer)).toContain(`It may not create schema own: \`${grant}\`.`);
  await database.query(grant);
  const state = await up(url, layer);
  expect(await relationsIn(database, "own")).toEqual(["t"]);
  await destroy(url, state);
  expect(await relationsIn(database, "own")).toEqual([]);
});

test("a function that sets a parameter which the role may not set is refused with the grant, and made after it", async () => {
  const { database, url } = await shopDatabase();
  await database.query(`grant create on database ${database.name} to "${guest.name}"`);
  const layer = project.layer(
    "quiet",
    "create schema quiet; create function quiet.f() returns int language sql set log_statement = 'none' set work_mem = '1MB' as 'select 1';",
  );
  const grant = `grant set on parameter log_statement to "${guest.name}"`;
  const message = await refusalOf(database, url, layer);
  expect(message).toContain(
    `It may not set log_statement, as function quiet.f() does: let a superuser run \`${grant}\``,
  );
  expect(message).not.toContain("work_mem");
  await database.query(grant);
  const state = await up(url, layer);
  await destroy(url, state);
  await database.query(`revoke set on parameter log_statement from "${guest.name}"`);
});

test("a table in a schema in which the role may not create is refused with the grant, and made after it", async () => {
  const { database, url } = await shopDatabase();
  const layer = project.layer("inside", "create table shop.extra (id int); create view shop.more as select 1 as one;", {
    base,
  });
  const grant = `grant create on schema "shop" to "${guest.name}"`;
  expect(await refusalOf(database, url, layer)).toContain(
    `It may not create table shop.extra, view shop.more: \`${grant}\`.`,
  );
  await database.query(`${grant}; grant usage on schema shop to "${guest.name}"`);
  await up(url, layer);
  expect(await relationsIn(database, "shop")).toContain("extra");
});

for (const [what, sql, object] of [
  ["row security", "alter table shop.item enable row level security;", "table shop.item"],
  ["a policy", "create policy p on shop.item using (true);", "table shop.item"],
  ["an index", "create index item_name on shop.item (name);", "table shop.item"],
  ["a column", "alter table shop.item add column price int;", "table shop.item"],
  ["a constraint", "alter table shop.item add check (name <> '');", "table shop.item"],
  ["a comment", "comment on view shop.names is 'names';", "view shop.names"],
  ["a grant", "grant select on shop.names to public;", "view shop.names"],
  ["a right on a column", "grant select (id) on shop.item to public;", "table shop.item"],
] as const) {
  test(`${what} on another role's object is refused with the object and its owner`, async () => {
    const { database, url, owner } = await shopDatabase();
    await database.query(`grant usage, create on schema shop to "${guest.name}"`);
    const layer = project.layer("changing", sql, { base, assumes: [] });
    expect(await refusalOf(database, url, layer)).toContain(
      `It may not change ${object}, owned by ${owner}: connect as ${owner}, or \`grant "${owner}" to "${guest.name}"\`.`,
    );
  });
}

test("a foreign key to another role's table is refused with the grant, and made after it", async () => {
  const { database, url } = await shopDatabase();
  await database.query(`grant usage, create on schema shop to "${guest.name}"`);
  const layer = project.layer("referring", "create table shop.bill (item int references shop.item);", { base });
  const grant = `grant references on shop.item to "${guest.name}"`;
  expect(await refusalOf(database, url, layer)).toContain(
    `It may not create foreign keys that refer to shop.item: \`${grant}\`.`,
  );
  await database.query(grant);
  const state = await up(url, layer);
  expect(await relationsIn(database, "shop")).toContain("bill");
  expect(await pending(url, state)).toEqual([]);
});

test("a member of the owning role may do all that the owner may", async () => {
  const database = await freshDatabase();
  const group = await createTestRole({ prefix: "group" });
  await database.query(
    `${BASE} alter schema shop owner to "${group.name}"; alter table shop.item owner to "${group.name}"; grant "${group.name}" to "${guest.name}"`,
  );
  const layer = project.layer(
    "member",
    "create policy p on shop.item using (true); create index item_name on shop.item (name); grant select on shop.item to public;",
    { base },
  );
  const state = await up(database.urlFor(guest), layer);
  expect(await pending(database.urlFor(guest), state)).toEqual([]);
  await destroy(database.urlFor(guest), state);
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey", "names"]);
  await database.query(`drop owned by "${group.name}" cascade`);
  await group.drop();
});

test("a role that may pass a privilege on may grant it without being the owner", async () => {
  const { database, url } = await shopDatabase();
  await database.query(
    `grant usage on schema shop to "${guest.name}"; grant select on shop.item to "${guest.name}" with grant option`,
  );
  await up(url, project.layer("passing", "grant select on shop.item to public;", { base }));
  expect(await database.query("select has_table_privilege('public', 'shop.item', 'select') as may")).toEqual([
    { may: true },
  ]);
});

test("all that is missing is told together", async () => {
  const { database, url } = await shopDatabase();
  const layer = project.layer(
    "much",
    "create schema own; create table shop.extra (id int references shop.item); create index item_name on shop.item (name);",
    { base },
  );
  const refusal = await refusalOf(database, url, layer);
  for (const part of ["schema own", "table shop.extra", "change table shop.item", "refer to shop.item"])
    expect(refusal).toContain(part);
});

test("what a preview does not foresee is refused by the server, with the object, the grant and nothing done", async () => {
  const { database, url } = await shopDatabase();
  await database.query(`grant usage, create on schema shop to "${guest.name}"`);
  const layer = project.layer(
    "using",
    "create table shop.extra (id int); create view shop.seen as select id from shop.item; create materialized view shop.kept as select id from shop.item;",
    { base },
  );
  await expect(up(url, layer)).rejects.toThrow(
    /The server refused materialized view shop.kept: permission denied for table item \(SQLSTATE 42501\)[\s\S]*GRANT SELECT[\s\S]*CREATE MATERIALIZED VIEW[\s\S]*nothing was changed/,
  );
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey", "names"]);
});

test("a destroy of objects that became another role's is refused with their owner", async () => {
  const database = await freshDatabase();
  await database.query(`grant create on database "${database.name}" to "${guest.name}"`);
  const url = database.urlFor(guest);
  const state = await up(url, project.layer("lost", "create schema own; create table own.t (id int);"));
  await database.query("alter table own.t owner to current_user");
  await expect(destroy(url, state)).rejects.toThrow(/It may not change table own.t, owned by/);
  expect(await relationsIn(database, "own")).toEqual(["t"]);
});
