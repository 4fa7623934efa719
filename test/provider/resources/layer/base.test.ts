import { expect, test } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { checked, inRun, pending, preview, project, put, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const PLATFORM = `
  create schema platform;
  create table platform.users (id int primary key, name text not null);
  create type platform.mood as enum ('good', 'bad');
  create function platform.one() returns int language sql immutable as 'select 1';`;

const platform = project.layer("platform", PLATFORM);
const base = [{ name: "platform", files: ["platform.sql"] }];

/** A layer that stands on `platform`. */
const onTop = (name: string, sql: string, more: Properties = {}): Properties =>
  project.layer(name, sql, { base, ...more });

for (const [what, sql, found] of [
  ["table", "create view public.v as select id from platform.users;", 'relation "platform.users" does not exist'],
  ["type", "create table public.t (mood platform.mood);", 'schema "platform" does not exist'],
  ["function", "create view public.v as select platform.one();", 'schema "platform" does not exist'],
] as const) {
  test(`a ${what} of a layer that is not the base is refused, with the layer that it belongs to`, async () => {
    const database = await freshDatabase();
    const reason = await inRun(database.url, async (run) => {
      await put(run, platform);
      const { failures } = await run.layer.check(run.context(true), {}, project.layer("apart", sql));
      expect(failures).toHaveLength(1);
      return failures[0]?.reason;
    });
    expect(reason).toContain(`apart.sql:1:`);
    expect(reason).toContain(found);
    expect(reason).toContain(
      'It belongs to the layer "platform", which is not a base of "apart" (its base: none). Add it',
    );
    expect(await relationsIn(database, "public")).toEqual([]);
  });
}

test("an object that no layer of this run has is refused with both ways out", async () => {
  const database = await freshDatabase();
  const layer = onTop("apart", "create view public.v as select id from elsewhere.users;");
  await expect(up(database.url, layer)).rejects.toThrow(
    /relation "elsewhere.users" does not exist[\s\S]*sees only itself and its base \("platform"\)[\s\S]*`base`[\s\S]*`assumes`/,
  );
});

test("two layers that declare the same object are refused, in a preview and in an update", async () => {
  const database = await freshDatabase();
  const layers = [
    project.layer("left", "create schema shared; create table shared.t (id int);"),
    project.layer("right", "create schema shared; create table shared.t (id int); create table shared.mine (id int);"),
  ];
  const fault = /The layers "left" and "right" both declare schema shared, table shared.t. Expected one owner/;
  await expect(preview(database.url, layers)).rejects.toThrow(fault);
  await expect(upAll(database.url, layers)).rejects.toThrow(fault);
  expect(await relationsIn(database, "shared")).toEqual(["t"]);
});

test("two layers that declare the same object are refused although nothing of either has changed", async () => {
  const database = await freshDatabase();
  const left = project.layer("first", "create schema shared;");
  const right = project.layer("second", "create schema shared;");
  const states = [await up(database.url, left), await up(database.url, right)];
  await inRun(database.url, async ({ layer, context }) => {
    const [first, second] = states;
    if (first === undefined || second === undefined) throw new Error("no states");
    await layer.diff(context(true), first, first.inputs);
    await expect(layer.diff(context(true), second, second.inputs)).rejects.toThrow('"first" and "second" both declare');
  });
});

for (const [what, sql, named] of [
  [
    "changes a column of its base",
    "alter table platform.users alter column name drop not null;",
    "column platform.users.name",
  ],
  ["drops a table of its base", "drop table platform.users;", "table platform.users"],
  [
    "replaces a function of its base",
    "create or replace function platform.one() returns int language sql immutable as 'select 2';",
    "function platform.one()",
  ],
  ["adds a value to an enum of its base", "alter type platform.mood add value 'none';", "type platform.mood"],
  [
    "comments on what its base comments on otherwise",
    "comment on schema platform is 'mine';",
    "comment on schema platform",
  ],
] as const) {
  test(`a layer that ${what} is refused`, async () => {
    const database = await freshDatabase();
    const below = project.layer("below", `${PLATFORM} comment on schema platform is 'theirs';`);
    const above = project.layer("above", sql, { base: [{ name: "below", files: ["below.sql"] }] });
    const rejected = expect(upAll(database.url, [below, above])).rejects;
    await rejected.toThrow('The layer "above" changes what a layer of its base declares: ');
    await expect(upAll(database.url, [below, above])).rejects.toThrow(named);
    expect(await relationsIn(database, "platform")).toEqual(["users", "users_pkey"]);
  });
}

test("a layer may add to tables of its base, and neither sees the other's work as drift", async () => {
  const database = await freshDatabase();
  const above = onTop(
    "above",
    `alter table platform.users enable row level security;
     alter table platform.users force row level security;
     alter table platform.users add column email text default 'x' check (email <> '');
     create index users_email on platform.users (email);
     create policy everyone on platform.users for select using (true);
     grant select on platform.users to public;
     create trigger keep before update on platform.users for each row execute function suppress_redundant_updates_trigger();
     comment on column platform.users.name is 'the name';`,
  );
  const states = await upAll(database.url, [platform, above]);
  for (const state of states) expect(await pending(database.url, state)).toEqual([]);
  const [table] = await database.query(
    "select relrowsecurity as on, relforcerowsecurity as forced, (select count(*)::int from pg_policy where polrelid = c.oid) as policies from pg_class c where oid = 'platform.users'::regclass",
  );
  expect(table).toEqual({ on: true, forced: true, policies: 1 });
  // An update of the lower layer leaves the upper one's work alone, too.
  const [below] = states;
  const changed = project.layer("platform", `${PLATFORM} create table platform.more (id int);`);
  await up(database.url, changed, below);
  project.layer("platform", PLATFORM);
  expect(await pending(database.url, states[1] ?? { id: "", inputs: {}, outputs: {} })).toEqual([]);
});

test("a layer that switches row security off where its base switches it on is refused", async () => {
  const database = await freshDatabase();
  const below = project.layer("secured", `${PLATFORM} alter table platform.users enable row level security;`);
  const above = project.layer("unsecured", "alter table platform.users disable row level security;", {
    base: [{ name: "secured", files: ["secured.sql"] }],
  });
  await expect(upAll(database.url, [below, above])).rejects.toThrow(/"unsecured" changes .*: table platform.users\./);
});

test("what a layer assumes must be there, is not made, and is not its own", async () => {
  const database = await freshDatabase();
  project.write("assumed.sql", "create schema legacy; create table legacy.accounts (id int primary key);");
  const layer = project.layer("onLegacy", "create table public.notes (account int references legacy.accounts);", {
    assumes: ["assumed.sql"],
  });
  await expect(up(database.url, layer)).rejects.toThrow(
    /"onLegacy" depends on (schema|table|column) legacy[\s\S]*does not have[\s\S]*assumes must exist/,
  );
  expect(await relationsIn(database, "public")).toEqual([]);
  await database.query("create schema legacy; create table legacy.accounts (id int primary key, more text)");
  const state = await up(database.url, layer);
  expect(state.outputs.objects).toEqual(["table public.notes"]);
  expect(await relationsIn(database, "public")).toEqual(["notes"]);
  expect(await pending(database.url, state)).toEqual([]);
});

test("a layer may change what it only assumes", async () => {
  const database = await freshDatabase();
  await database.query("create schema legacy; create table legacy.accounts (id int, name text not null)");
  project.write("assumedTable.sql", "create schema legacy; create table legacy.accounts (id int, name text not null);");
  const layer = project.layer("changing", "alter table legacy.accounts alter column name drop not null;", {
    assumes: ["assumedTable.sql"],
  });
  await up(database.url, layer);
  expect(
    await database.query(
      "select attnotnull from pg_attribute where attrelid = 'legacy.accounts'::regclass and attname = 'name'",
    ),
  ).toEqual([{ attnotnull: false }]);
});

for (const [what, sql] of [
  ["an index", "create index users_name on platform.users (name);"],
  ["a policy", "create policy p on platform.users using (true);"],
  ["a view", "create view public.v as select id from platform.users;"],
  ["a foreign key", "create table public.notes (owner int references platform.users);"],
  ["row security", "alter table platform.users enable row level security;"],
  ["a grant", "grant select on platform.users to public;"],
] as const) {
  test(`${what} on a base that is not applied is refused, in a preview too`, async () => {
    const database = await freshDatabase();
    const layer = onTop("tooEarly", sql);
    const fault =
      /The layer "tooEarly" depends on .*platform.*, which the database does not have. Expected .*"platform".*dependsOn/;
    await expect(preview(database.url, [layer])).rejects.toThrow(fault);
    await expect(up(database.url, layer)).rejects.toThrow(fault);
    expect(await relationsIn(database, "public")).toEqual([]);
  });
}

test("a layer on two layers sees both, and stands on them in the order given", async () => {
  const database = await freshDatabase();
  const middle = onTop(
    "middle",
    "create table platform.posts (id int primary key, author int references platform.users);",
  );
  const top = project.layer(
    "top",
    "create view platform.authors as select u.name from platform.users u join platform.posts p on p.author = u.id;",
    {
      base: [...base, { name: "middle", files: ["middle.sql"] }],
    },
  );
  const states = await upAll(database.url, [platform, middle, top]);
  expect(await relationsIn(database, "platform")).toEqual(["authors", "posts", "posts_pkey", "users", "users_pkey"]);
  for (const state of states) expect(await pending(database.url, state)).toEqual([]);
});

test("a base in the wrong order is refused with the file of the base", async () => {
  const database = await freshDatabase();
  onTop("middle", "create table platform.posts (id int primary key, author int references platform.users);");
  const top = project.layer("upsideDown", "create schema other;", {
    base: [{ name: "middle", files: ["middle.sql"] }, ...base],
  });
  await inRun(database.url, async (run) => {
    await expect(checked(run, top)).rejects.toThrow('middle.sql:1:14: schema "platform" does not exist');
  });
});
