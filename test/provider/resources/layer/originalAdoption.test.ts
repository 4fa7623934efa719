import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlannedChange, ResourceState } from "../../../../provider/core/resourceType.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { destroy, pending, preview, sqlOf, upAll } from "../../../support/layerHarness.ts";
import {
  buildOriginal,
  columnsOf,
  ORIGINAL_TABLES,
  rowsByTable,
  type TableRows,
} from "../../../support/originalDatabase.ts";
import { ensureStudioRoles, studioLayers } from "../../../support/studio.ts";

/** What a person has to approve of where the original was changed by hand. */
const APPROVALS = ["change-type:platform.invoices.amount_due", "rewrite-table:platform.invoices"];

/** The first up of pgstrata on the platform as it was before, with its own defects and people's rows. */
describe("the platform as it was before pgstrata", () => {
  // One database goes through its life: each test starts where the one before it ended.
  let database: TestDatabase;
  let before: Record<string, TableRows>;
  let states: ResourceState[];
  beforeAll(async () => {
    database = await createTestDatabase();
    await ensureStudioRoles(database);
    await buildOriginal(database);
    before = await rowsByTable(database);
  });
  afterAll(() => database?.drop());

  test("has rows in every table, and the defects that are known", async () => {
    expect(Object.keys(before)).toHaveLength(ORIGINAL_TABLES);
    for (const [table, { rows }] of Object.entries(before)) expect(rows.length, table).toBeGreaterThan(0);
    await expect(database.query("update platform.user_sessions set user_agent = 'x'")).rejects.toThrow("updated_at");
    await expect(database.query(LOG_EVENT)).rejects.toThrow("entity_type");
    expect(await facts(database)).toEqual({
      balance: "75.00",
      slug: "",
      secured: 0,
      policies: 0,
      publicReads: [
        "credentials",
        "organizations",
        "organizations_with_stats",
        "projects",
        "projects_with_credentials",
      ],
      publicCalls: 15,
      invoking: 0,
      unpinned: 15,
    });
  });

  test("shows in a preview what will be taken from PUBLIC, and no hazard that stops", async () => {
    const plans = await preview(database.url, studioLayers);
    const sql = plans.flatMap(sqlOf);
    for (const object of [
      'SCHEMA "platform"',
      ...["credentials", "organizations", "projects"].map((name) => `TABLE "platform"."${name}"`),
    ])
      expect(sql).toContain(`REVOKE ALL ON ${object} FROM PUBLIC`);
    expect(sql).toContain('REVOKE ALL ON FUNCTION "platform"."clean_old_audit_logs"(integer) FROM PUBLIC');
    expect(plans.flat().flatMap(({ details }) => details.hazards ?? [])).toEqual([]);
    expect(tableDrops(plans.flat())).toEqual([]);
    expect(await rowsByTable(database)).toEqual(before);
  });

  test("replaces an index and a check that are written otherwise without blocking anybody", async () => {
    const [plan = []] = await preview(database.url, studioLayers);
    const about = (name: string) => sqlOf(plan).filter((statement) => statement.includes(name));
    expect(about("idx_audit_logs_severity")).toEqual([
      expect.stringMatching(/^CREATE INDEX CONCURRENTLY/),
      expect.stringMatching(/^DROP INDEX CONCURRENTLY/),
      expect.stringMatching(/^ALTER INDEX .* RENAME TO/),
    ]);
    expect(about("credentials_jwt_secret_not_empty")).toEqual([
      expect.stringMatching(/DROP CONSTRAINT/),
      expect.stringMatching(/ADD CONSTRAINT .* NOT VALID$/),
      expect.stringMatching(/VALIDATE CONSTRAINT/),
    ]);
  });

  test("gets the fixes and the two new layers by one update, keeps every row, and is then as desired", async () => {
    states = await upAll(database.url, studioLayers);
    expect(await rowsByTable(database, columnsOf(before))).toEqual(before);
    expect(await preview(database.url, studioLayers, states)).toEqual([[], [], []]);
    for (const state of states) expect(await pending(database.url, state)).toEqual([]);
    expect(await facts(database)).toEqual({
      balance: "25.00",
      slug: null,
      secured: ORIGINAL_TABLES + 1,
      policies: ORIGINAL_TABLES + 1,
      publicReads: [],
      publicCalls: 0,
      invoking: 7,
      unpinned: 0,
    });
  });

  test("works where it failed before", async () => {
    await database.query("begin; update platform.user_sessions set user_agent = 'x'; rollback");
    expect(await database.query(LOG_EVENT)).toEqual([{ id: expect.any(String) }]);
    await database.query("delete from platform.audit_logs where action = 'tested'");
  });

  test("names what it adopted: all that was there, and nothing that was made", async () => {
    const [platform, ...above] = states;
    expect(platform?.outputs.adopted).toEqual(
      expect.arrayContaining(["schema platform", "table platform.projects", "view platform.project_resources"]),
    );
    expect(platform?.outputs.adopted).not.toContain("function platform.update_last_activity_at_column()");
    for (const state of above) expect(state.outputs.adopted).toEqual([]);
  });

  test("leaves what nobody declared alone", async () => {
    expect(
      await database.query(
        "select count(*)::int as left from pg_class where relname = any(array['idx_audit_logs_user_id', 'idx_audit_logs_action', 'idx_audit_logs_created_at', 'idx_project_addons_project_id', 'idx_project_metrics_project_time'])",
      ),
    ).toEqual([{ left: 5 }]);
  });

  test("keeps its tables, its rows and its repaired trigger when all is destroyed", async () => {
    for (const state of states.toReversed()) await destroy(database.url, state);
    expect(await rowsByTable(database)).toEqual(before);
    expect(await facts(database)).toMatchObject({ secured: 0, policies: 0, publicReads: [], balance: "25.00" });
    await database.query("begin; update platform.user_sessions set user_agent = 'x'; rollback");
  });
});

/** Where people had changed it by hand in ways that cannot be set right without a risk. */
describe("the platform as it was, in a worse shape", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await ensureStudioRoles(database);
    await buildOriginal(database);
    await database.query(`
      -- As an older bootstrap script left it.
      alter table platform.projects drop constraint projects_status_valid, alter column organization_id drop not null, alter column status set default 'active';
      alter table platform.organizations drop constraint organizations_slug_key, alter column created_at drop not null;
      drop index platform.idx_projects_status;
      -- Widened by hand, and one table with a column that nobody knows.
      alter table platform.invoices alter column amount_due type numeric(14, 4);
      alter table platform.users add column legacy text;
      update platform.users set legacy = 'kept'`);
  });
  afterAll(() => database?.drop());

  const [platform] = studioLayers;

  test("stops, in the preview too, until a person approves by name of what may lose data", async () => {
    const before = await rowsByTable(database);
    const stop = /from numeric\(14,4\) to numeric\(10,2\)[\s\S]*Nothing was changed/;
    await expect(preview(database.url, [{ ...platform }])).rejects.toThrow(stop);
    const failure = await upAll(database.url, [{ ...platform }]).catch((error: unknown) => String(error));
    expect(failure).toMatch(stop);
    expect(
      String(failure)
        .split("allow`:\n")[1]
        ?.split("\n")
        .map((line) => line.trim()),
    ).toEqual(APPROVALS);
    expect(await rowsByTable(database)).toEqual(before);
  });

  test("stops with the server's message where a row breaks a rule that comes back, and keeps the row", async () => {
    await database.query("update platform.projects set status = 'active' where ref = 'project-ref-1'");
    await expect(upAll(database.url, [{ ...platform, allow: APPROVALS }])).rejects.toThrow("projects_status_valid");
    await database.query("update platform.projects set status = 'ACTIVE_HEALTHY' where ref = 'project-ref-1'");
  });

  test("gets all of it once that is approved, builds what was missing without blocking, and keeps every row", async () => {
    const before = await rowsByTable(database);
    const layers = studioLayers.map((layer, n) => (n === 0 ? { ...layer, allow: APPROVALS } : layer));
    const [plan = []] = await preview(database.url, layers);
    const sql = sqlOf(plan);
    expect(sql).toEqual(
      expect.arrayContaining([expect.stringMatching(/^CREATE INDEX CONCURRENTLY idx_projects_status/)]),
    );

    const states = await upAll(database.url, layers);

    const after = await rowsByTable(database, columnsOf(before));
    expect({ ...after, invoices: undefined }).toEqual({ ...before, invoices: undefined });
    expect(after.invoices?.rows).toHaveLength(before.invoices?.rows.length ?? 0);
    expect(await preview(database.url, layers, states)).toEqual([[], [], []]);
  });
});

const LOG_EVENT =
  "select platform.log_audit_event('00000000-0000-4000-8000-000000000101', 'project', '00000000-0000-4000-8000-000000000301', 'tested') as id";

interface Defects {
  balance: string;
  slug: string | null;
  secured: number;
  policies: number;
  publicReads: string[];
  publicCalls: number;
  invoking: number;
  unpinned: number;
}

/** What the fixes are about, as the server tells it. */
async function facts({ query }: TestDatabase): Promise<Defects | undefined> {
  const [row] = await query<Defects>(`
    with relations as (select * from pg_class where relnamespace = 'platform'::regnamespace),
         functions as (select * from pg_proc where pronamespace = 'platform'::regnamespace)
    select (select outstanding_balance::text from platform.organization_billing_overview where organization_slug = 'lancio') as balance,
           platform.generate_slug('  !! ') as slug,
           (select count(*)::int from relations where relrowsecurity) as secured,
           (select count(*)::int from pg_policy where polrelid in (select oid from relations)) as policies,
           array(select relname::text from relations where relkind in ('r', 'v') and has_table_privilege('public', oid, 'select') order by 1) as "publicReads",
           (select count(*)::int from functions where has_function_privilege('public', oid, 'execute')) as "publicCalls",
           (select count(*)::int from relations where relkind = 'v' and reloptions @> array['security_invoker=true']) as invoking,
           (select count(*)::int from functions where proconfig is null) as unpinned`);
  return row;
}

const tableDrops = (plan: readonly PlannedChange[]): string[] =>
  sqlOf(plan).filter((statement) => /^DROP TABLE | DROP COLUMN /.test(statement));
