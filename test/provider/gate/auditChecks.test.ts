import { beforeAll, expect, test } from "vitest";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { API_ROLES, makeApplication } from "../../support/auditDatabase.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { gatedRun } from "../../support/gateHarness.ts";

const fresh = freshDatabases();
let dev: TestDatabase;
let empty: TestDatabase;
beforeAll(async () => {
  empty = await fresh();
  dev = await fresh();
  await makeApplication(dev, "dev");
});

/** The line of a check that the gate of the audit trail asks; undefined where it passes. */
async function line(database: TestDatabase, name: string): Promise<string | undefined> {
  const gate = { checks: "sql/checks/audit-gate", schemas: ["public"], roles: [...API_ROLES] };
  const run = await gatedRun(database.url, gate, { directory: projectRoot });
  try {
    return run.line(name);
  } finally {
    await run.close();
  }
}

test("a database without the application is NO-GO, and says what is missing", async () => {
  expect(await line(empty, "base-objects")).toMatch(/^NO-GO .*public\.profiles\.id, .*auth\.uid\(\) that returns uuid/);
  expect(await line(empty, "references")).toBeUndefined();
});

test("an environment that has drifted is GO, with a WARNING of what it opens", async () => {
  for (const name of ["base-objects", "conflicting-tables", "references"])
    expect(await line(dev, name)).toBeUndefined();
  expect(await line(dev, "adopted-privileges")).toMatch(
    /^WARNING .*anon on upload_errors, anon on user_audits; .*REVOKE ALL ON public\.upload_errors, public\.user_audits FROM PUBLIC, anon;/,
  );
});

test.each([
  ["base-objects", 'alter table public.profiles rename "deletedAt" to deleted_at', "public.profiles.deletedAt"],
  [
    "conflicting-tables",
    "alter table public.upload_errors alter details type jsonb using null",
    "upload_errors.details is jsonb, not text",
  ],
  [
    "references",
    'alter table public.profiles drop constraint "profiles_deletedBy_fkey"; update public.profiles set "deletedBy" = gen_random_uuid()',
    "profiles.deletedBy: 24 rows",
  ],
])("%s is NO-GO after: %s", async (name, sql, found) => {
  await dev.query(sql);
  expect(await line(dev, name)).toMatch(/^NO-GO/);
  expect(await line(dev, name)).toContain(found);
});
