import { afterAll, beforeAll, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { createTestDatabase } from "../../support/database.ts";
import { gatedRun } from "../../support/gateHarness.ts";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { seedTenants } from "../../support/tenants.ts";

const NAMES = ["rls-phase-1", "rls-context", "rls-indexes", "rls-roles", "rls-owners"];

let studio: StudioDatabase;

beforeAll(async () => {
  studio = await createStudioDatabase("permissive");
  await seedTenants(studio);
});
afterAll(async () => {
  await studio.drop();
});

/** The lines of checks about policies that do not pass. */
async function faults(settings: Properties, url = studio.url): Promise<string[]> {
  const run = await gatedRun(url, { settings }, { directory: projectRoot });
  await run.close();
  const all = NAMES.map((name) => run.line(name));
  return all.filter((line) => line !== undefined);
}

test("a database with permissive policies, the request context and its indexes may go on to restrictive ones", async () => {
  expect(await faults({ rls: "restrictive" })).toEqual([]);
});

test("so may a new database", async () => {
  const database = await createTestDatabase();
  expect(await faults({ rls: "restrictive" }, database.url)).toEqual([]);
  await database.drop();
});

test.each([
  [
    "a table without policies",
    "drop policy permissive_all_credits on platform.credits",
    "create policy permissive_all_credits on platform.credits using (true) with check (true)",
    /WARNING\s+rls-phase-1: without: credits; .* → First the permissive policies/,
  ],
  [
    "a request context without a key",
    "update platform_access.context_keys set key = 'short'",
    "update platform_access.context_keys set key = 'key-of-the-gateway-in-tests-0123456789'",
    /NO-GO\s+rls-context: 2 of 3 tests hold/,
  ],
  [
    "no request context",
    "alter function platform_access.test_context() rename to tests",
    "alter function platform_access.tests() rename to test_context",
    /NO-GO\s+rls-context: no request context/,
  ],
  [
    "an index that is missing",
    "alter index platform.idx_org_members_user_org rename to other",
    "alter index platform.other rename to idx_org_members_user_org",
    /NO-GO\s+rls-indexes: 1 of 2 built and valid/,
  ],
  [
    "an organization without an owner",
    "insert into platform.organizations (name, slug) values ('None', 'none')",
    "delete from platform.organizations where slug = 'none'",
    /WARNING\s+rls-owners: 1 organizations without an owner/,
  ],
])("restrictive policies wait for %s to be mended; permissive ones do not", async (_, change, undo, line) => {
  await studio.query(change);
  try {
    const found = await faults({ rls: "restrictive" });
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(line);
    expect(await faults({ rls: "permissive" })).toEqual([]);
  } finally {
    await studio.query(undo);
  }
});

test("an application that decrypts for all tenants is refused", async () => {
  const [line, ...others] = await faults({ rls: "restrictive", decryptors: ["health_checker", "studio_app"] });
  expect(line).toMatch(/NO-GO\s+rls-roles: decrypts the connection strings of all tenants: studio_app/);
  expect(others).toEqual([]);
  expect(await faults({ rls: "restrictive", decryptors: ["health_checker"] })).toEqual([]);
});
