import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, preview, project, sqlOf, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();
const EVENTS =
  "create table public.events (id int not null, at date not null, kind text, primary key (id, at)) partition by range (at);";
const layer = (sql: string, more = {}) => project.layer("renamed", sql, more);
const YEAR = (name: string) => `
-- renamed from: public.y25
create table public.${name} partition of public.events for values from ('2025-01-01') to ('2026-01-01');`;
const PLAIN = "(id int not null, at date not null, kind text, primary key (id, at));";

test.each([
  [
    "a table that becomes a partition",
    `${EVENTS} create table public.y25 ${PLAIN}`,
    EVENTS + YEAR("events_2025"),
    "y25",
    "events_2025",
  ],
  [
    "a partition that becomes a table",
    `${EVENTS} create table public.y25 partition of public.events for values from ('2025-01-01') to ('2026-01-01');`,
    `${EVENTS}
-- renamed from: public.y25
create table public.events_2025 ${PLAIN}`,
    "y25",
    "events_2025",
  ],
  [
    "a partition with another bound",
    `${EVENTS} create table public.y25 partition of public.events for values from ('2025-01-01') to ('2026-01-01');`,
    EVENTS + YEAR("events_2025").replace("2026", "2027"),
    "y25",
    "events_2025",
  ],
  [
    "a table that inherits",
    `create table public.base (id int not null); create table public.y25 ${PLAIN}`,
    `create table public.base (id int not null);
-- renamed from: public.y25
create table public.events_2025 (at date not null, kind text, primary key (id, at)) inherits (public.base);`,
    "y25",
    "events_2025",
  ],
  [
    "a parent whose partition leaves",
    `${EVENTS} create table public.y25 partition of public.events for values from ('2025-01-01') to ('2026-01-01');`,
    `-- renamed from: public.events
${EVENTS.replace("public.events", "public.happened")} create table public.y25 ${PLAIN}`,
    "y25",
    "y25",
  ],
])("%s under another name keeps its rows", async (_name, before, after, from, to) => {
  const database = await freshDatabase();
  const state = await up(database.url, layer(before));
  await database.query(
    `insert into ${from} (id, at, kind) select g, '2025-02-02'::date + g, 'k' from generate_series(1, 5) g`,
  );
  const [plan] = await preview(database.url, [layer(after)], [state]);
  expect(sqlOf(plan).some((sql) => / RENAME TO /.test(sql))).toBe(true);
  expect(sqlOf(plan).some((sql) => / (ATTACH|DETACH) PARTITION | INHERIT /.test(sql))).toBe(true);
  const next = await up(database.url, layer(after), state);
  expect(await database.query(`select count(*)::int as n from ${to}`)).toEqual([{ n: 5 }]);
  expect(await pending(database.url, next)).toEqual([]);
});
