import { expect, test } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { createTestRole } from "../../../support/database.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { inRun, project, type RunOptions, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();
const KEEPING: RunOptions = { keepDroppedDays: 30 };
const ITEMS = "create table app.items (id int primary key, note text);";

const layer = (sql: string, allow: readonly string[] = [], more: Properties = {}): Properties =>
  project.layer("owners", `create schema app; ${sql}`, { allow: [...allow], ...more });

const noteOf = (until: string): string => JSON.stringify({ layer: "owners", schema: "app", until, adopted: [] });

test("a mark that another role has written is none: nothing of it is taken over, and nothing is dropped", async () => {
  const database = await freshDatabase();
  const intruder = await createTestRole();
  const state = await up(database.url, layer(""), undefined, KEEPING);
  const [{ name } = { name: "" }] = await database.query<{ name: string }>("select current_database()::text as name");
  await database.query(`grant create on database "${name}" to ${intruder.name}`);
  const schemas = ["pgstrata_kept_20991231_00000001", "pgstrata_kept_20200101_00000002"];
  const past = noteOf("2020-01-01");
  await database.query(`set role ${intruder.name};
    create schema ${schemas[0]}; comment on schema ${schemas[0]} is '${noteOf("2099-12-31")}';
    create table ${schemas[0]}.items (id int primary key, note text); insert into ${schemas[0]}.items values (1, 'planted');
    create schema ${schemas[1]}; comment on schema ${schemas[1]} is '${past}'; create table ${schemas[1]}.theirs (id int);
    reset role`);

  await up(database.url, layer(ITEMS), state, KEEPING);

  expect(await database.query("select * from app.items")).toEqual([]);
  expect(await relationsIn(database, schemas[0] ?? "")).toEqual(["items", "items_pkey"]);
  expect(await relationsIn(database, schemas[1] ?? "")).toEqual(["theirs"]);
  await database.query(`drop owned by ${intruder.name} cascade`);
  await intruder.drop();
});

test("a table of another owner is kept and comes back as that owner's", async () => {
  const database = await freshDatabase();
  const owner = await createTestRole();
  const owned = `${ITEMS} alter table app.items owner to ${owner.name};`;
  const roles = { roles: [owner.name] };
  let state = await up(database.url, layer(owned, [], roles), undefined, KEEPING);
  await database.query("insert into app.items values (1, 'old')");
  state = await up(database.url, layer("", ["drop-table:app.items"], roles), state, KEEPING);
  // Its owner does not get at it while it is kept: the schema is not theirs.
  const [{ name } = { name: "" }] = await database.query<{ name: string }>(
    "select nspname::text as name from pg_namespace where nspname like 'pgstrata_kept%'",
  );
  expect(await database.query("select has_schema_privilege($1, $2, 'USAGE') as is_open", [owner.name, name])).toEqual([
    { is_open: false },
  ]);

  await up(database.url, layer(owned, [], roles), state, KEEPING);

  expect(await database.query("select * from app.items")).toEqual([{ id: 1, note: "old" }]);
  expect(
    await database.query("select relowner::regrole::text as owner from pg_class where oid = 'app.items'::regclass"),
  ).toEqual([{ owner: owner.name }]);
  await database.query("drop schema app cascade");
  await owner.drop();
});

test("what others have built on says that it stays, by name", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(ITEMS), undefined, KEEPING);
  await database.query("insert into app.items values (1, 'old')");
  const after = await up(database.url, layer("", ["drop-table:app.items"]), state, KEEPING);
  const [{ name } = { name: "" }] = await database.query<{ name: string }>(
    "select nspname::text as name from pg_namespace where nspname like 'pgstrata_kept%'",
  );
  await database.query(`create view public.old as select note from ${name}.items;
    comment on schema ${name} is '${noteOf("2020-01-01")}'`);

  const warnings = await inRun(database.url, async ({ layer: type, context, said }) => {
    await type.diff(context(), after, layer(""));
    await type.update(context(), after, layer(""));
    return said.warnings;
  });

  expect(warnings.join("\n")).toContain(
    `schema ${name} has been kept until its date and stays, because view public.old depends on it: drop that, and the next update drops what is kept\nPS834 · docs/errors/PS834.md`,
  );
  expect(await database.query("select * from public.old")).toEqual([{ note: "old" }]);
});
