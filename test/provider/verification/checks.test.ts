import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lintCatalog } from "../../../provider/lint/lintCatalog.ts";
import { readSections, type Section } from "../../../provider/verification/checkFile.ts";
import type { CheckResult } from "../../../provider/verification/report.ts";
import { runChecks } from "../../../provider/verification/runChecks.ts";
import type { StudioDatabase } from "../../support/studio.ts";
import { createVerifiedDatabase } from "../../support/verified.ts";
import { CONTROLS } from "./controls.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const checks = await readSections("check", ["sql/checks/verify", "sql/checks/permissive"], ROOT);

let studio: StudioDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  studio = await createVerifiedDatabase();
  client = await studio.pool.connect();
});
afterAll(async () => {
  client.release();
  await studio.drop();
});

/** All answers so far. */
const given: CheckResult[] = [];

/** What checks answer after SQL of a superuser, all of it undone. */
async function answersAfter(sql: string, asked: readonly Section[] = checks): Promise<CheckResult[]> {
  await client.query("begin");
  try {
    await client.query(sql);
    const answers = await runChecks(client, asked);
    given.push(...answers);
    return answers;
  } finally {
    await client.query("rollback; reset session authorization");
  }
}

test("all checks pass on the platform as the program makes it", async () => {
  const answers = await answersAfter("select");
  expect(answers.filter(({ status }) => status !== "PASS")).toEqual([]);
  expect(answers.map(({ name }) => name)).toEqual(checks.map(({ name }) => name));
});

const SCHEMAS = ["platform", "platform_access", "platform_audit", "platform_private"];

test("lints find nothing on it that is not exempt with a reason, down to what is only worth knowing", async () => {
  await client.query("begin");
  const { findings, exempted } = await lintCatalog(client, SCHEMAS);
  await client.query("rollback");
  expect(findings).toEqual([]);
  expect(exempted.length).toBeGreaterThan(26);
});

test("each check has a control that breaks what it is about, and no control is without its check", () => {
  expect(Object.keys(CONTROLS).sort()).toEqual(checks.map(({ name }) => name).sort());
});

test.each(Object.entries(CONTROLS))("%s fails when that is broken, and only then", async (name, sql) => {
  const check = checks.filter((each) => each.name === name);
  expect(await answersAfter("select", check)).toMatchObject([{ name, status: "PASS" }]);
  expect(await answersAfter(sql, check)).toMatchObject([{ name, status: "FAIL" }]);
});

describe("access is checked as the application", () => {
  const ofAccess = checks.filter(({ name }) => /^rls\.[34]/.test(name));

  test("each of the seven tests of access runs as studio_app", () => {
    expect(ofAccess).toHaveLength(7);
    for (const { roles } of ofAccess) expect(roles[0]).toBe("studio_app");
  });

  test("the same tests as the owner of the tables see nothing of a policy that hides all rows", async () => {
    const asOwner = ofAccess.map((check) => ({ ...check, roles: [] }));
    const hidden = "alter policy permissive_all_organizations on platform.organizations using (false)";
    const failing = async (asked: Section[]): Promise<string[]> =>
      (await answersAfter(hidden, asked)).filter(({ status }) => status === "FAIL").map(({ name }) => name);
    expect(await failing(asOwner)).toEqual([]);
    expect(await failing(ofAccess)).toContain("rls.3.1 organizations are read");
  });
});

test("nothing that the checks write stays", async () => {
  const before = await studio.query(COUNTS);
  await answersAfter("select");
  expect(await studio.query(COUNTS)).toEqual(before);
});

const COUNTS = `
  select (select count(*) from platform.organizations) as organizations, (select count(*) from platform.projects) as projects,
         (select count(*) from platform.users) as users, (select count(*) from platform.databases) as databases,
         (select count(*) from platform.feature_flags) as flags, (select count(*) from platform.audit_logs) as logs,
         (select max(last_health_check_at) from platform.databases) as checked`;

test("no answer holds a secret of a row, also where checks fail", () => {
  expect(given.length).toBeGreaterThan(checks.length);
  expect(JSON.stringify(given)).not.toMatch(/canary|test-salt|project-password|:first@|:second@/);
});
