import { afterEach, expect, inject, test } from "vitest";
import type { CallContext, Properties } from "../../../provider/core/resourceType.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { takeBaseline } from "../../../provider/verification/baseline.ts";
import { backupFolders, runBackup, withPrograms } from "../../support/backups.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { defaults, project } from "../../support/layerHarness.ts";

const fresh = freshDatabases();
const newFolder = backupFolders();
let session: Session | undefined;
let putBack: (() => void) | undefined;
afterEach(async () => {
  await session?.close();
  session = undefined;
  putBack?.();
  putBack = undefined;
});

const TABLE =
  "create schema app; create table app.items (id int primary key, name text); insert into app.items select n, 'item' from generate_series(101, 103) n";

/** A run with a backup that is proven by its list, and what is done meanwhile. */
async function run(url: string, onStatus: (text: string) => void = () => {}): Promise<[Session, CallContext]> {
  const { backup, ...config } = defaults({ url });
  session = createSession(
    {
      ...config,
      backup: { ...backup, mode: "dump", folder: await newFolder(), proof: "list" },
      baseline: { schemas: ["app"], queries: [] },
      shadow: { url: inject("serverUrl") },
    },
    { projectDirectory: project.directory },
  );
  const report = { info: () => {}, warn: () => {}, status: onStatus, plan: async () => {} };
  const urn = "urn:pulumi:prod::shop::pgstrata:index:Row::one";
  return [session, { urn, preview: false, signal: new AbortController().signal, report }];
}

const ROW: Properties = { table: "app.items", key: { id: 1 }, values: { name: "one" } };
const counted = ({ record }: Session): bigint | undefined => record.baseline?.tables[0]?.rows;

test("what a backup counts is what a baseline counts, for each table that it tells of", async () => {
  const database = await fresh();
  await database.query(`
    alter database "${database.name}" set timezone = 'Pacific/Auckland'; create schema app; set search_path = app, public;
    create table "T ""1""" ("t" int, gone int, at timestamptz, "a.b" text); alter table "T ""1""" drop column gone;
    insert into "T ""1""" select n, now(), 'ä' || n from generate_series(1, 50) n;
    create table computed (a int, b int generated always as (a * 2) stored); insert into computed values (1), (2);
    create table parts (id int, name text) partition by range (id); create table later (name text, id int);
    create table part_1 partition of parts for values from (0) to (10); alter table parts attach partition later for values from (10) to (20);
    insert into parts select n, 'part' from generate_series(0, 19) n;
    create table parent (id int); create table child () inherits (parent); insert into parent values (1); insert into child values (2), (3);
    create table empty (id int); create table without ()`);
  const { record } = await runBackup({ url: database.url, settings: { folder: await newFolder(), proof: "list" } });
  const target = openDatabase({ url: database.url });
  if (target === undefined) throw new Error("no URL");
  const config = { ...defaults({ url: database.url }), baseline: { schemas: ["app"], queries: [] } };
  const baseline = (rows?: typeof record.rows) =>
    takeBaseline(target, config, project.directory, new AbortController().signal, { counted: rows });

  const own = await baseline();
  expect(own.tables).toHaveLength(7);
  expect(await baseline(record.rows)).toEqual(own);
  // Only what the backup does not tell is counted.
  const others = Object.fromEntries(Object.keys(record.rows).map((name) => [name, { count: 7, checksum: "7" }]));
  const found = (await baseline(others)).tables.map(({ name, rows, checksum }) => [name, rows, checksum === "7"]);
  expect(found).toEqual([
    ['T "1"', 7n, true],
    ["child", 7n, true],
    ["computed", 2n, false],
    ["empty", 7n, true],
    ["parent", 7n, true],
    ["parts", 20n, false],
    ["without", 7n, true],
  ]);
  await target.close();
});

test("a run whose backup has counted the rows does not count them again before its first change", async () => {
  const database = await fresh();
  await database.query(TABLE);
  putBack = await withPrograms({ pg_restore: 'sleep 1\nexec "$PG_RESTORE" "$@"' });
  let writing: Promise<unknown> | undefined;
  const [session, context] = await run(database.url, (text) => {
    if (/backup: proof/.test(text)) writing = database.query("insert into app.items values (200, 'by others')");
  });

  await createRow(session).create(context, ROW);

  expect(await writing).toEqual([]);
  expect(counted(session)).toBe(3n);
  expect(await database.query("select count(*)::int as n from app.items")).toEqual([{ n: 5 }]);
});

test("after a deletion the backup's counts are old, and the rows are counted", async () => {
  const database = await fresh();
  await database.query(`${TABLE}; insert into app.items values (1, 'one')`);
  const [session, context] = await run(database.url);
  const rows = createRow(session);
  const { inputs } = await rows.check(context, {}, ROW);
  const outputs = { ...inputs, adopted: false };

  await rows.delete(context, { id: "app.items/1", inputs, outputs });
  expect(session.record.baseline).toBeUndefined();
  await rows.create(context, ROW);

  expect(counted(session)).toBe(3n);
});
