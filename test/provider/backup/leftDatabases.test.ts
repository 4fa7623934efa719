import pg from "pg";
import { afterEach, expect, inject, test } from "vitest";
import { dropAbandonedProofs, restoreNames, unfinishedDatabases } from "../../../provider/backup/leftDatabases.ts";
import { type Database, openDatabase } from "../../../provider/database/target.ts";
import { backupFolders, runBackup } from "../../support/backups.ts";
import { ask, type TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const fresh = freshDatabases();
const newFolder = backupFolders();
const made: string[] = [];
let target: Database | undefined;
afterEach(async () => {
  await target?.close();
  target = undefined;
  for (const name of made.splice(0))
    await ask(inject("serverUrl"), `drop database if exists ${pg.escapeIdentifier(name)} with (force)`);
});

async function withDatabases(names: (database: TestDatabase, oid: number) => string[]): Promise<TestDatabase> {
  const database = await fresh();
  const [{ oid } = { oid: 0 }] = await database.query<{ oid: number }>(
    "select oid::int from pg_database where datname = current_database()",
  );
  for (const name of names(database, oid)) {
    made.push(name);
    await ask(inject("serverUrl"), `create database ${pg.escapeIdentifier(name)}`);
  }
  target = openDatabase({ url: database.url });
  return database;
}

const opened = (): Database => {
  if (target === undefined) throw new Error("no database");
  return target;
};

test("the next backup drops the scratch database of a killed proof, and none that is in use or of another target", async () => {
  const database = await withDatabases((_, oid) => [
    `pgstrata_proof_${oid}_0123456789abcdef`,
    `pgstrata_proof_${oid}_fedcba9876543210`,
    `pgstrata_proof_${oid + 1}_0123456789abcdef`,
  ]);
  const [abandoned = "", used = "", other = ""] = made;
  const user = new pg.Client(Object.assign(new URL(inject("serverUrl")), { pathname: `/${used}` }).href);
  await user.connect();

  const { said } = await runBackup({ url: database.url, settings: { folder: await newFolder(), proof: "list" } });

  expect(said.join("\n")).toContain(`dropped the scratch database ${abandoned}, which a run that was killed has left`);
  const left = await ask(
    inject("serverUrl"),
    `select datname from pg_database where datname in ('${made.join("', '")}') order by 1`,
  );
  expect(left.map(({ datname }) => datname)).toEqual([used, other].sort());
  await user.end();
  expect(await dropAbandonedProofs(opened())).toEqual([used]);
});

test("a database of a restore or a copy that has not ended is named with the statement that drops it", async () => {
  const time = new Date();
  const database = await withDatabases(({ name }) => [
    restoreNames(name, time).restoring,
    `${name}_unproven_20260131t235959z`,
    restoreNames(name, time).restored,
    `${name}_restoring_by_hand`,
  ]);
  const [restoring = "", unproven = ""] = made;

  const lines = await unfinishedDatabases(opened());

  expect(lines).toEqual([
    expect.stringContaining(
      `of a restore that has not ended, and may be incomplete. Nothing needs it: drop database "${restoring}";`,
    ),
    expect.stringContaining(`drop database "${unproven}";`),
  ]);
  const { said } = await runBackup({ url: database.url, settings: { folder: await newFolder(), proof: "list" } });
  expect(said.filter((line) => line.startsWith("warning: backup: the database"))).toHaveLength(2);
});
