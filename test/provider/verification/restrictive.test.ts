import { join } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSections } from "../../../provider/verification/checkFile.ts";
import type { CheckResult } from "../../../provider/verification/report.ts";
import { runChecks } from "../../../provider/verification/runChecks.ts";
import type { StudioDatabase } from "../../support/studio.ts";
import { createVerifiedDatabase } from "../../support/verified.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const common = await readSections("check", ["sql/checks/verify"], ROOT);
const checks = await readSections("check", ["sql/checks/restrictive"], ROOT);

let studio: StudioDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  studio = await createVerifiedDatabase("restrictive");
  client = await studio.pool.connect();
});
afterAll(async () => {
  client.release();
  await studio.drop();
});

/** What a check answers after SQL of a superuser, all of it undone, by the name of each answer. */
async function answersAfter(sql: string, asked = checks): Promise<Map<string, CheckResult>> {
  await client.query("begin");
  try {
    await client.query(sql);
    return new Map((await runChecks(client, asked)).map((answer) => [answer.name, answer]));
  } finally {
    await client.query("rollback; reset session authorization");
  }
}

const open = (table: string, policy: string, what = "using (true)"): string =>
  `alter policy ${policy} on platform.${table} ${what}`;

/** What breaks that which an answer is about, by the name of the answer. */
const CONTROLS: Readonly<Record<string, string>> = {
  "rls.1.1 helpers are there": "revoke execute on function platform_access.organizations(text) from studio_app",
  "rls.1.2 values are read back":
    "create or replace function platform_access.organization_id() returns uuid language sql as 'select null::uuid'",
  "rls.1.3 cleared is null":
    "create or replace function platform_access.user_id() returns uuid language sql as $$ select '00000000-0000-4000-8000-0000000000a1'::uuid $$",
  "rls 2.1 nothing without a context": open("organizations", "org_member_select"),
  "rls 2.2 a user sees its organization": open("organizations", "org_member_select", "using (false)"),
  "rls 2.3 a user sees no other organization": open("organizations", "org_member_select"),
  "rls 3.1 a user sees its project": open("projects", "project_org_member_select", "using (false)"),
  "rls 3.2 a user sees no other project": open("projects", "project_org_member_select"),
  "rls 4.1 an owner updates": open("organizations", "org_owner_update", "using (false)"),
  "rls 4.2 a member updates nothing": open("organizations", "org_owner_update", "using (true) with check (true)"),
  "rls 5.1 an owner adds credentials":
    "create policy none on platform.credentials as restrictive for insert with check (false)",
  "rls 5.2 an owner reads credentials": open("credentials", "credentials_admin_select", "using (false)"),
  "rls 5.3 a stranger reads none of them": open("credentials", "credentials_admin_select"),
  "rls 6.1 the system sees both": open("organizations", "system_all_organizations", "using (false)"),
  "rls.escalation no admin raises itself": open(
    "organization_members",
    "org_admin_update_members",
    "using (true) with check (true)",
  ),
  "rls.escalation no admin invites an owner": open(
    "organization_invitations",
    "org_admin_insert_invitations",
    "with check (true)",
  ),
  "rls.escalation no audit entry is forged": "drop trigger keep_audit_trail_true on platform.audit_logs",
  "rls.escalation no user takes another address": "drop trigger keep_account on platform.users",
  "rls.escalation the last owner stays": "drop trigger keep_last_owner on platform.organization_members",
  "rls.escalation no user asks for hashes":
    "create or replace function platform_access.require_scope(p_scope text) returns void language sql as ''",
  "policies.enforced": "create policy everyone on platform.credits using (true)",
  "policies.on_every_table": "alter table platform.tax_ids force row level security",
  "policies.one_for_a_command": "create policy second on platform.credits for select to studio_app using (false)",
  "policies.ask_once_a_statement": open(
    "credits",
    "credits_billing_select",
    "using (organization_id = platform_access.organization_id())",
  ),
  "policies.views": "alter view platform.project_resources set (security_invoker = false)",
  "policies.guards": "alter table platform.users disable trigger keep_account",
  "policies.rows_stay_with_their_tenant": "grant update on platform.projects to studio_app",
  "policies.roles_are_apart": "create role app_and_system login; grant studio_app, studio_system to app_and_system",
  "policies.indexes": "drop index platform.idx_org_members_user_org",
  "policies.every_organization_has_an_owner": "insert into platform.organizations (name, slug) values ('None', 'none')",
  "application.session": "revoke execute on function platform_access.find_session(text) from studio_app",
  "application.organizations": "revoke select on platform_access.member_profiles from studio_app",
  "application.projects": open("databases", "databases_select", "using (false)"),
  "application.audit_logs": open("audit_logs", "audit_logs_org_admin_select", "using (false)"),
};

test("all checks pass under restrictive policies, those of both phases as well", async () => {
  // The seeded organization of the registrations has no members, which is told as a warning.
  await studio.query("delete from platform.organization_members");
  const answers = [...(await answersAfter("select", [...common, ...checks])).values()];
  expect(answers.filter(({ status }) => status === "FAIL")).toEqual([]);
  expect(answers.filter(({ status }) => status === "WARNING").map(({ name }) => name)).toEqual([
    "policies.every_organization_has_an_owner",
  ]);
});

test("each answer has a control that breaks what it is about, and no control is without its answer", async () => {
  expect(Object.keys(CONTROLS).sort()).toEqual([...(await answersAfter("select")).keys()].sort());
});

test.each(Object.entries(CONTROLS))("%s fails when that is broken", async (name, sql) => {
  const check = checks.filter(
    (each) => name === each.name || (name.startsWith(`${each.name} `) && !checks.some((other) => other.name === name)),
  );
  const answers = await answersAfter(sql, check);
  // A check that ends with an error answers by its own name, for all of its answers.
  const answer = answers.get(name) ?? [...answers.values()][0];
  expect(answer?.status).toBe(name === "policies.every_organization_has_an_owner" ? "WARNING" : "FAIL");
});

test("each query whose times are compared is about rows that policies show, but for the session that nobody has", async () => {
  const queries = await readSections("query", ["sql/checks/timings"], ROOT);
  await client.query("begin");
  try {
    await client.query(
      `delete from platform.projects where id not in (select project_id from platform.databases);
       insert into platform.users (id, email) values ('00000000-0000-4000-8000-aa0000000001', 'owner@example.org');
       insert into platform.organization_members (organization_id, user_id, role)
         select organization_id, '00000000-0000-4000-8000-aa0000000001', 'owner' from platform.projects limit 1;
       insert into platform.audit_logs (organization_id, event_type, action) select organization_id, 'a.b', 'b' from platform.projects`,
    );
    const found: Record<string, boolean> = {};
    for (const { name, statements } of queries) {
      await client.query("savepoint asked; set local role studio_app");
      let rows: unknown[] = [];
      for (const text of statements) ({ rows } = await client.query(text));
      found[name] = rows.length > 0;
      await client.query("rollback to savepoint asked");
    }
    expect(found).toEqual({ session: false, audit: true, members: true, projects: true, databases: true });
  } finally {
    await client.query("rollback");
  }
});
