import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createSession } from "../../../provider/resources/session.ts";
import { archiveRegistrations, putBackRegistrations, readArchive } from "../../../tools/rollback/archive.ts";
import { refuseReferences, tablesOf } from "../../../tools/rollback/obstacles.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";

const KEY = "test-salt-of-forty-characters-0123456789";
const SECRET = "redis://default:pa55-canary-of-an-archive@redis.railway.internal:6379/";
/** What the registry's layer brings. */
let own: string[];

let studio: StudioDatabase;
let projects: [string, string];
beforeAll(async () => {
  studio = await createStudioDatabase();
  ({ projects } = await seedStudio(studio));
  own = tablesOf({ outputs: studio.states[1]?.outputs ?? {} });
});
beforeEach(async () => {
  await studio.query("delete from platform.databases");
});
afterAll(() => studio.drop());

const report = { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} };
const urn = "urn:pulumi:prod::shop::pgstrata:index:Layer::databases";
const context = { urn, preview: false, signal: new AbortController().signal, report };

async function inSession<T>(work: (session: ReturnType<typeof createSession>) => Promise<T>): Promise<T> {
  const session = createSession(parseConfig({ url: studio.url }).config, { steps: [] });
  try {
    return await work(session);
  } finally {
    await session.close();
  }
}
const archive = () =>
  inSession((session) =>
    archiveRegistrations(session, { context, operation: "delete" }, { key: KEY, withSalt: false, adopted: [], own }),
  );
const putBack = () => inSession((session) => putBackRegistrations(session, { context, operation: "create" }, KEY));
const archived = () => inSession((session) => readArchive(session, urn));

const register = (name: string, project = projects[0]) =>
  studio.query(
    `insert into platform.databases (project_id, name, type, host, port, connection_string)
     values ($1, $2, 'redis', 'redis.railway.internal', 6379, $3) returning id`,
    [project, name, SECRET],
  );
const registered = () =>
  studio.query(
    "select id, name, platform_private.connection_string_of(id) as secret from platform.databases order by 2",
  );

test("a foreign key of another table stops the archive before anything is changed", async () => {
  await register("a");
  await studio.query(`create schema "Shop"; create table "Shop".uses (database_id uuid references platform.databases on delete cascade);
    insert into "Shop".uses select id from platform.databases`);
  const before = await registered();
  try {
    const told = 'foreign key uses_database_id_fkey of table "Shop".uses refers to it. Nothing was changed.';
    await expect(refuseReferences(studio.pool, own)).rejects.toThrow(told);
    await expect(archive()).rejects.toThrow('ALTER TABLE "Shop".uses DROP CONSTRAINT uses_database_id_fkey;');
    expect(await registered()).toEqual(before);
    expect(await studio.query('select count(*)::int from "Shop".uses')).toEqual([{ count: 1 }]);
    await refuseReferences(studio.pool, [...own, "Shop.uses"]);
  } finally {
    await studio.query('drop schema "Shop" cascade');
  }
  await refuseReferences(studio.pool, own);
});

test("what the table takes comes back, and what it refuses stays in the archive for a later undo", async () => {
  await register("a");
  await register("b", projects[1]);
  await register("c");
  const before = await registered();
  expect(await archive()).toBe(3);
  const [project] = await studio.query<{ row: object }>(
    "delete from platform.projects as p where id = $1 returning to_jsonb(p) as row",
    [projects[1]],
  );
  expect(await archived()).toEqual({ count: 3, orphans: ["b"] });
  await studio.query("alter table platform.databases add constraint not_c check (name <> 'c')");

  const first = await putBack();

  expect(first).toMatchObject({ inserted: 1, updated: 0, notOpened: [] });
  expect(first.refused.map(({ name }) => name)).toEqual(["b", "c"]);
  expect(first.refused[0]?.reason).toContain("the row that it refers to does not exist");
  expect(first.refused[1]?.reason).toContain('check constraint "not_c" of table platform.databases rejects a value');
  expect(JSON.stringify(first)).not.toContain("canary");
  expect((await archived()).count).toBe(2);

  await studio.query("insert into platform.projects select * from jsonb_populate_record(null::platform.projects, $1)", [
    project?.row,
  ]);
  await studio.query("alter table platform.databases drop constraint not_c");
  expect(await putBack()).toEqual({ inserted: 2, updated: 0, rotations: 0, notOpened: [], refused: [] });
  expect(await registered()).toEqual(before);
  expect(await archived()).toEqual({ count: 0, orphans: [] });
});
