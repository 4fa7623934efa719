import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const EVENTS =
  "create table public.events (id int not null, at date not null, kind text, primary key (id, at)) partition by range (at); create index events_kind on public.events (kind);";
const layer = (sql: string, more = {}) => project.layer("events", `${EVENTS} ${sql}`, more);
const year = (n: number, to = n + 1): string =>
  `create table public.events_${n} partition of public.events for values from ('${n}-01-01') to ('${to}-01-01');`;
const PLAIN = "(id int not null, at date not null, kind text);";

test("a table becomes a partition without a scan under a lock, by what it has already", async () => {
  const database = await freshDatabase();
  const before = layer(`create table public.events_2025 ${PLAIN}
    alter table public.events_2025 add constraint mine primary key (id, at); create index own_kind on public.events_2025 (kind);`);
  const state = await up(database.url, before);
  await database.query("insert into events_2025 values (1, '2025-05-05', 'a')");
  const [index] = await database.query("select 'own_kind'::regclass::oid as oid, 'mine'::regclass::oid as key");
  const after = layer(year(2025));
  const [plan] = await preview(database.url, [after], [state]);
  expect(sqlOf(plan)).toEqual([
    expect.stringContaining(
      "CHECK (((at IS NOT NULL) AND (at >= '2025-01-01'::date) AND (at < '2026-01-01'::date))) NOT VALID",
    ),
    'ALTER TABLE "public"."events_2025" VALIDATE CONSTRAINT "pgstrata_bound_events_2025"',
    `ALTER TABLE "public"."events" ATTACH PARTITION "public"."events_2025" FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')`,
    'ALTER TABLE "public"."events_2025" DROP CONSTRAINT "pgstrata_bound_events_2025"',
  ]);
  const next = await up(database.url, after, state);
  expect(await pending(database.url, next)).toEqual([]);
  expect(await database.query("select 'own_kind'::regclass::oid as oid, 'mine'::regclass::oid as key")).toEqual([
    index,
  ]);
  expect(await database.query("select id from events")).toEqual([{ id: 1 }]);
});

test("an index that no layer declares becomes the one of the parent with its table", async () => {
  const database = await freshDatabase();
  const state = await up(
    database.url,
    layer(`create table public.events_2025 ${PLAIN} alter table public.events_2025 add primary key (id, at);`),
  );
  await database.query(
    "create index by_hand on events_2025 (kind); insert into events_2025 values (1, '2025-05-05', 'a')",
  );
  const next = await up(database.url, layer(year(2025)), state);
  expect(await pending(database.url, next)).toEqual([]);
  const indexes =
    "select indexrelid::regclass::text as name from pg_index where indrelid = 'events_2025'::regclass order by 1";
  expect(await database.query(indexes)).toEqual([{ name: "by_hand" }, { name: "events_2025_pkey" }]);
});

test("a partition becomes a table concurrently, and keeps what the files say it has", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(year(2024) + year(2025)));
  await database.query("insert into events values (1, '2024-05-05', 'a')");
  const after = layer(
    `create table public.events_2024 ${PLAIN} alter table public.events_2024 add primary key (id, at); ${year(2025)}`,
  );
  const [plan] = await preview(database.url, [after], [state]);
  expect(sqlOf(plan)).toContain('ALTER TABLE "public"."events" DETACH PARTITION "public"."events_2024" CONCURRENTLY');
  const next = await up(database.url, after, state);
  expect(await pending(database.url, next)).toEqual([]);
  const rest = "select conname from pg_constraint where conrelid = 'events_2024'::regclass and contype <> 'n'";
  expect(await database.query(rest)).toEqual([{ conname: "events_2024_pkey" }]);
  expect(await database.query("select id from events_2024")).toEqual([{ id: 1 }]);
});

test("a detach that was cut is finished, and one that the files no longer ask for is taken back", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(year(2024) + year(2025)));
  await database.query("insert into events values (1, '2024-05-05', 'a')");
  for (const after of [`create table public.events_2024 ${PLAIN} ${year(2025)}`, year(2024) + year(2025)]) {
    const asBefore = await up(database.url, layer(year(2024) + year(2025)), state);
    // As the server leaves it when a concurrent detach ends between its transactions.
    await database.query("update pg_inherits set inhdetachpending = true where inhrelid = 'events_2024'::regclass");
    const next = await up(database.url, layer(after), asBefore);
    expect(await pending(database.url, next)).toEqual([]);
    expect(await database.query("select id from events_2024")).toEqual([{ id: 1 }]);
  }
});

test("rows that do not fit the new bound stop the update before its first statement, with their number", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(year(2024, 2026)));
  await database.query("insert into events select g, '2025-05-05' from generate_series(1, 3) g");
  const change = up(database.url, layer(year(2024)), state);
  await expect(change).rejects.toThrow(
    /found 3 rows of public\.events_2024 outside its bound FOR VALUES FROM \('2024-01-01'\) TO \('2025-01-01'\)/,
  );
  expect(await database.query("select count(*)::int as n from events")).toEqual([{ n: 3 }]);
});

test("a new partition takes the place that another one gives up", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(year(2024, 2026)));
  await database.query("insert into events values (1, '2024-05-05', 'a')");
  const next = await up(database.url, layer(year(2024) + year(2025)), state);
  expect(await pending(database.url, next)).toEqual([]);
  expect(await database.query("select tableoid::regclass::text as place from events")).toEqual([
    { place: "events_2024" },
  ]);
});

test("a new partition beside a default one with rows is made after a check that none belongs to it", async () => {
  const database = await freshDatabase();
  const rest = "create table public.events_rest partition of public.events default;";
  const state = await up(database.url, layer(rest));
  await database.query("insert into events values (1, '2024-05-05', 'a')");
  const [plan] = await preview(database.url, [layer(rest + year(2025))], [state]);
  expect(sqlOf(plan)).toContain('ALTER TABLE "public"."events_rest" VALIDATE CONSTRAINT "pgstrata_bound_events_2025"');
  const next = await up(database.url, layer(rest + year(2025)), state);
  expect(await pending(database.url, next)).toEqual([]);
});

test("a column that the table of the partition lacks stops the update, when nobody declares it", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(`create table public.events_2025 ${PLAIN}`));
  await database.query("alter table events_2025 add extra int");
  await expect(up(database.url, layer(year(2025)), state)).rejects.toThrow(
    "Found columns of table public.events_2025 that no file declares: extra.",
  );
});

test("partitions of partitions come and go with theirs", async () => {
  const database = await freshDatabase();
  const leaf = "create table public.leaf partition of public.events_2024 for values from (0) to (100);";
  const nested = `${year(2024).slice(0, -1)} partition by range (id); ${leaf}`;
  const alone = `create table public.events_2024 ${PLAIN.slice(0, -1)} partition by range (id); ${leaf}`;
  let state = await up(database.url, layer(nested));
  await database.query("insert into events values (1, '2024-05-05', 'a')");
  for (const sql of [alone, nested]) {
    const allow = sql === nested ? ["build-constraint:public.events_2024.events_2024_pkey"] : [];
    state = await up(database.url, layer(sql, { allow }), state);
    expect(await pending(database.url, state)).toEqual([]);
    expect(await database.query("select id from leaf")).toEqual([{ id: 1 }]);
  }
});

test("a partition that leaves the files is dropped with its rows, under its approval only", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(year(2024) + year(2025)));
  await database.query("insert into events values (1, '2024-05-05', 'a')");
  await expect(up(database.url, layer(year(2025)), state)).rejects.toThrow("drop-table:public.events_2024");
});

test("a view on a table's columns stays when the table becomes a partition", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(`create table public.events_2025 ${PLAIN}`));
  await database.query(
    "create view theirs as select id, kind from events_2025; insert into events_2025 values (1, '2025-05-05')",
  );
  const next = await up(database.url, layer(year(2025)), state);
  expect(await pending(database.url, next)).toEqual([]);
  expect(await database.query("select id from theirs")).toEqual([{ id: 1 }]);
});

const COPIED =
  "create table public.notes (id int generated always as identity, at date not null, number serial, primary key (id, at))";

test("a table that comes to lie in partitions keeps its rows, its numbers go on, and nothing is left aside", async () => {
  const database = await freshDatabase();
  const secured =
    "alter table public.notes enable row level security; alter table public.notes force row level security;";
  const one = project.layer("notes", `${COPIED}; ${secured}`);
  const state = await up(database.url, one);
  await database.query(
    "alter table notes no force row level security; insert into notes (at) values ('2024-01-01'), ('2024-01-02'); alter table notes force row level security",
  );
  const partition = "create table public.notes_all partition of public.notes default;";
  const sql = `${COPIED.replace("generated always as identity", "not null")} partition by range (at); ${partition} ${secured}`;
  const next = project.layer("notes", sql);
  await expect(up(database.url, next, state)).rejects.toThrow("rewrite-table:public.notes");
  const after = await up(database.url, { ...next, allow: ["rewrite-table:public.notes"] }, state);
  expect(await pending(database.url, after)).toEqual([]);
  await database.query(
    "alter table notes no force row level security; insert into notes (id, at) values (7, '2024-01-03')",
  );
  expect(await database.query("select id, number from notes order by id")).toEqual([
    { id: 1, number: 1 },
    { id: 2, number: 2 },
    { id: 7, number: 3 },
  ]);
  expect(await database.query("select nspname from pg_namespace where nspname like 'pgstrata%'")).toEqual([]);
});

test("a table whose rows fit none of its new partitions stays as it was", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("notes", `create table public.notes (at date not null)`));
  await database.query("insert into notes values ('2030-01-01')");
  const sql =
    "create table public.notes (at date not null) partition by range (at); create table public.part partition of public.notes for values from ('2024-01-01') to ('2025-01-01')";
  const change = up(database.url, project.layer("notes", sql, { allow: ["rewrite-table:public.notes"] }), state);
  await expect(change).rejects.toThrow("found 1 row of public.notes outside the bounds of all its partitions");
  expect(await database.query("select count(*)::int as n from notes")).toEqual([{ n: 1 }]);
});

test("a change of partitioning and a dropped column are two updates", async () => {
  const database = await freshDatabase();
  const state = await up(
    database.url,
    project.layer("notes", "create table public.notes (at date not null, kind text)"),
  );
  const sql = "create table public.notes (at date not null) partition by range (at)";
  await expect(up(database.url, project.layer("notes", sql), state)).rejects.toThrow(
    "drops or converts columns of it (kind)",
  );
});
