// What a user of one tenant tries by statements that each policy lets through on its own: to take a row along
// to a tenant of its own, and to bring another user into one.

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
const REFUSED = { code: "42501" };
const OWN = "select platform_access.create_organization('Mine', 'mine')";
const MINE = "(select id from platform.organizations where slug = 'mine')";

describe("a row that would leave its tenant", () => {
  test("stays: no admin takes a project to an organization of its own, and writes its keys or deletes it there", async () => {
    const move = `update platform.projects set organization_id = ${MINE} where id = '${TENANTS.a.project}'`;
    await expect(ask({ user: "admin" }, OWN, move)).rejects.toMatchObject(REFUSED);
    const rename = `update platform.projects set name = 'New' where id = '${TENANTS.a.project}' returning id`;
    expect(await ask({ user: "admin" }, rename)).toHaveLength(1);
  });

  test("stays in every table: the application updates no key to an organization, a project or a user", async () => {
    const rows = await studio.query(`
      select r.role, a.attrelid::regclass::text as "table", a.attname as "column"
        from pg_attribute a join pg_class c on c.oid = a.attrelid cross join unnest(array['studio_app', 'studio_readonly']) as r (role)
       where c.relnamespace = 'platform'::regnamespace and c.relkind = 'r' and a.attnum > 0
         and a.attname in ('organization_id', 'project_id', 'user_id') and has_column_privilege(r.role, a.attrelid, a.attnum, 'update')`);
    expect(rows).toEqual([]);
  });

  test("is moved by the system", async () => {
    const move = `update platform.projects set organization_id = '${TENANTS.b.organization}' where id = '${TENANTS.a.project}' returning id`;
    expect(await ask({ role: "studio_system" }, move)).toHaveLength(1);
  });
});

describe("a user who is brought into a tenant without having agreed", () => {
  const profile = `select email from platform_access.member_profiles where user_id = '${USERS.outsider}'`;
  const member = (organization: string): string =>
    `insert into platform.organization_members (organization_id, user_id, role) values (${organization}, '${USERS.outsider}', 'member')`;

  test("is not added by an admin, nor by the owner of an organization that is made for it", async () => {
    await expect(ask({ user: "admin" }, member(`'${A}'`), profile)).rejects.toMatchObject(REFUSED);
    await expect(ask({ user: "owner" }, member(`'${A}'`))).rejects.toMatchObject(REFUSED);
    await expect(ask({ user: "member" }, OWN, member(MINE), profile)).rejects.toMatchObject(REFUSED);
  });

  test("does not take the place of a member", async () => {
    const replace = `update platform.organization_members set user_id = '${USERS.outsider}' where user_id = '${USERS.member}'`;
    await expect(ask({ user: "admin" }, replace)).rejects.toMatchObject(REFUSED);
  });

  test("is not added to a project, whether there is such a user or not; a member of the organization is", async () => {
    const add = (user: string, project = TENANTS.a.project): string =>
      `insert into platform.project_members (project_id, user_id, role) values ('${project}', '${user}', 'read_only') returning id`;
    const unknown = USERS.outsider.replace("-aa", "-ee");
    for (const by of ["owner", "admin", "project_owner", "project_admin"] as const) {
      for (const user of [USERS.outsider, unknown])
        await expect(ask({ user: by }, add(user))).rejects.toMatchObject({
          ...REFUSED,
          message: "a project takes members of its organization alone",
        });
      expect(await ask({ user: by }, add(USERS.developer))).toHaveLength(1);
    }
    for (const user of [USERS.owner_of_b, USERS.outsider])
      await expect(ask({ user: "owner" }, add(user, TENANTS.b.project))).rejects.toThrow("row-level security");
  });
});

describe("an API key", () => {
  const scopes = (words: string, user: keyof typeof USERS = "member"): string =>
    `update platform.api_keys set scopes = '${words}' where user_id = '${USERS[user]}' returning id`;
  const find = `select scopes from platform_access.find_api_key('key of ${A}${USERS.member}')`;
  const found = async (...before: string[]): Promise<unknown> =>
    studio.as(
      "postgres",
      `${before.join("; ")}; select set_config('app.context', platform_access.signed_context(null), true); set local role studio_app; ${find}`,
    );

  test("claims no role above that of its user, and keeps the application's own words", async () => {
    for (const words of ['["owner", "*"]', '["*"]', '["admin:read"]', '["projects:read", "developer"]', '"owner"'])
      await expect(ask({ user: "member" }, scopes(words))).rejects.toMatchObject(REFUSED);
    expect(await ask({ user: "member" }, scopes('["projects:read", "member"]'))).toHaveLength(1);
    expect(await ask({ user: "admin" }, scopes('["admin", "developer"]', "admin"))).toHaveLength(1);
    await expect(ask({ user: "admin" }, scopes('["*"]', "admin"))).rejects.toMatchObject(REFUSED);
    expect(await ask({ user: "owner" }, scopes('["*"]', "owner"))).toHaveLength(1);
    const added = `insert into platform.api_keys (organization_id, user_id, name, key_prefix, key_hash, scopes) values ('${A}', '${USERS.member}', 'n', 'k', 'new', '["owner"]')`;
    await expect(ask({ user: "member" }, added)).rejects.toMatchObject(REFUSED);
  });

  test("is found without what its user may not claim any more, and not at all where the user has left", async () => {
    expect(await found("select")).toEqual([{ scopes: [] }]);
    expect(await found(scopes('["owner", "projects:read"]'))).toEqual([{ scopes: ["projects:read"] }]);
    const leave = `delete from platform.organization_members where organization_id = '${A}' and user_id = '${USERS.member}'`;
    expect(await found(leave)).toEqual([]);
  });
});

describe("an address", () => {
  const accept = "select platform_access.accept_invitation('member-token-a') as id";

  test("that was never confirmed accepts no invitation, and is told so", async () => {
    const unconfirmed = `update platform.users set email_confirmed_at = null where id = '${USERS.outsider}'`;
    const context = `select set_config('app.context', platform_access.signed_context('${USERS.outsider}'), true)`;
    const tried = studio.as("postgres", `${unconfirmed}; ${context}; set local role studio_app; ${accept}`);
    await expect(tried).rejects.toMatchObject({
      ...REFUSED,
      message: "the e-mail address of this user is not confirmed",
    });
    expect(await ask({ user: "outsider" }, accept)).toEqual([{ id: A }]);
  });

  test("belongs to one user however it is written, and signs that user in", async () => {
    const signUp = "select platform_access.sign_up('OUTSIDER@example.org', 'hash') as id";
    const signIn = "select user_id from platform_access.find_user('OUTSIDER@Example.org')";
    const context =
      "select set_config('app.context', platform_access.signed_context(null), true); set local role studio_app";
    expect(await studio.as("postgres", `${context}; ${signUp}`)).toEqual([{ id: null }]);
    expect(await studio.as("postgres", `${context}; ${signIn}`)).toEqual([{ user_id: USERS.outsider }]);
  });
});

test("the system signs in as no user: it sets no hash and starts no session", async () => {
  for (const sql of [
    "update platform.users set password_hash = 'known'",
    `insert into platform.users (email, password_hash) values ('new@example.org', 'known')`,
    `insert into platform.user_sessions (user_id, token, expires_at) values ('${USERS.owner}', 'known', now() + interval '1 day')`,
    "update platform.user_sessions set token = 'known'",
    "update platform.api_keys set key_hash = 'known'",
    "update platform.organization_invitations set token = 'known'",
  ])
    await expect(ask({ role: "studio_system" }, sql)).rejects.toMatchObject(REFUSED);
  for (const sql of [
    "update platform.users set banned_until = now() returning id",
    "delete from platform.user_sessions returning id",
    "update platform.api_keys set revoked_at = now() returning id",
  ])
    expect(await ask({ role: "studio_system" }, sql)).not.toEqual([]);
});
