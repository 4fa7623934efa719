import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { seedTenants, TENANTS, USERS } from "../../support/tenants.ts";
import { type Ask, requests } from "./tenants.ts";

let studio: StudioDatabase;
let ask: Ask;

beforeAll(async () => {
  studio = await createStudioDatabase("restrictive");
  await seedTenants(studio);
  ask = requests(studio);
});
afterAll(async () => {
  await studio.drop();
});

const A = TENANTS.a.organization;
const B = TENANTS.b.organization;
const REFUSED = { code: "42501" };
const ORGANIZATIONS = "select id from platform.organizations order by id";

describe("the active organization", () => {
  test("restricts what a member of two sees; without one, both are seen", async () => {
    expect(await ask({ user: "member_of_both" }, ORGANIZATIONS)).toEqual([{ id: A }, { id: B }]);
    expect(await ask({ user: "member_of_both", organization: "b" }, ORGANIZATIONS)).toEqual([{ id: B }]);
    const projects = await ask({ user: "member_of_both", organization: "b" }, "select name from platform.projects");
    expect(projects).toEqual([{ name: "b" }]);
  });

  test("shows nothing to a user who is no member of it, also of a project that is shared with the user", async () => {
    expect(await ask({ user: "owner", organization: "b" }, ORGANIZATIONS)).toEqual([]);
    expect(await ask({ user: "project_owner", organization: "b" }, "select id from platform.projects")).toEqual([]);
    expect(await ask({ user: "project_owner", organization: "a" }, "select id from platform.projects")).toHaveLength(1);
  });

  test("does not outlive a membership that another transaction ends", async () => {
    const end = `delete from platform.organization_members where user_id = '${USERS.member}'`;
    expect(await ask({ user: "member" }, ORGANIZATIONS)).toEqual([{ id: A }]);
    await studio.query(end);
    expect(await ask({ user: "member" }, ORGANIZATIONS)).toEqual([]);
    await studio.query(
      `insert into platform.organization_members (organization_id, user_id, role) values ('${A}', '${USERS.member}', 'member')`,
    );
  });
});

describe("no one raises itself", () => {
  const setRole = (role: string, user: keyof typeof USERS): string =>
    `update platform.organization_members set role = '${role}' where user_id = '${USERS[user]}' returning id`;
  const join = (role: string): string =>
    `insert into platform.organization_members (organization_id, user_id, role) values ('${A}', '${USERS.outsider}', '${role}') returning id`;

  test("an admin makes no owner: not of itself, not of another, not by an invitation", async () => {
    for (const sql of [
      setRole("owner", "admin"),
      setRole("owner", "member"),
      join("owner"),
      `insert into platform.organization_invitations (organization_id, invited_email, invited_by, role, token, expires_at)
         values ('${A}', 'x@example.org', '${USERS.admin}', 'owner', 't', now() + interval '1 day')`,
      "update platform.organization_invitations set role = 'owner'",
    ])
      await expect(ask({ user: "admin" }, sql)).rejects.toMatchObject(REFUSED);
    expect(await ask({ user: "admin" }, setRole("developer", "member"))).toHaveLength(1);
    expect(await ask({ user: "owner" }, setRole("owner", "member"))).toHaveLength(1);
  });

  test("an admin does not touch an owner, nor the invitation of one", async () => {
    expect(await ask({ user: "admin" }, setRole("member", "owner"))).toEqual([]);
    const invitation =
      "update platform.organization_invitations set invited_email = 'admin@example.org' where role = 'owner' returning id";
    expect(await ask({ user: "admin" }, invitation)).toEqual([]);
    expect(await ask({ user: "admin" }, "select token from platform.organization_invitations")).toEqual([
      { token: "member-token-a" },
    ]);
  });

  test("a member does not raise itself, and joins nothing by itself", async () => {
    expect(await ask({ user: "member" }, setRole("admin", "member"))).toEqual([]);
    await expect(ask({ user: "outsider" }, join("member"))).rejects.toMatchObject(REFUSED);
    await expect(ask({ user: "owner_of_b" }, join("member"))).rejects.toMatchObject(REFUSED);
  });

  test("a user changes neither its address nor whether it may sign in", async () => {
    for (const change of ["email = 'owner@example.com'", "banned_until = now()", "email_confirmed_at = now()"])
      await expect(ask({ user: "member" }, `update platform.users set ${change}`)).rejects.toMatchObject(REFUSED);
    expect(await ask({ user: "member" }, "update platform.users set first_name = 'New' returning id")).toHaveLength(1);
    const bySystem = await ask(
      { role: "studio_system" },
      "update platform.users set banned_until = now() returning id",
    );
    expect(bySystem).toHaveLength(Object.keys(USERS).length);
  });

  test("an admin does not turn another's API key into one of its own", async () => {
    const change = `update platform.api_keys set key_hash = 'known' where user_id = '${USERS.owner}' returning id`;
    expect(await ask({ user: "admin" }, change)).toEqual([]);
  });
});

describe("the last owner", () => {
  const leave = `delete from platform.organization_members where user_id = '${USERS.owner}'`;
  const LAST = { code: "23001", message: "an organization keeps at least one owner" };

  test("is neither removed nor demoted nor moved, by itself, the system, or a cascade", async () => {
    await expect(ask({ user: "owner" }, leave)).rejects.toMatchObject(LAST);
    await expect(
      ask({ user: "owner" }, "update platform.organization_members set role = 'admin' where role = 'owner'"),
    ).rejects.toMatchObject(LAST);
    await expect(ask({ role: "studio_system" }, leave)).rejects.toMatchObject(LAST);
    await expect(
      ask({ role: "studio_system" }, `delete from platform.users where id = '${USERS.owner}'`),
    ).rejects.toMatchObject(LAST);
    await expect(
      ask(
        { role: "studio_system" },
        `update platform.organization_members set organization_id = '${B}' where user_id = '${USERS.owner}'`,
      ),
    ).rejects.toMatchObject(LAST);
  });

  test("leaves with its organization, and after another became one", async () => {
    expect(await ask({ user: "owner" }, "delete from platform.organizations returning id")).toHaveLength(1);
    const promote = `update platform.organization_members set role = 'owner' where user_id = '${USERS.admin}'`;
    expect(await ask({ user: "owner" }, promote, `${leave} returning id`)).toHaveLength(1);
  });

  test.each(["read committed", "repeatable read"])(
    "stays where two are removed at the same moment, in %s",
    async (isolation) => {
      const own = `insert into platform.organizations (id, name, slug) values (gen_random_uuid(), 'Two', 'two-${isolation.replace(" ", "-")}') returning id`;
      const [organization] = await studio.query<{ id: string }>(own);
      for (const user of ["owner", "admin"] as const)
        await studio.query(
          "insert into platform.organization_members (organization_id, user_id, role) values ($1, $2, 'owner')",
          [organization?.id, USERS[user]],
        );
      const remove = "delete from platform.organization_members where organization_id = $1 and user_id = $2";
      const [first, second] = await Promise.all([studio.pool.connect(), studio.pool.connect()]);
      try {
        for (const each of [first, second])
          await each.query(`begin isolation level ${isolation}; select 1 from platform.users`);
        await first.query(remove, [organization?.id, USERS.owner]);
        const waiting = second.query(remove, [organization?.id, USERS.admin]).then(
          () => "removed",
          ({ code }) => code,
        );
        await first.query("commit");
        expect(await waiting).toBe(isolation === "read committed" ? "23001" : "40001");
      } finally {
        await second.query("rollback");
        for (const each of [first, second]) each.release();
      }
    },
  );
});

describe("audit entries", () => {
  const write = (values: string): string =>
    `insert into platform.audit_logs (user_id, organization_id, project_id, event_type, action, created_at) values (${values})`;
  const me = `'${USERS.member}'`;
  const other = `'${USERS.owner}'`;

  test("are of the user who writes them, of its organizations, and of this moment", async () => {
    for (const values of [
      `${other}, null, null, 'a.b', 'b', now()`,
      `null, null, null, 'a.b', 'b', now()`,
      `${me}, '${B}', null, 'a.b', 'b', now()`,
      `${me}, null, '${TENANTS.b.project}', 'a.b', 'b', now()`,
      `${me}, '${B}', '${TENANTS.a.project}', 'a.b', 'b', now()`,
    ])
      await expect(ask({ user: "member" }, write(values))).rejects.toMatchObject(REFUSED);
    const at = write(`${me}, '${A}', '${TENANTS.a.project}', 'own.entry', 'b', now() - interval '1 year'`);
    const sees = "select created_at = now() as now from platform.audit_logs where event_type = 'own.entry'";
    await ask({ user: "member" }, at);
    expect(await ask({ user: "admin" }, at.replace(me, `'${USERS.admin}'`), sees)).toEqual([{ now: true }]);
  });

  test("are not forged by the function that writes them with the rights of the owner", async () => {
    const log = (user: string): string => `select platform.log_audit_event(${user}, 'organization', '${A}', 'renamed')`;
    expect(await ask({ user: "member" }, log(me))).toHaveLength(1);
    await expect(ask({ user: "member" }, log(other))).rejects.toMatchObject(REFUSED);
    await expect(ask({}, log(other))).rejects.toMatchObject(REFUSED);
    expect(await ask({ role: "studio_system" }, log(other))).toHaveLength(1);
  });
});

describe("names of members", () => {
  const names = "select username, email from platform_access.member_profiles order by username";

  test("are visible to members of the same organization; addresses to admins alone", async () => {
    const seen = await ask({ user: "member" }, names);
    expect(seen.map(({ username }) => username)).toEqual([
      "admin",
      "billing_admin",
      "developer",
      "member",
      "member_of_both",
      "owner",
    ]);
    expect(seen.every(({ email }) => email === null)).toBe(true);
    expect((await ask({ user: "admin" }, names)).every(({ email }) => email !== null)).toBe(true);
    expect(await ask({ user: "outsider" }, names)).toEqual([]);
    expect(await ask({}, names)).toEqual([]);
  });

  test("are narrow: the view has no other column of users", async () => {
    await expect(ask({ user: "owner" }, "select password_hash from platform_access.member_profiles")).rejects.toThrow(
      "does not exist",
    );
  });
});

test("every view runs with its reader's rights, but for those that narrow users and projects", async () => {
  const rows = await studio.query(`
    select oid::regclass::text as view from pg_class
     where relkind in ('v', 'm') and relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace)
       and not coalesce(reloptions @> array['security_invoker=true'], false) order by 1`);
  const views = ["platform_access.administered_projects", "platform_access.member_profiles"];
  expect(rows).toEqual(views.map((view) => ({ view })));
});

describe("what a policy asks once a statement", () => {
  test("is planned once a session: the functions that list what a user has keep their plan", async () => {
    const rows = await studio.query(`
      select proname from pg_proc where pronamespace = 'platform_access'::regnamespace and prorettype = 'uuid[]'::regtype
         and not coalesce(proconfig @> array['plan_cache_mode=force_generic_plan'], false)`);
    expect(rows).toEqual([]);
  });

  test("reads the memberships of a user from an index alone", async () => {
    await studio.query("vacuum analyze platform.organization_members");
    const rows = await studio.as(
      "postgres",
      `set local enable_seqscan = off; set local enable_bitmapscan = off;
       explain (costs off) select organization_id from platform.organization_members where user_id = '${USERS.owner}' and role = any ('{owner,admin}')`,
    );
    expect(rows[0]).toEqual({ "QUERY PLAN": "Index Only Scan using idx_org_members_user_org on organization_members" });
  });
});

test("those who decrypt see every registration, unless they are the application as well", async () => {
  const all = "select count(*)::int as n from platform.databases_with_connection_strings";
  expect(await ask({ role: "studio_decrypt" }, all)).toEqual([{ n: 2 }]);
  const both = (user: string): string =>
    `create role app_that_decrypts; grant studio_app, studio_decrypt to app_that_decrypts;
     select set_config('app.context', ${user}, true); set local role app_that_decrypts; ${all}`;
  const member = `platform_access.signed_context('${USERS.member}')`;
  expect(await studio.as("postgres", both(member))).toEqual([{ n: 1 }]);
  expect(await studio.as("postgres", both("''"))).toEqual([{ n: 0 }]);
});

test("an owner whom row-level security is forced on sees nothing, and no policy calls itself", async () => {
  const rows = await studio.as(
    "postgres",
    `create role forced_owner; grant studio_app to forced_owner; grant usage, create on schema platform, platform_access to forced_owner;
     alter table platform.organization_members owner to forced_owner; alter table platform.organization_members force row level security;
     grant select on platform_access.context_keys to forced_owner; alter function platform_access.organizations(text) owner to forced_owner;
     set local role studio_readonly; select count(*)::int as n from platform.organization_members`,
  );
  expect(rows).toEqual([{ n: 0 }]);
});

test("the tests of the database itself hold, with and without rows", async () => {
  const context = await studio.query("select test_name, test_passed from platform_access.test_context()");
  expect(context.map(({ test_passed }) => test_passed)).toEqual([true, true, true]);
  const policies = await ask({ user: "owner" }, "select test_name, test_passed from platform.test_rls_enforcement()");
  expect(policies).toEqual(
    ["no_session_vars", "session_functions_exist", "policies_exist"].map((test_name) => ({
      test_name,
      test_passed: true,
    })),
  );
});
