import { expect, inject, test } from "vitest";
import { type PulledDatabase, pullDatabase } from "../../../provider/resources/pullDatabase.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const fresh = freshDatabases();

async function pull(
  sql: string,
  exclusions: Partial<Parameters<typeof pullDatabase>[2]> = {},
): Promise<PulledDatabase & { all: string }> {
  const { url, query } = await fresh();
  await query(sql);
  const pulled = await pullDatabase(
    { url, shadow: inject("serverUrl") },
    "pulled",
    { schemas: [], tables: [], roles: [], ...exclusions },
    process.cwd(),
  );
  return { ...pulled, all: pulled.files.map(({ sql }) => sql).join("\n") };
}

test("tables are in the file of the table that they are a part of, and foreign keys lead backwards", async () => {
  const { files, changes } = await pull(`
    create schema app;
    create table app.accounts (id int primary key);
    create table app.users (id int primary key, account int not null references app.accounts on delete cascade);
    create table app.user_tokens (id int primary key, "user" int references app.users);
    create table app.avatars (id int primary key, "user" int not null references app.users on delete cascade);
    create view app.names as select id from app.users;
  `);
  expect(files.map(({ name }) => name)).toEqual([
    "00-foundation.sql",
    "10-accounts.sql",
    "15-users.sql",
    "85-views.sql",
  ]);
  expect(files[2]?.sql).toMatch(/^-- Tables: users, avatars, user_tokens\.\n/);
  expect(files.map(({ sql }) => sql).join("")).not.toContain("add constraint");
  expect(changes).toEqual([]);
});

test("what a foreign key needs of an excluded schema is assumed, and nothing else of it", async () => {
  const { all, assumed, changes } = await pull(
    `create schema auth; create schema app; create schema other;
     create type auth.kind as enum ('a');
     create table auth.users (id int primary key, kind auth.kind, secret text);
     create policy p on auth.users using (true);
     create index i on auth.users (secret);
     create table auth.sessions (id int);
     create table other.t (id int);
     create table app.items (id int primary key, owner int references auth.users);`,
    { schemas: ["auth", "other"] },
  );
  const text = assumed.map(({ sql }) => sql).join("\n");
  expect(all).not.toContain("create table auth");
  expect(text).toContain("create table auth.users");
  expect(text).toContain("create type auth.kind");
  expect(text).not.toMatch(/sessions|policy|index|other/);
  expect(changes).toEqual([]);
});

test("an excluded table goes with all that is on it, and an excluded role with its grants", async () => {
  const { all, roles, changes } = await pull(
    `create schema app;
     create table app.kept (id int primary key); create table app.gone (id int primary key);
     create index gone_idx on app.gone (id); comment on table app.gone is 'gone';
     grant select on app.kept to pg_monitor; grant select on app.kept to pg_read_all_settings;`,
    { tables: ["app.gone"], roles: ["pg_read_all_settings"] },
  );
  expect(all).not.toContain("gone");
  expect(all).toContain("grant select on app.kept to pg_monitor");
  expect(all).not.toContain("pg_read_all_settings");
  expect(roles).not.toContain("pg_read_all_settings");
  expect(changes).toEqual([]);
});

test("user mappings and subscriptions are named, and their passwords are nowhere", async () => {
  const { all, leftOut, changes } = await pull(
    `create foreign data wrapper w; create server far foreign data wrapper w options (host 'far.example.com');
     create user mapping for public server far options ("user" 'u', password 's3cret-of-the-mapping');
     create schema app; create table app.t (id int);`,
  );
  expect(JSON.stringify([all, leftOut])).not.toContain("s3cret");
  expect(leftOut.join("\n")).toMatch(/far.*password/);
  expect(changes).toEqual([]);
});

test("a foreign table is in one place, with its columns, their options and constraints, and names its file", async () => {
  const { files, changes } = await pull(
    `create schema app; create foreign data wrapper w; create server far foreign data wrapper w;
     create foreign table app.remote (id int options (column_name 'ID', other 'x, y') not null, name text default 'x' check (name <> '')) server far options (table_name 't');
     alter foreign table app.remote alter column id set statistics 10; comment on column app.remote.name is 'Called';`,
  );
  expect(files.find(({ name }) => name === "10-remote.sql")?.sql).toBe(`-- Tables: remote.

create foreign table app.remote (
  id integer options (column_name 'ID', other 'x, y') not null,
  name text default 'x',
  constraint remote_name_check check (name <> ''::text)
) server far options (table_name 't');

alter table only app.remote alter column id set statistics 10;

comment on column app.remote.name is 'Called';
`);
  expect(changes).toEqual([]);
});

test("a file without a table says what it has, and an exclusion is a part of its table", async () => {
  const { files, all, changes } = await pull(
    `create schema app; create text search configuration app.c (copy = pg_catalog.simple);
     create table app.a (during tstzrange, exclude using gist (during with &&));`,
  );
  expect(files.map(({ sql }) => sql.split("\n")[0])).toEqual([
    "-- Objects: schema.",
    "-- Tables: a.",
    "-- Objects: text search configuration.",
  ]);
  expect(all).not.toContain("alter table");
  expect(changes).toEqual([]);
});

test("a function that a table needs comes first, and one that needs a table behind it", async () => {
  const { files, changes } = await pull(
    `create schema app;
     create function app.z() returns int language sql immutable as 'select 1';
     create table app.a (id int default app.z(), constraint a_pkey primary key (id));
     create function app.b() returns bigint language sql stable as $$ select count(*) from app.a $$;
     create policy p on app.a using (app.b() > 0);`,
  );
  const place = (text: string): string => files.find(({ sql }) => sql.includes(text))?.name ?? "";
  expect(place("create function app.z")).toBe("00-foundation.sql");
  expect(place("create function app.b")).toBe("80-functions.sql");
  expect(place("create policy p")).toBe("80-functions.sql");
  expect(changes).toEqual([]);
});

test("two tables that refer to one another are pulled with one key of its own", async () => {
  const { all, changes } = await pull(
    `create schema app; create table app.a (id int primary key, b int); create table app.b (id int primary key, a int references app.a);
     alter table app.a add constraint a_b foreign key (b) references app.b;`,
  );
  expect(all.match(/^alter table app\.\w add constraint/gm)).toHaveLength(1);
  expect(changes).toEqual([]);
});

test("an empty database gives no file", async () => {
  const { files } = await pull("select 1");
  expect(files).toEqual([]);
});

test("an excluded table that others need is assumed with its schema and the extension that it uses", async () => {
  const { all, assumed, changes } = await pull(
    `create schema ext; create extension "uuid-ossp" schema ext; create schema s; comment on schema s is 'shop';
     create table s.a (id uuid primary key default ext.uuid_generate_v4()); create table s.b (id int primary key, a uuid references s.a);`,
    { tables: ["s.a"] },
  );
  expect(assumed.map(({ sql }) => sql).join("\n")).toMatch(
    /create schema s;[\s\S]*create extension[\s\S]*create table s\.a/,
  );
  expect(all).not.toMatch(/create table s\.a|create extension|create schema/);
  expect(all).toMatch(/comment on schema s is 'shop'[\s\S]*create table s\.b/);
  expect(changes).toEqual([]);
});

test.each([
  ["a schema", { schemas: ["nope"] }, /--exclude-schema nope, and the database has no such schema/],
  ["a table without its schema", { tables: ["t"] }, /--exclude-table t, .*with its schema/],
  ["a role", { roles: ["nobody_here"] }, /--exclude-role nobody_here/],
])("%s that is not there is not excluded in silence", async (_, exclusions, message) => {
  await expect(pull("create schema app; create table app.t (id int);", exclusions)).rejects.toThrow(message);
});

test("a table whose default reads the table itself is pulled behind its function, whose body is not checked", async () => {
  const { all, changes } = await pull(
    `create schema app; create table app.t (id int);
     create function app.n() returns bigint language sql stable as $$ select count(*) from app.t $$;
     alter table app.t alter id set default app.n();`,
  );
  expect(all).toMatch(
    /set check_function_bodies = off;\s+create function app\.n[\s\S]*reset check_function_bodies;\s+create table app\.t/,
  );
  expect(changes).toEqual([]);
  await (await fresh()).query(all);
});

test("foreign objects whose options may be secrets are named and left out, with all that needs them", async () => {
  const { all, leftOut, changes } = await pull(
    `create schema app; create foreign data wrapper w; create server far foreign data wrapper w options (token 's3cret');
     create foreign table app.ft (id int) server far; create view app.v as select id from app.ft;
     create server near foreign data wrapper w; create foreign table app.odd (id int) server near options (odd 's3cret');
     create table app.t (id int);`,
  );
  expect(leftOut).toEqual([
    "foreign table app.ft: it needs server far, which is left out",
    "foreign table app.odd: the option odd may be a secret; make it by hand",
    "server far: the option token may be a secret; make it by hand",
    "view app.v: it needs foreign table app.ft, which is left out",
  ]);
  expect(all).toMatch(/create server near[\s\S]*create table app\.t/);
  expect(all).not.toMatch(/s3cret|app\.ft|app\.odd/);
  expect(changes).toEqual([]);
});
