import { afterAll, beforeAll, expect, test } from "vitest";
import { pending, refresh, up } from "../../support/layerHarness.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio, studioLayers } from "../../support/studio.ts";

let studio: StudioDatabase;

beforeAll(async () => {
  studio = await createStudioDatabase();
});
afterAll(async () => {
  await studio.drop();
});

type TestRow = { test_name: string; test_result: boolean; description: string };

const TESTS = ["organizations_read", "projects_read", "users_read", "rls_enabled", "policies_exist"];

/** The results after a change by hand, which is undone afterwards. */
async function resultsAfter(change: string, role = "current_user"): Promise<Record<string, string | true>> {
  const rows = await studio.as(
    "postgres",
    `${change}; set local role ${role === "current_user" ? "postgres" : role}; select * from platform.test_rls_policies()`,
  );
  return Object.fromEntries(
    rows.map((row) => [String(row.test_name), row.test_result === true ? true : String(row.description)]),
  );
}

const allTrue = Object.fromEntries(TESTS.map((name) => [name, true]));

test("the five tests hold on an empty database, for the owner and for the roles that may run them", async () => {
  const rows = await studio.query<TestRow>("select * from platform.test_rls_policies()");
  expect(rows.map(({ test_name }) => test_name)).toEqual(TESTS);
  expect(rows.filter(({ test_result }) => !test_result)).toEqual([]);
  for (const role of ["studio_app", "studio_readonly"]) {
    const seen = await studio.as(role, "select * from platform.test_rls_policies()");
    expect(seen.map(({ test_result }) => test_result)).toEqual([true, true, true, true, true]);
  }
});

test("they hold on a database with rows, too", async () => {
  expect(await resultsAfter("insert into platform.organizations (name, slug) values ('Acme', 'acme')")).toEqual(
    allTrue,
  );
});

for (const [what, change, failing] of [
  [
    "a policy of a table that is read is dropped",
    "drop policy permissive_all_users on platform.users",
    ["users_read", "policies_exist"],
  ],
  [
    "a policy of any other table is dropped",
    "drop policy permissive_all_credits on platform.credits",
    ["policies_exist"],
  ],
  ["row security is switched off", "alter table platform.tax_ids disable row level security", ["rls_enabled"]],
  [
    "a restrictive policy narrows a read",
    "create policy narrow on platform.projects as restrictive for select using (false)",
    ["projects_read", "policies_exist"],
  ],
  [
    "a policy is for one role alone",
    "alter policy permissive_all_projects on platform.projects to studio_decrypt",
    ["policies_exist"],
  ],
  [
    "a policy hides rows",
    "alter policy permissive_all_organizations on platform.organizations using (slug <> 'x')",
    ["organizations_read", "policies_exist"],
  ],
  [
    "a policy checks rows",
    "alter policy permissive_all_invoices on platform.invoices with check (false)",
    ["policies_exist"],
  ],
  [
    "a new table comes without row security",
    "create table platform.newcomer (id int)",
    ["rls_enabled", "policies_exist"],
  ],
  [
    "there is no table at all",
    "drop schema platform cascade; create schema platform; create table platform.organizations (id int); create table platform.projects (id int); create table platform.users (id int)",
    null,
  ],
] as const) {
  test(`they fail when ${what}`, async () => {
    if (failing === null) {
      await expect(resultsAfter(change)).rejects.toThrow("platform.test_rls_policies");
      return;
    }
    const results = await resultsAfter(change);
    expect(Object.keys(results).filter((name) => results[name] !== true)).toEqual(failing);
  });
}

test("they fail for a role that may not read", async () => {
  const results = await resultsAfter("revoke select on platform.organizations from studio_readonly", "studio_readonly");
  expect(results.organizations_read).toMatch(
    /reading platform.organizations as studio_readonly fails: permission denied/,
  );
  expect(results.projects_read).toBe(true);
});

test("the report lists every table with its flag and its number of policies", async () => {
  const rows = await studio.query("select * from platform.verify_rls_enabled()");
  expect(rows).toHaveLength(26);
  for (const row of rows) expect(row).toMatchObject({ rls_enabled: true, policy_count: "1" });
  const changed = await studio.as(
    "postgres",
    "alter table platform.tax_ids disable row level security; drop policy permissive_all_users on platform.users; select * from platform.verify_rls_enabled()",
  );
  expect(changed.filter(({ rls_enabled, policy_count }) => rls_enabled !== true || policy_count !== "1")).toEqual([
    { table_name: "tax_ids", rls_enabled: false, policy_count: "1" },
    { table_name: "users", rls_enabled: true, policy_count: "0" },
  ]);
});

test("only the application's two roles may run the reports", async () => {
  await expect(studio.as("studio_decrypt", "select * from platform.test_rls_policies()")).rejects.toThrow(
    "permission denied",
  );
  await expect(studio.as("studio_decrypt", "select * from platform.verify_rls_enabled()")).rejects.toThrow(
    "permission denied",
  );
});

test("policies that were dropped and row security that was switched off are drift of the layer, and an update brings them back", async () => {
  const own = await createStudioDatabase();
  await seedStudio(own);
  await own.query(
    "drop policy permissive_all_users on platform.users; alter table platform.databases disable row level security",
  );
  const [platform, databases, rls] = own.states;
  if (platform === undefined || databases === undefined || rls === undefined) throw new Error("no states");
  expect(await pending(own.url, platform)).toEqual([]);
  expect(await pending(own.url, databases)).toEqual([]);
  expect((await refresh(own.url, rls))?.outputs.drift).toEqual([
    "comment on policy permissive_all_users on platform.users",
    "policy permissive_all_users on platform.users",
    "table platform.databases",
  ]);
  await up(own.url, studioLayers[2] ?? {}, rls);
  const results = await own.query<TestRow>("select * from platform.test_rls_policies()");
  expect(results.filter(({ test_result }) => !test_result)).toEqual([]);
  await own.drop();
});
