import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";

let studio: StudioDatabase;
let id: string;
const FULL = "redis://default:secret@redis.railway.internal:6379/0";

beforeAll(async () => {
  studio = await createStudioDatabase();
  const { projects } = await seedStudio(studio);
  const [row] = await studio.query<{ id: string }>(
    "insert into platform.databases (project_id, name, type, host, port, connection_string) values ($1, 'Redis', 'redis', 'redis.railway.internal', 6379, $2) returning id",
    [projects[0], FULL],
  );
  id = row?.id ?? "";
  await studio.query("insert into platform.users (email, password_hash) values ('a@example.org', 'hash')");
  await studio.query(
    "insert into platform.credentials (project_id, anon_key, service_role_key, jwt_secret) values ($1, 'anon', 'service', 'jwt')",
    [projects[0]],
  );
});
afterAll(async () => {
  await studio.drop();
});

const SAFE_COLUMNS =
  "id, project_id, name, type, host, port, database, ssl_enabled, config, metadata, status, health_check_status, last_health_check_at, created_at, updated_at";

/** Statements by role: what each may do, and what it may not. */
const MODEL: Record<string, { may: string[]; mayNot: string[] }> = {
  studio_app: {
    may: [
      "select * from platform.organizations",
      "select * from platform.users",
      "insert into platform.organizations (name, slug) values ('New', 'new-one') returning id",
      "update platform.organizations set name = 'Renamed'",
      "delete from platform.feature_flags",
      "select * from platform.billing_plans",
      "insert into platform.audit_logs (event_type, action) values ('a.b', 'b')",
      `select ${SAFE_COLUMNS}, username, connection_string, health_check_error from platform.databases`,
      "select * from platform.databases_safe",
      "select * from platform.get_project_databases((select id from platform.projects limit 1))",
      "select platform.update_database_health((select id from platform.databases limit 1), 'healthy')",
      "update platform.databases set connection_string = 'redis://default:new@redis.railway.internal:6379/0'",
      "update platform.projects set database_password = 'changed' where slug = 'one'",
      "select id, name, database_user from platform.projects",
      "select anon_key from platform.credentials",
      "select platform.is_organization_owner((select id from platform.users limit 1), (select id from platform.organizations limit 1))",
      "select platform.generate_slug('A Name')",
    ],
    mayNot: [
      "select database_password from platform.projects",
      "select * from platform.projects",
      "select service_role_key from platform.credentials",
      "select jwt_secret from platform.credentials",
      "select connection_string_encrypted from platform.databases",
      "select password from platform.databases",
      "update platform.databases set connection_string_encrypted = 'x'",
      "select platform.decrypt_database_connection_string((select id from platform.databases_safe limit 1))",
      "select * from platform.databases_with_connection_strings",
      "select * from platform.projects_with_credentials",
      "select * from platform.get_project_by_ref('one-ref')",
      "select * from platform_private.encryption_salts",
      "select platform_private.encryption_key((select id from platform.organizations limit 1))",
      "insert into platform.billing_plans default values",
      "update platform.audit_logs set event_type = 'x'",
      "delete from platform.audit_logs",
      "select platform.clean_old_audit_logs(1)",
      "create table platform.mine (id int)",
      "alter table platform.users disable row level security",
      "drop policy permissive_all_users on platform.users",
      "truncate platform.feature_flags",
    ],
  },
  studio_readonly: {
    may: [
      "select * from platform.organizations",
      "select id, email from platform.users",
      "select * from platform.databases_safe",
      `select ${SAFE_COLUMNS} from platform.databases`,
      "select * from platform.get_project_databases((select id from platform.projects limit 1))",
      "select * from platform.audit_logs",
      "select * from platform.organizations_with_stats",
    ],
    mayNot: [
      "select password_hash from platform.users",
      "select token from platform.user_sessions",
      "select key_hash from platform.api_keys",
      "select username from platform.databases",
      "select connection_string from platform.databases",
      "select connection_string_encrypted from platform.databases",
      "select platform.decrypt_database_connection_string((select id from platform.databases_safe limit 1))",
      "select * from platform.databases_with_connection_strings",
      "select database_password from platform.projects",
      "insert into platform.organizations (name, slug) values ('New', 'new-one')",
      "update platform.organizations set name = 'x'",
      "delete from platform.organizations",
      "select platform.update_database_health((select id from platform.databases_safe limit 1), 'healthy')",
      "select platform.log_audit_event(null, 'a', 'b', 'c', null, null, null)",
      "select * from platform_private.encryption_salts",
    ],
  },
  studio_decrypt: {
    may: [
      "select platform.decrypt_database_connection_string((select id from platform.databases limit 1))",
      "select * from platform.databases_with_connection_strings",
      "select * from platform.databases",
      "select database_password from platform.projects",
      "select service_role_key, jwt_secret from platform.credentials",
      "select * from platform.get_project_by_ref('one-ref')",
      "select * from platform.projects_with_credentials",
    ],
    mayNot: [
      "select * from platform.users",
      "select * from platform.organizations",
      "update platform.databases set name = 'x'",
      "insert into platform.credentials default values",
      "select * from platform_private.encryption_salts",
      "select platform_private.encryption_key((select id from platform.projects limit 1))",
    ],
  },
  // Stands for any login that was granted nothing.
  pg_monitor: {
    may: [],
    mayNot: [
      "select * from platform.organizations",
      "select * from platform.databases_safe",
      "select platform.decrypt_database_connection_string(null)",
      "select platform.generate_slug('a name')",
      "select * from platform.verify_rls_enabled()",
      "select * from platform_private.encryption_salts",
    ],
  },
};

for (const [role, { may, mayNot }] of Object.entries(MODEL)) {
  describe(role, () => {
    for (const sql of may) {
      test(`may ${sql}`, async () => {
        await expect(studio.as(role, sql)).resolves.toBeDefined();
      });
    }
    for (const sql of mayNot) {
      test(`may not ${sql}`, async () => {
        await expect(studio.as(role, sql)).rejects.toMatchObject({ code: "42501" });
      });
    }
  });
}

test("the decrypting role gets the whole string, by function and by view", async () => {
  expect(
    await studio.as("studio_decrypt", `select platform.decrypt_database_connection_string('${id}') as full`),
  ).toEqual([{ full: FULL }]);
  const [row] = await studio.as(
    "studio_decrypt",
    "select connection_string_decrypted as full, password from platform.databases_with_connection_strings",
  );
  expect(row).toEqual({ full: FULL, password: null });
});

test("what the application writes is encrypted although it can read neither key nor ciphertext", async () => {
  const [row] = await studio.as(
    "studio_app",
    `update platform.databases set connection_string = 'redis://default:from-the-app@redis.railway.internal:6379/0' where id = '${id}';
     set local role studio_decrypt; select platform.decrypt_database_connection_string('${id}') as full, connection_string from platform.databases`,
  );
  expect(row).toEqual({
    full: "redis://default:from-the-app@redis.railway.internal:6379/0",
    connection_string: "redis://redis.railway.internal:6379",
  });
});

test("readers and writers see the rows that the policies let through, and none without a policy", async () => {
  for (const role of ["studio_app", "studio_readonly"]) {
    expect(await studio.as(role, "select count(*)::int as n from platform.databases_safe")).toEqual([{ n: 1 }]);
    const hidden = await studio.as(
      "postgres",
      `drop policy permissive_all_databases on platform.databases; set local role ${role}; select count(*)::int as n from platform.databases_safe`,
    );
    expect(hidden).toEqual([{ n: 0 }]);
  }
});

test("a session's update keeps its activity fresh", async () => {
  const [row] = await studio.as(
    "studio_app",
    `insert into platform.user_sessions (user_id, token, expires_at, last_activity_at) select id, 't', now() + interval '1 day', now() - interval '1 hour' from platform.users;
     update platform.user_sessions set user_agent = 'x'; select now() - last_activity_at < interval '1 minute' as fresh from platform.user_sessions`,
  );
  expect(row).toEqual({ fresh: true });
});
