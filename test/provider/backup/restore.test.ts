import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import type { Stored } from "../../../provider/backup/record.ts";
import { checkFiles, planRestore, type RestorePlan, restoreBeside, swap } from "../../../provider/backup/restore.ts";
import { type Database, openDatabase } from "../../../provider/database/target.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { backupFolders, runBackup } from "../../support/backups.ts";
import { ask, createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";

const newFolder = backupFolders();
let source: TestDatabase;
let role: TestRole;
let backup: Stored;
let made: string[] = [];
let open: Database[] = [];

const serverUrl = (): string => inject("serverUrl");

beforeEach(async () => {
  source = await createTestDatabase();
  role = await createTestRole();
  await source.query(`
    create schema app; create table app.items (id int primary key, name text); insert into app.items select n, 'row ' || n from generate_series(1, 50) n;
    create table app.owned (id int); alter table app.owned owner to ${role.name}; insert into app.owned values (1);
    create policy mine on app.items to ${role.name} using (true)`);
  const { record, report } = await runBackup({
    url: source.url,
    settings: { folder: await newFolder(), proof: "list" },
  });
  backup = { record, folder: report.folder ?? "" };
  await source.query("delete from app.items where id > 3; drop table app.owned");
});
afterEach(async () => {
  await Promise.all(open.map((database) => database.close()));
  open = [];
  await source.pool.end();
  for (const name of [source.name, ...made]) await ask(serverUrl(), `drop database if exists "${name}" with (force)`);
  made = [];
  await ask(serverUrl(), `drop owned by ${role.name}`).catch(() => undefined);
  await role.drop();
});

function opened(url = source.url): Database {
  const database = openDatabase({ url });
  if (database === undefined) throw new Error("no URL");
  open.push(database);
  return database;
}

async function restore(database: Database, plan: RestorePlan): Promise<string[]> {
  made.push(plan.into, plan.keptAs ?? plan.into);
  const stages: string[] = [];
  await restoreBeside(database, backup, plan, {
    projectDirectory: projectRoot,
    signal: new AbortController().signal,
    onStage: (name) => stages.push(name),
  });
  return stages;
}

const urlOf = (name: string): string => {
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
};
const count = async (name: string): Promise<unknown> =>
  (await ask(urlOf(name), "select count(*)::int as n from app.items"))[0]?.n;

test("a backup is restored beside the target and takes its name, and the target is kept", async () => {
  const database = opened();
  await checkFiles(backup);
  const plan = await planRestore(database, backup);
  expect(plan).toMatchObject({ reason: undefined, hasOwners: true });

  expect(await restore(database, plan)).toEqual(["new database", "restore", "proof"]);
  expect([await count(source.name), await count(plan.into)]).toEqual([3, 50]);

  await swap(database, plan);

  expect(await count(source.name)).toBe(50);
  expect(await count(plan.keptAs ?? "")).toBe(3);
  expect(await ask(source.url, "select tableowner from pg_tables where tablename = 'owned'")).toEqual([
    { tableowner: role.name },
  ]);
  expect(await ask(serverUrl(), `select 1 from pg_database where datname = '${plan.into}'`)).toEqual([]);
});

test("sessions on the target are counted beforehand and ended; none comes in between", async () => {
  const client = new pg.Client({ connectionString: source.url });
  const ended = new Promise<Error>((resolve) => void client.on("error", resolve));
  await client.connect();
  let isDone = false;
  // Who comes again at once, as a pool does.
  const again = async (): Promise<void> => {
    while (!isDone) await ask(source.url, "select pg_sleep(0.01)").catch(() => undefined);
  };
  const database = opened();
  const plan = await planRestore(database, backup);
  expect(plan.sessions).toBeGreaterThanOrEqual(1);
  await restore(database, plan);
  const busy = [again(), again(), again()];
  await swap(database, plan).finally(() => {
    isDone = true;
  });
  await Promise.all(busy);

  expect(String(await ended)).toMatch(/terminat/);
  expect(await count(source.name)).toBe(50);
});

test("what belongs to the database itself comes along", async () => {
  await ask(serverUrl(), `alter database "${source.name}" set search_path to app, "$user"`);
  await ask(serverUrl(), `alter role ${role.name} in database "${source.name}" set work_mem to '7MB'`);
  await ask(
    serverUrl(),
    `revoke connect on database "${source.name}" from public; grant connect on database "${source.name}" to ${role.name}`,
  );
  await ask(
    serverUrl(),
    `comment on database "${source.name}" is 'it''s a shop'; alter database "${source.name}" connection limit 77`,
  );
  const about = (name: string): Promise<Record<string, unknown>[]> =>
    ask(
      serverUrl(),
      `select d.datconnlimit, pg_get_userbyid(d.datdba) as owner, shobj_description(d.oid, 'pg_database') as comment, d.datcollate, d.encoding,
              (select array_agg(a::text order by a::text) from unnest(d.datacl) a) as acl,
              (select array_agg(s.setrole || s.setconfig::text order by 1) from pg_db_role_setting s where s.setdatabase = d.oid) as settings
         from pg_database d where d.datname = '${name}'`,
    );
  const before = await about(source.name);
  expect(before[0]?.settings).toHaveLength(2);
  const database = opened();
  const plan = await planRestore(database, backup);
  await restore(database, plan);
  await swap(database, plan);
  expect(await about(source.name)).toEqual(before);
});

test("a role that may not rename the target restores into the new database, which is said beforehand", async () => {
  const maker = await createTestRole({ attributes: "createdb" });
  await ask(
    serverUrl(),
    `grant ${role.name} to ${maker.name}; grant postgres to ${maker.name} with inherit false, set false`,
  ).catch(() => undefined);
  const database = opened(source.urlFor(maker));
  const plan = await planRestore(database, backup);
  expect(plan).toMatchObject({ keptAs: undefined, reason: expect.stringContaining("which it does not own") });

  await restore(database, { ...plan, hasOwners: false });

  expect([await count(source.name), await count(plan.into)]).toEqual([3, 50]);
  await database.close();
  await ask(serverUrl(), `drop database "${plan.into}"`);
  await ask(serverUrl(), `drop owned by ${maker.name}`);
  await maker.drop();
});

test("a name that is asked for is not swapped", async () => {
  const plan = await planRestore(opened(), backup, "elsewhere");
  expect(plan).toMatchObject({ into: "elsewhere", keptAs: undefined });
});

test.each([
  ["may not create databases", "", /alter role "role_\w+" createdb/],
  ["lacks roles", "superuser", /does not have: nobody_here\. Create them first: create role "nobody_here";/],
])("a server where one %s is told before anything is made", async (_name, attributes, says) => {
  const other = await createTestRole({ attributes });
  const record =
    attributes === "" ? backup.record : { ...backup.record, roles: [...backup.record.roles, "nobody_here"] };
  const database = opened(source.urlFor(other));
  await expect(planRestore(database, { ...backup, record })).rejects.toMatchObject({
    code: "PS818",
    message: expect.stringMatching(says),
  });
  await database.close();
  await other.drop();
});

test("a file that was changed is not restored", async () => {
  if (backup.record.mode !== "dump") throw new Error("no dump");
  await appendFile(join(backup.folder, backup.record.file), "x");
  await expect(checkFiles(backup)).rejects.toMatchObject({
    code: "PS817",
    message: expect.stringContaining("its size differs"),
  });
});

test("a database with other rows than the backup's is dropped, and the target stays", async () => {
  const database = opened();
  const plan = await planRestore(database, backup);
  const rows = { ...backup.record.rows, '"app"."items"': { count: 51 } };
  backup = { ...backup, record: { ...backup.record, rows } };
  await expect(restore(database, plan)).rejects.toMatchObject({
    code: "PS818",
    message: expect.stringContaining('"app"."items": found 50 rows, expected 51'),
  });
  expect(await ask(serverUrl(), `select 1 from pg_database where datname = '${plan.into}'`)).toEqual([]);
  expect(await count(source.name)).toBe(3);
});

test("where the names cannot be swapped, the target has its name and is open", async () => {
  const database = opened();
  const plan = await planRestore(database, backup);
  await restore(database, plan);
  await expect(swap(database, { ...plan, into: "not_there" })).rejects.toMatchObject({ code: "PS818" });
  expect([await count(source.name), await count(plan.into)]).toEqual([3, 50]);
});
