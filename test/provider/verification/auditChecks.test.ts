import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSections, type Section } from "../../../provider/verification/checkFile.ts";
import type { CheckResult } from "../../../provider/verification/report.ts";
import { runChecks } from "../../../provider/verification/runChecks.ts";
import { API_ROLES, makeApplication } from "../../support/auditDatabase.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { up } from "../../support/layerHarness.ts";
import { AUDIT_CONTROLS } from "./auditControls.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const checks = await readSections("check", ["sql/checks/audit"], ROOT);

let database: TestDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  database = await createTestDatabase();
  await makeApplication(database, "prod");
  await up(database.url, {
    name: "audit",
    files: [join(ROOT, "sql", "audit")],
    assumes: [join(ROOT, "sql", "audit-assumed")],
    roles: [...API_ROLES],
  });
  client = await database.pool.connect();
});
afterAll(async () => {
  client?.release();
  await database?.drop();
});

/** What checks answer after SQL of a superuser, all of it undone. */
async function answersAfter(sql: string, asked: readonly Section[] = checks): Promise<CheckResult[]> {
  await client.query("begin");
  try {
    await client.query(sql);
    return await runChecks(client, asked);
  } finally {
    await client.query("rollback; reset session authorization");
  }
}

test("all checks pass on the audit trail as the program makes it, but for the rows that are to be filled in", async () => {
  const answers = await answersAfter("select");
  expect(answers.filter(({ status }) => status !== "PASS")).toMatchObject([
    {
      name: "data.earlier_deletions",
      status: "WARNING",
      measured: expect.stringMatching(/^3 deleted profiles without/),
    },
  ]);
  expect(answers.map(({ name }) => name)).toEqual(checks.map(({ name }) => name));
  await database.query("select public.backfill_profile_audits()");
  expect((await answersAfter("select")).filter(({ status }) => status !== "PASS")).toEqual([]);
});

test("each check has a control that breaks what it is about, and no control is without its check", () => {
  expect(Object.keys(AUDIT_CONTROLS).sort()).toEqual(checks.map(({ name }) => name).sort());
});

test.each(Object.entries(AUDIT_CONTROLS))("%s fails when that is broken, and only then", async (name, sql) => {
  const check = checks.filter((each) => each.name === name);
  expect(await answersAfter("select", check)).toMatchObject([{ name, status: "PASS" }]);
  expect(await answersAfter(sql, check)).toMatchObject([{ name, status: "FAIL" }]);
});

test.each([
  ["shape.user_audits", "alter table public.user_audits add more int", "WARNING", "more: more"],
  [
    "access.policies",
    "alter policy user_audits_select_own on public.user_audits using (true)",
    "FAIL",
    "user_audits_select_own",
  ],
  [
    "access.policies",
    "alter policy user_audits_select_own on public.user_audits to public",
    "FAIL",
    "user_audits_select_own",
  ],
  [
    "access.privileges",
    "grant update (details) on public.upload_errors to authenticated",
    "FAIL",
    "authenticated UPDATE on upload_errors.details",
  ],
  [
    "access.privileges",
    "revoke select on public.upload_error_stats from authenticated",
    "FAIL",
    "missing: SELECT on upload_error_stats",
  ],
  [
    "trigger.present",
    "create trigger again after update on public.profiles for each row execute function public.audit_profile_changes()",
    "FAIL",
    "again",
  ],
])("%s tells of: %s", async (name, sql, status, measured) => {
  const check = checks.filter((each) => each.name === name);
  expect(await answersAfter(sql, check)).toMatchObject([{ name, status, measured: expect.stringContaining(measured) }]);
});

test("nothing that the checks write stays", async () => {
  const counts = () =>
    database.query(
      "select (select count(*) from public.profiles) as p, (select count(*) from public.user_audits) as a, (select count(*) from public.upload_errors) as e",
    );
  const before = await counts();
  await answersAfter("select");
  expect(await counts()).toEqual(before);
});
