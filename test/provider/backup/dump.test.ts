import { expect, test } from "vitest";
import { backupFolders, filesIn, runBackup } from "../../support/backups.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const fresh = freshDatabases();
const folders = backupFolders();

test("a dump holds the rows", async () => {
  const database = await fresh();
  await database.query(
    "create schema app; create table app.items (id int primary key, name text); insert into app.items select n, 'row ' || n from generate_series(1, 1000) n",
  );
  const folder = await folders();
  for (let i = 0; i < 3; i++) {
    const t = performance.now();
    const { record, said } = await runBackup({ url: database.url, settings: { folder } });
    console.log(performance.now() - t, record, said, await filesIn(folder));
  }
  expect(1).toBe(1);
});
