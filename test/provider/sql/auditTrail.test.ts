import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { reportDrift } from "../../../provider/resources/driftReport.ts";
import { typesOf } from "../../../tools/types/writeTypes.ts";
import { API_ROLES, makeApplication } from "../../support/auditDatabase.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { destroy, pending, up } from "../../support/layerHarness.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const COUNTED = ["profiles", "addresses", "catering_requests"] as const;

const layer: Properties = {
  name: "audit",
  files: [join(ROOT, "sql", "audit")],
  assumes: [join(ROOT, "sql", "audit-assumed")],
  roles: [...API_ROLES],
};

const fresh = freshDatabases();

interface Environment extends TestDatabase {
  before: Record<string, number>;
  /** Runs one statement as a role of the API, signed in as a profile, in a transaction that is undone. */
  as(role: string, profile: string | undefined, sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

async function environment(name: "dev" | "prod"): Promise<Environment> {
  const database = await fresh();
  await makeApplication(database, name);
  return {
    ...database,
    before: await counts(database),
    as: async (role, profile, sql, values = []) => {
      const client = await database.pool.connect();
      try {
        await client.query("begin");
        await client.query("select set_config('request.jwt.claim.sub', $1, true)", [profile ?? ""]);
        await client.query(`set local role ${role}`);
        return (await client.query<Record<string, unknown>>(sql, values)).rows;
      } finally {
        await client.query("rollback");
        client.release();
      }
    },
  };
}

async function counts({ query }: TestDatabase): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const table of COUNTED) {
    const [row] = await query<{ count: number }>(`select count(*)::int as count from public.${table}`);
    found[table] = row?.count ?? -1;
  }
  return found;
}

/** Definitions of all that the audit trail is, by name. */
async function shape({ query }: TestDatabase): Promise<Record<string, unknown>[]> {
  return query(`
    select 'column' as kind, c.relname || '.' || a.attname as name,
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), col_description(c.oid, a.attnum)) as definition
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
           left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
     where c.relnamespace = 'public'::regnamespace and c.relname in ('user_audits', 'upload_errors', 'profiles', 'upload_error_stats')
    union all select 'constraint', conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union all select 'index', indexname, indexdef from pg_indexes where schemaname = 'public'
    union all select 'policy', policyname, concat_ws(' ', tablename, cmd, roles, qual, with_check) from pg_policies where schemaname = 'public'
    union all select 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid) || coalesce(array_to_string(array(select unnest(p.proacl)::text order by 1), ','), '')
      from pg_proc p where pronamespace = 'public'::regnamespace
    union all select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select 'grant', relname, coalesce(array_to_string(array(select unnest(relacl)::text order by 1), ','), '') || relrowsecurity
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'v')
    order by 1, 2`);
}

describe("two environments that have drifted apart", () => {
  let dev: Environment;
  let prod: Environment;
  const states: ResourceState[] = [];

  beforeAll(async () => {
    dev = await environment("dev");
    prod = await environment("prod");
    for (const { url } of [dev, prod]) states.push(await up(url, layer));
  });

  test("have the same audit trail afterwards, but for what dev alone has, which drift names", async () => {
    const [state] = states;
    if (state === undefined) throw new Error("no state");
    const drift = await reportDrift({ provider: { url: dev.url }, layers: [state], rows: [], sets: [] });
    expect(JSON.stringify(drift)).toContain("upload_errors_correlationId_key");
    expect(JSON.stringify(drift)).toContain("anon");
    // All else in the schema is the application's.
    expect(drift.notOurs).toEqual([]);
    // A REVOKE of what the shadow's role never had says nothing of an adopted table: see docs/coverage.md.
    await dev.query("revoke all on public.user_audits, public.upload_errors from anon");
    const [ofDev, ofProd] = [await shape(dev), await shape(prod)];
    const extra = ofDev.filter(({ kind, name }) => !ofProd.some((other) => other.kind === kind && other.name === name));
    expect(extra.map(({ name }) => name)).toEqual(["upload_errors_correlationId_key"]);
    expect(ofDev.filter((each) => !extra.includes(each))).toEqual(ofProd);
  });

  test("have each row that they had, and no update is left to do", async () => {
    for (const [n, database] of [dev, prod].entries()) {
      expect(await counts(database)).toEqual(database.before);
      const [state] = states.slice(n, n + 1);
      expect(state && (await pending(database.url, state))).toEqual([]);
    }
    expect(dev.before).toEqual({ profiles: 24, addresses: 202, catering_requests: 32 });
    expect(prod.before).toEqual({ profiles: 63, addresses: 90, catering_requests: 40 });
    expect(await dev.query("select from public.user_audits")).toHaveLength(3);
    expect(await dev.query("select from public.upload_errors")).toHaveLength(7);
  });

  test("have one audit row for each profile that was deleted before, however often they are filled in", async () => {
    for (const [database, added] of [
      [dev, 0],
      [prod, 3],
    ] as const) {
      const client = await database.pool.connect();
      try {
        await client.query("begin");
        const fill = async (): Promise<unknown> =>
          (await client.query("select public.backfill_profile_audits() as n")).rows[0]?.n;
        expect(await fill()).toBe(added);
        expect(await fill()).toBe(0);
        expect((await client.query("select from public.user_audits")).rowCount).toBe(3);
      } finally {
        await client.query("rollback");
        client.release();
      }
    }
  });
});

describe("the audit trail of production", () => {
  let prod: Environment;
  let state: ResourceState;
  let admin: string;
  let helpdesk: string;
  let vendor: string;

  beforeAll(async () => {
    prod = await environment("prod");
    state = await up(prod.url, layer);
    const of = async (type: string): Promise<string> =>
      (
        await prod.query<{ id: string }>(
          `select id from public.profiles where type = '${type}' and "deletedAt" is null order by email limit 1`,
        )
      )[0]?.id ?? "";
    [admin, helpdesk, vendor] = [await of("ADMIN"), await of("HELPDESK"), await of("VENDOR")];
  });

  /** Changes a profile with the settings of a request, and gives the audit row that came of it. */
  async function audited(
    sql: string,
    settings: Record<string, string> = {},
  ): Promise<Record<string, unknown> | undefined> {
    const client = await prod.pool.connect();
    try {
      await client.query("begin");
      for (const [name, value] of Object.entries(settings))
        await client.query("select set_config($1, $2, true)", [name, value]);
      await client.query(sql.replaceAll(":vendor", `'${vendor}'`).replaceAll(":admin", `'${admin}'`));
      return (await client.query(`select * from public.user_audits order by "createdAt" desc, ctid desc limit 1`))
        .rows[0];
    } finally {
      await client.query("rollback");
      client.release();
    }
  }
  const signedIn = (profile: string): Record<string, string> => ({ "request.jwt.claim.sub": profile });

  test("has types for the application, with all that is in its schema", async () => {
    const types = await typesOf(prod.url, ["public"]);
    for (const name of ["ProfilesRow", "AddressesRow", "UserAuditsInsert", "UploadErrorsRow", "UploadErrorStatsRow"])
      expect(types).toContain(`export interface ${name} {`);
    expect(types).toContain("resolve_upload_error");
  });

  test("each change of a profile has its row, with the changed columns only", async () => {
    expect(await audited("update public.profiles set name = 'New' where id = :vendor", signedIn(admin))).toMatchObject({
      action: "UPDATE",
      userId: vendor,
      performedBy: admin,
      changes: { old: { name: expect.stringMatching("Person") }, new: { name: "New" } },
      reason: null,
    });
    const soft = `update public.profiles set "deletedAt" = now(), "deletedBy" = :admin, "deletionReason" = 'spam' where id = :vendor`;
    expect(await audited(soft)).toMatchObject({ action: "DELETE", performedBy: admin, reason: "spam" });
    expect(await audited(`${soft}; update public.profiles set "deletedAt" = null where id = :vendor`)).toMatchObject({
      action: "RESTORE",
      performedBy: null,
      reason: null,
    });
    expect(await audited("insert into public.profiles (email) values ('new@example.org')")).toMatchObject({
      action: "CREATE",
      changes: { new: { type: "VENDOR", status: "PENDING" } },
    });
    expect(await audited("update public.profiles set name = name where id = :vendor")).toBeUndefined();
  });

  test("settings that are empty, malformed or name nobody stop no write", async () => {
    for (const settings of [
      { "app.current_user_id": "", "request.headers": "" },
      { "app.current_user_id": "not a uuid", "request.headers": "{not json" },
      { "app.current_user_id": "00000000-0000-4000-8000-000000000000", "request.headers": "[]" },
    ])
      expect(await audited("update public.profiles set name = 'x' where id = :vendor", settings)).toMatchObject({
        performedBy: null,
        metadata: { ip_address: null, user_agent: null },
      });
    expect(
      await audited("update public.profiles set name = 'x' where id = :vendor", {
        "app.current_user_id": admin.toUpperCase(),
        "request.headers": '{"x-real-ip": "10.0.0.1", "user-agent": "curl"}',
      }),
    ).toMatchObject({ performedBy: admin, metadata: { ip_address: "10.0.0.1", user_agent: "curl" } });
  });

  test("a signed-in user cannot say that somebody else deleted a profile", async () => {
    expect(
      await audited(
        `update public.profiles set "deletedAt" = now(), "deletedBy" = :admin where id = :vendor`,
        signedIn(vendor),
      ),
    ).toMatchObject({ action: "DELETE", performedBy: vendor });
  });

  test("a profile can be removed for good, with its audit rows", async () => {
    expect(
      await audited(
        "insert into public.profiles (email) values ('gone@example.org'); delete from public.profiles where email = 'gone@example.org'",
      ),
    ).toBeUndefined();
  });

  test("nobody but the functions writes, and each reads what is theirs", async () => {
    const forge = `insert into public.user_audits ("userId", action) values ($1, 'UPDATE')`;
    for (const role of ["anon", "authenticated"])
      await expect(prod.as(role, vendor, forge, [vendor])).rejects.toThrow(/permission denied/);
    await expect(prod.as("anon", undefined, "select * from public.upload_errors")).rejects.toThrow(/permission denied/);
    await expect(prod.as("anon", undefined, "select public.log_upload_error('c', 't', 'm', 'u')")).rejects.toThrow(
      /permission denied/,
    );
    await expect(prod.as("authenticated", vendor, "select public.cleanup_old_upload_errors()")).rejects.toThrow(
      /permission denied/,
    );
    await prod.query(`insert into public.user_audits ("userId", action) values ($1, 'UPDATE'), ($2, 'UPDATE')`, [
      vendor,
      helpdesk,
    ]);
    const seen = async (profile: string): Promise<number> =>
      (await prod.as("authenticated", profile, "select * from public.user_audits")).length;
    expect([await seen(vendor), await seen(helpdesk), await seen(admin)]).toEqual([1, 1, 2]);
  });

  test("staff resolve an upload's error once, others do not, and the view counts it", async () => {
    const [logged] = await prod.query<{ id: string }>(
      `select public.log_upload_error('c1', 'SIZE_ERROR', 'm', 'u', null, $1, true) as id`,
      [vendor],
    );
    const resolve = "select public.resolve_upload_error($1) as done";
    expect(await prod.as("authenticated", vendor, resolve, [logged?.id])).toEqual([{ done: false }]);
    expect(await prod.as("authenticated", helpdesk, resolve, [logged?.id])).toEqual([{ done: true }]);
    expect(
      await prod.as("authenticated", vendor, "select total_count, retryable_count from public.upload_error_stats"),
    ).toEqual([{ total_count: "1", retryable_count: "1" }]);
    expect(await prod.as("authenticated", admin, `select "errorType" from public.upload_error_stats`)).toHaveLength(1);
    await prod.query("select public.resolve_upload_error($1, $2)", [logged?.id, admin]);
    expect(await prod.query(`select resolved, "resolvedBy", details from public.upload_errors`)).toEqual([
      { resolved: true, resolvedBy: admin, details: null },
    ]);
    expect(await prod.query("select public.resolve_upload_error($1) as done", [logged?.id])).toEqual([{ done: false }]);
    await prod.query(`update public.upload_errors set "timestamp" = now() - interval '91 days'`);
    await expect(prod.query("select public.cleanup_old_upload_errors(0)")).rejects.toThrow(/expected 1 or more/);
    expect(await prod.query("select public.cleanup_old_upload_errors() as removed")).toEqual([{ removed: 1 }]);
  });

  test("a destroy takes the audit trail away and no row of the application", async () => {
    await expect(destroy(prod.url, state)).rejects.toThrow(/holds rows/);
    const forced = await up(prod.url, { ...layer, forceDestroy: true }, state);
    await destroy(prod.url, forced);
    expect(await counts(prod)).toEqual(prod.before);
    expect(
      await prod.query("select from pg_class where relname in ('user_audits', 'upload_errors', 'upload_error_stats')"),
    ).toEqual([]);
    expect(
      await prod.query(
        "select from pg_attribute where attrelid = 'public.profiles'::regclass and attname like 'delet%' and not attisdropped",
      ),
    ).toHaveLength(1);
    expect(await prod.query("update public.profiles set name = 'x' returning id")).toHaveLength(63);
  });
});
