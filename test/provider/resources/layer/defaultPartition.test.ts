import { expect, test } from "vitest";
import type { TestDatabase } from "../../../support/database.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { inRun, pending, preview, project, put, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const SHAPES = `create table public.shapes (id bigint not null, kind text not null, area numeric,
    twice numeric generated always as (area * 2) stored, primary key (id, kind)) partition by list (kind);
  create index shapes_area on public.shapes (area);`;
const REST = "create table public.rest partition of public.shapes default;";
const SQUARE = "create table public.square partition of public.shapes for values in ('square');";
const layer = (sql: string, more = {}) => project.layer("shapes", sql, more);
const before = (more = "") => layer(SHAPES + REST + more);
const after = (more = "", inputs = {}) => layer(SHAPES + REST + SQUARE + more, inputs);
const some = (rows: number): string =>
  `insert into shapes select g, (array['circle', 'square'])[1 + g % 2], g from generate_series(1, ${rows}) g; analyze shapes`;
const SUM = "select count(*)::int as n, md5(string_agg(shapes::text, ',' order by id, kind)) as sum from shapes";
const PLACES =
  "select tableoid::regclass::text as place, kind, count(*)::int as n from shapes group by 1, 2 order by 1, 2";
const LEFT = `select relname as name from pg_class where relname like 'pgstrata%' union all select proname from pg_proc where proname like 'pgstrata%'
  union all select conname from pg_constraint where conname like 'pgstrata%' union all select tgname from pg_trigger where tgname like 'pgstrata%'`;
/** More than are moved in one transaction. */
const MANY = 12_000;

test("rows of a small default partition move to a new one in one transaction, and the preview counts them", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, before());
  await database.query(some(7));
  const sum = await database.query(SUM);
  const { warnings, next } = await inRun(database.url, async (run) => ({
    next: await put(run, after(), state),
    warnings: run.said.warnings.join("\n"),
  }));
  expect(warnings).toMatch(
    /PS231: moves 4 rows of the default partition public\.rest that belong to the new partition public\.square/,
  );
  expect(await pending(database.url, next)).toEqual([]);
  expect(await database.query(SUM)).toEqual(sum);
  expect(await database.query(PLACES)).toEqual([
    { place: "rest", kind: "circle", n: 3 },
    { place: "square", kind: "square", n: 4 },
  ]);
  expect(await database.query(LEFT)).toEqual([]);
});

/** Writes each change to another table as well, in the same transaction, until it is told to stop. */
async function write({ query }: TestDatabase, writer: number, isOver: () => boolean): Promise<number> {
  let written = 0;
  for (; !isOver(); written += 1) {
    const id = 1 + ((writer * 6007 + written * 31) % MANY);
    const id2 = id - (id % 2) + writer;
    const fresh = MANY + 2 + written * 2 + writer;
    for (const table of [
      "update %s set area = area + 1",
      "update %s set kind = case kind when 'square' then 'circle' else 'square' end",
    ])
      await query(["shapes", "truth"].map((name) => `${table.replace("%s", name)} where id = ${id2}`).join("; "));
    await query(
      ["shapes", "truth"]
        .map((name) => `delete from ${name} where id = ${(id2 + 2 * written) % MANY} and id % 2 = ${writer}`)
        .join("; "),
    );
    await query(
      ["shapes", "truth"]
        .map((name) => `insert into ${name} (id, kind, area) values (${fresh}, 'square', 1), (${-fresh}, 'oval', 2)`)
        .join("; "),
    );
    expect(await query(`select 1 as seen from shapes where id = ${fresh}`)).toEqual([{ seen: 1 }]);
  }
  return written;
}

test("rows of a larger default partition are copied while others write, and none is lost or seen twice", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, before());
  await database.query(
    `${some(MANY)}; create table truth as select id, kind, area from shapes; create index on truth (id)`,
  );
  const [plan] = await preview(database.url, [after()], [state]);
  expect(sqlOf(plan).some((sql) => /CREATE TRIGGER "pgstrata_move_square"/.test(sql))).toBe(true);
  let isOver = false;
  const writers = [0, 1].map((n) => write(database, n, () => isOver));
  // The writers leave few moments in which both tables are free.
  const next = await up(database.url, after(), state, { lockRetries: 200 }).finally(() => {
    isOver = true;
  });
  for (const written of await Promise.all(writers)) expect(written).toBeGreaterThan(5);
  expect(await pending(database.url, next)).toEqual([]);
  const rows = (table: string): string => `select id, kind, area from ${table}`;
  expect(await database.query(`${rows("shapes")} except all ${rows("truth")}`)).toEqual([]);
  expect(await database.query(`${rows("truth")} except all ${rows("shapes")}`)).toEqual([]);
  expect(await database.query("select 1 from only rest where kind = 'square'")).toEqual([]);
  expect(await database.query("select 1 from square where twice is distinct from area * 2")).toEqual([]);
  expect(await database.query(LEFT)).toEqual([]);
});

test("triggers of users fire for no row that moves, and stay as they were", async () => {
  const database = await freshDatabase();
  const triggers = `create table public.heard (what text);
    create function public.hear() returns trigger language plpgsql as $$ begin insert into public.heard values (tg_name || tg_op); return null; end $$;
    create trigger each_row after insert or update or delete on public.shapes for each row execute function public.hear();
    create trigger each_statement after delete on public.rest for each statement execute function public.hear();
    alter table public.rest enable always trigger each_statement;`;
  const state = await up(database.url, before(triggers));
  await database.query(`${some(6)}; delete from heard`);
  const next = await up(database.url, after(triggers), state);
  expect(await database.query("select * from heard")).toEqual([]);
  const kept =
    "select tgname, tgrelid::regclass::text as on, tgenabled from pg_trigger where tgname like 'each%' order by 1, 2";
  expect(await database.query(kept)).toEqual([
    { tgname: "each_row", on: "rest", tgenabled: "O" },
    { tgname: "each_row", on: "shapes", tgenabled: "O" },
    { tgname: "each_row", on: "square", tgenabled: "O" },
    { tgname: "each_statement", on: "rest", tgenabled: "A" },
  ]);
  expect(await pending(database.url, next)).toEqual([]);
});

test("several new partitions take rows of a default partition that lies in partitions itself", async () => {
  const database = await freshDatabase();
  const parts = (more: string): string => `create table public.place (name text primary key);
    create table public.events (id bigint generated always as identity, at date not null, place text default 'b' references public.place, found text,
      unique (at, found), primary key (id, at)) partition by range (at);
    create table public.old partition of public.events default partition by range (at);
    create table public.old_rest partition of public.old default;
    create table public.old_90s partition of public.old for values from ('1990-01-01') to ('2000-01-01'); ${more}`;
  const state = await up(database.url, layer(parts("")));
  await database.query(
    "insert into place values ('a'), ('b'); insert into events (at) select date '1995-01-01' + 30 * g from generate_series(1, 400) g",
  );
  const sum =
    "select count(*)::int as n, md5(string_agg((id, at, place, found)::text, ',' order by id)) as sum from events";
  const rows = await database.query(sum);
  const next = await up(
    database.url,
    layer(
      parts(`create table public.y1998 partition of public.events for values from ('1998-01-01') to ('2001-01-01');
      create table public.y2020 partition of public.events for values from ('2020-01-01') to ('2021-01-01');
      alter table public.events add column more int default 3; create index more_of on public.events (more); grant select on public.y2020 to public;`),
    ),
    state,
  );
  expect(await pending(database.url, next)).toEqual([]);
  expect(await database.query(sum)).toEqual(rows);
  expect(await database.query("select count(*)::int as n from events where more = 3")).toEqual([{ n: 400 }]);
  expect(
    await database.query("select count(*)::int as n from y1998 union all select count(*)::int from y2020"),
  ).toEqual([{ n: 37 }, { n: 12 }]);
  const [added] = await database.query("insert into events (at, place) values ('2020-05-05', 'a') returning id::int");
  expect(added).toEqual({ id: 401 });
  expect(await database.query(LEFT)).toEqual([]);
});

test.each([
  [
    "foreign keys refer to it",
    "create table public.uses (id bigint, kind text, foreign key (id, kind) references public.shapes on delete cascade);",
    /foreign keys refer to the table/,
  ],
  ["a publication has it", "create publication told for table public.shapes;", /a publication has the table/],
  [
    "the default partition has rules",
    "create rule kept as on delete to public.rest do instead nothing;",
    /public\.rest has rules/,
  ],
  [
    "row security is forced on its owner",
    "alter table public.rest enable row level security, force row level security;",
    /row security is forced/,
  ],
])("rows stay where they are when %s, and the preview says why", async (_why, more, said) => {
  const database = await freshDatabase();
  const state = await up(database.url, before(more));
  await database.query(some(4));
  await expect(preview(database.url, [after(more)], [state])).rejects.toThrow(said);
  await expect(up(database.url, after(more), state)).rejects.toThrow(
    /found 2 rows of the default partition public\.rest/,
  );
  expect(await database.query("select count(*)::int as n from only rest")).toEqual([{ n: 4 }]);
});

test("many rows without a primary key move under an approval, and very many with one", async () => {
  const database = await freshDatabase();
  const bare = (more = "") =>
    layer(`create table public.shapes (id bigint, kind text) partition by list (kind); ${REST} ${more}`);
  const state = await up(database.url, bare());
  await database.query(
    "insert into shapes select g, 'square' from generate_series(1, 3) g; update pg_class set reltuples = 20000 where relname = 'rest'",
  );
  await expect(up(database.url, bare(SQUARE), state)).rejects.toThrow(/PS204.*\n(.*\n)*.*rewrite-table:public\.rest/);
  const other = await freshDatabase();
  const keyed = await up(other.url, before());
  await other.query(`${some(3)}; update pg_class set reltuples = 5000000 where relname = 'rest'`);
  await expect(up(other.url, after(), keyed)).rejects.toThrow(
    /PS232: takes up to about 5,000,000 rows out of public\.rest while everybody waits, for about 25 s(.*\n)*.*move-rows:public\.rest/,
  );
});
