import { expect, test } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { filenodes, freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { destroy, pending, preview, project, sqlOf, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const TABLES = "create table shop.jobs (id int primary key, state text, owner int); create table shop.logs (id int);";
const SHUT = `
  alter table shop.jobs enable row level security; create policy permissive_all_jobs on shop.jobs using (state <> 'x');
  alter table shop.logs enable row level security; create policy permissive_all_logs on shop.logs using (true);
  alter table shop.jobs add extra int; create index jobs_extra on shop.jobs (extra, state);
  create view shop.open as select id, state from shop.jobs;
  grant select (state) on shop.jobs to public;`;

/** A layer and one that stands on it. */
function stack(tables: string, shut: string, renames?: Record<string, string>): [Properties, Properties] {
  const named = renames === undefined ? {} : { renames };
  const below = project.layer("tables", `create schema shop; ${tables}`, named);
  const base = [{ name: "tables", files: ["tables.sql"], ...named }];
  return [below, project.layer("rls", shut, { base })];
}

test.each([
  [
    "a comment",
    "create table shop.tasks ( -- renamed from: jobs\n",
    "status text, -- renamed from: state\n",
    undefined,
  ],
  ["an input", "create table shop.tasks (", "status text,", { "shop.tasks": "jobs", "shop.tasks.status": "state" }],
])("a layer above keeps what it has on a table that is renamed below it by %s", async (_by, table, column, renames) => {
  const database = await freshDatabase();
  const states = await upAll(database.url, stack(TABLES, SHUT));
  await database.query("insert into shop.jobs values (1, 'new', 1, 5)");
  const before = await filenodes(database);
  const tables = TABLES.replace("create table shop.jobs (", table).replace("state text,", column);
  const shut = `${SHUT.replaceAll("jobs", "tasks").replaceAll("state", "status")} create index more on shop.tasks (status);`;
  const layers = stack(tables, shut, renames);
  const plans = await preview(database.url, layers, states);
  expect(plans[0]?.map(({ name }) => name)).toEqual([
    "1 column shop.jobs.state, renamed to status · 1 row · locks ACCESS EXCLUSIVE",
    "2 constraint jobs_pkey on shop.jobs, renamed to tasks_pkey · 1 row · locks ACCESS EXCLUSIVE",
    "3 table shop.jobs, renamed to shop.tasks · 1 row · locks ACCESS EXCLUSIVE",
  ]);
  expect(sqlOf(plans[1])).toEqual([
    'ALTER INDEX "shop"."jobs_extra" RENAME TO "tasks_extra"',
    'DROP POLICY "permissive_all_jobs" ON "shop"."tasks"',
    expect.stringContaining('CREATE POLICY "permissive_all_tasks" ON "shop"."tasks"'),
    "CREATE INDEX CONCURRENTLY more ON shop.tasks USING btree (status)",
  ]);
  const updated = await upAll(database.url, layers, states);
  for (const state of updated) {
    expect(await pending(database.url, state)).toEqual([]);
    expect(state.outputs.adopted).toEqual([]);
  }
  const after = await filenodes(database);
  expect([after.tasks, after.tasks_extra]).toEqual([before.jobs, before.jobs_extra]);
  expect(await database.query("select status, extra from shop.tasks")).toEqual([{ status: "new", extra: 5 }]);
  const [lower, upper] = updated;
  if (lower === undefined || upper === undefined) throw new Error("a state is missing");
  await destroy(database.url, { ...upper, inputs: { ...upper.inputs, forceDestroy: true } });
  expect(await relationsIn(database, "shop")).toEqual(["logs", "tasks", "tasks_pkey"]);
  expect(await database.query("select relrowsecurity as on from pg_class where relname = 'tasks'")).toEqual([
    { on: false },
  ]);
  await destroy(database.url, { ...lower, inputs: { ...lower.inputs, forceDestroy: true } });
  expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toEqual([]);
});

test("a layer above whose files need no change learns the new names, and takes its objects back under them", async () => {
  const database = await freshDatabase();
  const everywhere = `do $$ declare name text; begin
    for name in select relname from pg_class where relnamespace = 'shop'::regnamespace and relkind = 'r' loop
      execute format('create policy everyone on shop.%I using (true)', name);
    end loop;
  end $$;`;
  const states = await upAll(database.url, stack(TABLES, everywhere));
  const layers = stack(
    TABLES.replace("create table shop.jobs (", "create table shop.tasks ( -- renamed from: jobs\n"),
    everywhere,
  );
  const [plan] = (await preview(database.url, layers, states)).slice(1);
  expect(plan).toEqual([]);
  const [below, above] = states;
  if (below === undefined || above === undefined) throw new Error("a state is missing");
  await upAll(database.url, layers.slice(0, 1), [below]);
  expect(await pending(database.url, above)).toEqual(["objects"]);
  const [, upper] = await upAll(database.url, layers, states);
  if (upper === undefined) throw new Error("a state is missing");
  expect(await pending(database.url, upper)).toEqual([]);
  await destroy(database.url, upper);
  expect(await database.query("select polname from pg_policy")).toEqual([]);
});

test("a preview may list a view of a layer above that the update leaves alone", async () => {
  const database = await freshDatabase();
  const tables = "create table shop.jobs (id int, state text); create table shop.logs (id int, state text);";
  const view =
    "create view shop.both as select j.state as a, l.state as b from shop.jobs j join shop.logs l using (id);";
  const states = await upAll(database.url, stack(tables, view));
  const layers = stack(
    tables.replace("state text", "status text -- renamed from: state\n"),
    view.replace("j.state", "j.status"),
  );
  const [, plan] = await preview(database.url, layers, states);
  expect(plan?.map(({ name }) => name)).toEqual(["1 view shop.both · recreated"]);
  const [, upper] = await upAll(database.url, layers, states);
  expect(upper?.outputs.lastRun).toMatchObject({ statements: 0 });
});
