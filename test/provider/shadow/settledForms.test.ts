import pg from "pg";
import { describe, expect, test } from "vitest";
import { mayChangeForm } from "../../../provider/catalog/definitions.ts";
import { encodeId } from "../../../provider/catalog/pgDelta.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import type { ResourceState } from "../../../provider/core/resourceType.ts";
import { settledForms } from "../../../provider/shadow/settledForms.ts";
import { ask, type TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { pending, preview, project, refresh, up } from "../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/**
 * One of each kind of definition, over a column whose comparisons the server prints in a form that does not
 * stay.
 */
const STATUS_IN = "status in ('new', 'seen')";
const EVERYWHERE = `
  create schema app;
  create extension btree_gist with schema public;
  create domain app.mood as varchar(20) default lower('GOOD'::varchar) check (value in ('good', 'bad'));
  create table app.findings (
    id int primary key,
    status varchar(20) not null default 'new' check (${STATUS_IN}),
    fallback bool default ('new'::varchar(20) in ('new', 'seen')),
    is_open bool generated always as (${STATUS_IN}) stored,
    during int4range,
    constraint apart exclude using gist (during with &&) where (${STATUS_IN})
  );
  create table app.parts (status varchar(20)) partition by list ((${STATUS_IN}));
  create index findings_open on app.findings ((${STATUS_IN})) where ${STATUS_IN};
  create policy open_ones on app.findings using (${STATUS_IN}) with check (${STATUS_IN});
  create view app.open_findings as select id from app.findings where ${STATUS_IN};
  create materialized view app.closed as select id from app.findings where not (${STATUS_IN});
  create function app.noted() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger noted after update on app.findings for each row when (new.${STATUS_IN}) execute function app.noted();
  create rule ignored as on delete to app.findings where old.${STATUS_IN} do instead nothing;
  create function app.is_open(status varchar, fine bool default ('a'::varchar in ('a', 'b'))) returns bool language sql return ${STATUS_IN};
  create function app.kinds() returns setof text language sql begin atomic
    with kinds as (select 'a'::text as kind, 1 as n union all select 'b', null) select kind from kinds;
  end;
  create publication changes for table app.findings where (status = 'new');`;

/** What a fresh database has of the schema, as the server prints it. */
async function printed({ pool, url }: TestDatabase): Promise<Record<string, unknown>> {
  const { facts } = await readCatalog(pool, new URL(url).username);
  return Object.fromEntries(facts.facts().map(({ id, payload }) => [encodeId(id), payload]));
}

const statements = ({ outputs }: ResourceState): unknown => Object(outputs.lastRun).statements;

describe("a definition that the server prints in two forms", () => {
  test("is made, and asks for nothing more", async () => {
    const database = await freshDatabase();
    const state = await up(database.url, project.layer("everywhere", EVERYWHERE));
    expect(await pending(database.url, state)).toEqual([]);
    expect((await refresh(database.url, state))?.outputs.drift).toEqual([]);
  });

  test("is adopted in the first form, without a change, and in the second one after a dump", async () => {
    const [byHand, byLayer] = [await freshDatabase(), await freshDatabase()];
    await byHand.query(EVERYWHERE);
    const before = await printed(byHand);
    const layer = project.layer("everywhere", EVERYWHERE);
    const adopted = await up(byHand.url, layer);
    expect(statements(adopted)).toBe(0);
    expect(await printed(byHand)).toEqual(before);
    // Nor without what this machine remembers: another one has the state alone.
    project.clear(".pgstrata/cache");
    expect(await pending(byHand.url, adopted)).toEqual([]);
    expect((await refresh(byHand.url, adopted))?.outputs.drift).toEqual([]);

    const made = await up(byLayer.url, layer);
    const settled = await printed(byLayer);
    expect(settled).not.toEqual(before);
    // What it says is the same for somebody who adopts it.
    expect(statements(await up(byLayer.url, layer))).toBe(0);
    expect(await pending(byLayer.url, made)).toEqual([]);
  });

  test("is written in the form that a dump of it keeps", async () => {
    const database = await freshDatabase();
    await up(database.url, project.layer("everywhere", EVERYWHERE));
    const { facts } = await readCatalog(database.pool, new URL(database.url).username);
    expect(await settledForms(database, facts.facts().filter(mayChangeForm), facts)).toEqual({
      forms: {},
      unreadable: [],
    });
  });

  test("changes like any other, and back, on a database of either form", async () => {
    const [byHand, byLayer] = [await freshDatabase(), await freshDatabase()];
    await byHand.query(EVERYWHERE);
    for (const { url } of [byHand, byLayer]) {
      const first = await up(url, project.layer("everywhere", EVERYWHERE));
      const other = EVERYWHERE.replace("constraint apart", "note text, constraint apart").replace(
        "create policy open_ones on app.findings using (status in ('new', 'seen'))",
        "create policy open_ones on app.findings using (status in ('new', 'other'))",
      );
      const changed = project.layer("everywhere", other);
      const [plan] = await preview(url, [changed], [first]);
      expect(plan?.map(({ name }) => name)).toEqual([
        "1 policy open_ones on app.findings · recreated · PS209",
        "2 column app.findings.note",
      ]);
      const second = await up(url, changed, first);
      expect(await pending(url, second)).toEqual([]);
      const back = await up(url, project.layer("everywhere", EVERYWHERE), second);
      expect(await pending(url, back)).toEqual([]);
    }
  });

  test("that is no longer as declared is drift, and is repaired", async () => {
    const database = await freshDatabase();
    const state = await up(database.url, project.layer("everywhere", EVERYWHERE));
    await database.query("alter policy open_ones on app.findings using (status in ('new', 'else'))");
    expect(await pending(database.url, state)).toEqual(['changes["policy open_ones on app.findings"]']);
    expect((await refresh(database.url, state))?.outputs.drift).toEqual(["policy open_ones on app.findings"]);
    const repaired = await up(database.url, project.layer("everywhere", EVERYWHERE), state);
    expect(await pending(database.url, repaired)).toEqual([]);
  });

  test("goes along with a rename of its column and its table, on a database of either form", async () => {
    const [byHand, byLayer] = [await freshDatabase(), await freshDatabase()];
    await byHand.query(EVERYWHERE);
    const renamed = EVERYWHERE.replaceAll("app.findings", "app.results")
      .replace("create table app.results (", "create table app.results ( -- renamed from: findings")
      .replaceAll(STATUS_IN, "state in ('new', 'seen')")
      .replace("status varchar(20) not null", "state varchar(20) not null")
      .replace("check (state", "constraint findings_status_check check (state")
      .replace("app.is_open(status", "app.is_open(state")
      .replace("app.parts (status", "app.parts (state")
      .replace("(status = 'new')", "(state = 'new')");
    const renames = { "app.results.state": "status", "app.parts.state": "status" };
    for (const { url } of [byHand, byLayer]) {
      const first = await up(url, project.layer("everywhere", EVERYWHERE));
      const layer = { ...project.layer("everywhere", renamed), renames };
      const [plan = []] = await preview(url, [layer], [first]);
      // An argument has no rename: its function is another one.
      expect(plan.map(({ name }) => name.replace(/^\d+ /, ""))).toEqual([
        "column app.findings.status, renamed to state",
        "column app.parts.status, renamed to state",
        "constraint findings_pkey on app.findings, renamed to results_pkey",
        "table app.findings, renamed to app.results",
        "function app.is_open(character varying, boolean) · recreated",
      ]);
      const second = await up(url, layer, first);
      expect(await pending(url, second)).toEqual([]);
    }
  });
});

/** What has no cast to lose, or more than that. */
const OTHERS = `
  create schema app;
  create extension citext with schema public;
  create domain app.size as int check ((value < 1 or value > 2) or value = 9);
  create domain app.code as varchar(9) check (value in ('a', 'b'));
  create type app.pair as (code app.code, size app.size);
  create table app.t (id int default - 42, name citext, price numeric, pairs app.pair[], codes app.code[],
    check (id not between 1 and 2 or id = 3), check (nullif(name, 'a') is not null),
    check (percentile in (0.25, 0.5)), percentile double precision, network cidr check (network in ('10.0.0.0/8', '11.0.0.0/8')));
  create table app.u (name citext, id int);
  create view app.joined as select t.id from app.t join app.u using (name);
  create view app.unnamed as select * from (select 'a'::varchar(3), 1 union all select '', null) as x (a, b);
  create view app.lists as select 1 as c union distinct values (42) order by c limit 3;
  create function app.noted() returns trigger language plpgsql as $$ begin raise exception 'noted'; end $$;
  create trigger noted before update on app.u for each row when (old.name is distinct from new.name) execute function app.noted();
  create function app.all_u() returns setof app.u language sql begin atomic select * from app.u where name::varchar in ('a', 'b'); end;
  alter table app.u add column late int;
  create rule more as on insert to app.t where new.id > 99 do also update app.u set (name, id) = (select '', 1);`;

test("other definitions that the server prints in two forms are made as well", async () => {
  const [byHand, byLayer] = [await freshDatabase(), await freshDatabase()];
  await byHand.query(OTHERS);
  const layer = project.layer("others", OTHERS);
  const state = await up(byLayer.url, layer);
  expect(await pending(byLayer.url, state)).toEqual([]);
  const adopted = await up(byHand.url, layer);
  expect(statements(adopted)).toBe(0);
  expect(await pending(byHand.url, adopted)).toEqual([]);
});

test("an operator of an extension that a print does not name stays that operator", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("others", OTHERS));
  const indexed = `${OTHERS} create index t_name on app.t ((nullif(name, 'b')), (name is not distinct from 'c'));`;
  await database.query("insert into app.t (id, name) values (5, 'B')");
  await up(database.url, project.layer("others", indexed), state);
  // Without regard to case, all of them.
  await expect(database.query("insert into app.t (id, name) values (6, 'A')")).rejects.toThrow(/t_name_check/);
  expect(await database.query("select 1 from app.t where nullif(name, 'b') is null")).toHaveLength(1);
  await database.query("insert into app.u values ('b', 1)");
  expect(await database.query("select * from app.joined")).toEqual([{ id: 5 }]);
  await database.query("update app.u set name = 'B'");
  const [{ definition } = { definition: "" }] = await database.query<{ definition: string }>(
    "select pg_get_indexdef('app.t_name'::regclass) as definition",
  );
  expect(definition).toContain("NULLIF(name, 'b'::citext)");
});

test("a definition of which the server prints what it cannot read is refused before anything is done", async () => {
  const { url } = await freshDatabase();
  const sql = `create schema app; create table app.t (id int, constraint odd check (id is distinct from 1), b bool);
    create view app.v as with recursive n (id) as (select id from app.t union all select id + 1 from n where id < 3)
      cycle id set is_cycle to 'Y' default 'N' using trail select id from n;`;
  const failure = up(url, project.layer("unreadable", sql));
  await expect(failure).rejects.toThrow(
    /view app\.v: syntax error at or near "::"[\s\S]*CYCLE id SET[\s\S]*Expected another form/,
  );
  expect(await ask(url, "select 1 from pg_namespace where nspname = 'app'")).toEqual([]);
});

test("a database that was made in the first form is as files in the second one say, such as those of a dump", async () => {
  const database = await freshDatabase();
  const sql = (condition: string): string =>
    `create schema app; create table app.t (id int, status varchar(9)); create index t_some on app.t (id) where ${condition};`;
  await database.query(sql("status in ('a', 'b')"));
  const dumped = "((status)::text = ANY (ARRAY[('a'::character varying)::text, ('b'::character varying)::text]))";
  const state = await up(database.url, project.layer("dumped", sql(dumped)));
  expect(statements(state)).toBe(0);
  expect(await pending(database.url, state)).toEqual([]);
  // What is another condition stays one.
  const other = project.layer("dumped", sql(dumped.replace("'b'", "'c'")));
  const [plan] = await preview(database.url, [other], [state]);
  expect(plan?.map(({ name }) => name)).toEqual(["1 index app.t_some · recreated"]);
});

test("settings of a database change what is printed, and not what is meant", async () => {
  const database = await freshDatabase();
  const sql = `
    create schema app;
    create function app.kind() returns text language sql immutable return 'a';
    create domain app.kind as text default app.kind();
    create table app.t (
      id int,
      at timestamptz default '2024-07-01 12:00',
      day date default '01/02/2024',
      wait interval default '1 day 02:03:04.5',
      price money default 12.5::numeric::money,
      part double precision default 0.1::float8 + 0.2::float8,
      data bytea default '\\x41ff',
      "order" text default 'a\\b'
    ) partition by range (at);
    create table app.t_2024 partition of app.t for values from ('2024-01-01') to ('2025-01-01');`;
  const settings = {
    timezone: "America/New_York",
    datestyle: "German, DMY",
    intervalstyle: "iso_8601",
    bytea_output: "escape",
    extra_float_digits: "-5",
    quote_all_identifiers: "on",
    search_path: "app, public",
  };
  for (const [name, value] of Object.entries(settings))
    await database.query(
      `alter database "${database.name}" set ${name} = ${name === "search_path" ? value : `'${value}'`}`,
    );
  const byHand = new pg.Client(database.url);
  await byHand.connect();
  await byHand.query(sql);
  await byHand.end();
  const layer = project.layer("settings", sql);
  const adopted = await up(database.url, layer);
  expect(statements(adopted)).toBe(0);
  expect(await pending(database.url, adopted)).toEqual([]);

  await ask(database.url, "drop schema app cascade");
  const made = await up(database.url, layer);
  expect(await pending(database.url, made)).toEqual([]);
  const [row] = await ask(
    database.url,
    "select pg_get_expr(adbin, adrelid) as at from pg_attrdef where adrelid = 'app.t'::regclass and adnum = 2",
  );
  expect(row?.at).toContain("01.07.2024 12:00:00 EDT");
});

test("what the server keeps otherwise than it was told is reported with both forms", async () => {
  const database = await freshDatabase();
  await database.query(`
    create schema meddling;
    create function meddling.meddle() returns event_trigger language plpgsql as $$ begin
      if exists (select from pg_attrdef where adrelid = to_regclass('app.t') and pg_get_expr(adbin, adrelid) = '1') then
        alter table app.t alter column id set default 2;
      end if;
    end $$;
    create event trigger meddle on ddl_command_end execute function meddling.meddle();`);
  const failure = up(database.url, project.layer("t", "create schema app; create table app.t (id int default 1);"));
  await expect(failure).rejects.toThrow(
    [
      "After the update 1 statement is still needed, expected none:",
      '    ALTER TABLE "app"."t" ALTER COLUMN "id" SET DEFAULT 1',
      "  expr of default app.t.id:",
      "    the server has  2",
      "    the files say   1",
    ].join("\n"),
  );
  await expect(failure).rejects.toThrow(/it is a defect in pgstrata, not in your files: report it/);
});
