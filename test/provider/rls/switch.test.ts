import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withContext } from "../../../client/index.ts";
import type { ResourceState } from "../../../provider/core/resourceType.ts";
import { createTestRole, type TestRole } from "../../support/database.ts";
import { destroy, pending, preview, sqlOf, up } from "../../support/layerHarness.ts";
import { createStudioDatabase, layersWith, type StudioDatabase } from "../../support/studio.ts";
import { CONTEXT_KEY, seedTenants, USERS } from "../../support/tenants.ts";

let studio: StudioDatabase;
let login: TestRole;
let pool: pg.Pool;

beforeAll(async () => {
  studio = await createStudioDatabase("permissive");
  await seedTenants(studio);
  login = await createTestRole();
  await studio.query(`grant studio_app to ${login.name}`);
  pool = new pg.Pool({ connectionString: studio.urlFor(login), max: 4 });
});
afterAll(async () => {
  await pool.end();
  await studio.drop();
  await login.drop();
});

const [, , permissive] = layersWith("permissive");
const [, , restrictive] = layersWith("restrictive");

/** How many organizations a member of one sees, again and again while something is done. */
async function seenWhile<T>(work: () => Promise<T>): Promise<{ seen: number[]; result: T }> {
  const seen = new Set<number>();
  let isOver = false;
  const reader = async (): Promise<void> => {
    while (!isOver) {
      const { rows } = await withContext(
        pool,
        { userId: USERS.member },
        ({ query }) => query("select o.id, (select count(*) from platform.projects) from platform.organizations o"),
        { key: `gateway:${CONTEXT_KEY}` },
      );
      seen.add(rows.length);
    }
  };
  const readers = [reader(), reader(), reader()];
  const result = await work().finally(() => {
    isOver = true;
  });
  await Promise.all(readers);
  return { seen: [...seen].sort(), result };
}

const policies = async (): Promise<number> =>
  Number((await studio.query("select count(*) as n from pg_policies where schemaname = 'platform'"))[0]?.n);

test("goes to the restrictive policies and back in one transaction each, and a reader sees no moment without policies", async () => {
  if (permissive === undefined || restrictive === undefined) throw new Error("no layers");
  const [, , state] = studio.states;
  const [plan] = await preview(studio.url, [restrictive], state === undefined ? [] : [state]);
  const sql = sqlOf(plan);
  expect(sql.filter((each) => /^(?:DROP|CREATE) POLICY/.test(each)).length).toBeGreaterThan(100);
  expect(sql.filter((each) => /CONCURRENTLY|NOT VALID|ROW LEVEL SECURITY/.test(each))).toEqual([]);

  const there = await seenWhile(() => up(studio.url, restrictive, state));
  expect(there.seen).toEqual([1, 2]);
  expect(await pending(studio.url, there.result)).toEqual([]);
  const back = await seenWhile(() => up(studio.url, permissive, there.result));
  expect(back.seen).toEqual([1, 2]);
  expect(await policies()).toBe(26);
  expect(await pending(studio.url, back.result)).toEqual([]);
});

test("a switch that fails in its middle leaves the policies that were there", async () => {
  if (restrictive === undefined) throw new Error("no layer");
  const [, , state] = studio.states;
  await studio.query("create view platform.holds as select * from platform.test_rls_policies()");
  await expect(up(studio.url, restrictive, state)).rejects.toThrow("holds");
  expect(await policies()).toBe(26);
  await studio.query("drop view platform.holds");
});

test("a destroy takes restrictive policies off, and leaves the request context to the application", async () => {
  if (restrictive === undefined) throw new Error("no layer");
  const [, , state] = studio.states;
  const on: ResourceState = await up(studio.url, restrictive, state);
  await destroy(studio.url, on);
  expect(await policies()).toBe(0);
  const secured =
    "select count(*)::int as n from pg_class where relnamespace = 'platform'::regnamespace and relrowsecurity";
  expect(await studio.query(secured)).toEqual([{ n: 0 }]);
  const triggers = "select tgname from pg_trigger where tgname like 'keep%'";
  expect(await studio.query(triggers)).toEqual([]);
  const { rows } = await withContext(
    pool,
    { userId: USERS.member },
    ({ query }) => query("select platform_access.user_id() as id"),
    { key: `gateway:${CONTEXT_KEY}` },
  );
  expect(rows).toEqual([{ id: USERS.member }]);
});
