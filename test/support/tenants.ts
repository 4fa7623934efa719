import type { TestDatabase } from "./database.ts";

const id = (kind: string, n: number): string => `00000000-0000-4000-8000-${kind}${String(n).padStart(10, "0")}`;

/** Users by what they are to organization A, unless their name says another one. */
export const USERS = {
  owner: id("aa", 1),
  admin: id("aa", 2),
  billing_admin: id("aa", 3),
  developer: id("aa", 4),
  member: id("aa", 5),
  owner_of_b: id("aa", 6),
  member_of_both: id("aa", 7),
  /** Members of A's project, and not of A. */
  project_owner: id("aa", 8),
  project_admin: id("aa", 9),
  project_developer: id("aa", 10),
  project_read_only: id("aa", 11),
  outsider: id("aa", 12),
};
export type User = keyof typeof USERS;

/** Two organizations, each with a project and one row in each table that belongs to one. */
export const TENANTS = {
  a: { organization: id("bb", 1), project: id("cc", 1) },
  b: { organization: id("bb", 2), project: id("cc", 2) },
};

const MEMBERS = [
  ...(["owner", "admin", "billing_admin", "developer", "member"] as const).map((role) => [USERS[role], "a", role]),
  [USERS.owner_of_b, "b", "owner"],
  [USERS.member_of_both, "a", "member"],
  [USERS.member_of_both, "b", "member"],
];

const rowsOf = ({ organization: o, project: p }: { organization: string; project: string }, n: string): string => `
  insert into platform.organizations (id, name, slug) values ('${o}', '${n}', 'tenant-${n}');
  insert into platform.projects (id, organization_id, name, slug, ref, database_host, database_name, database_user, database_password, postgres_meta_url, supabase_url)
    values ('${p}', '${o}', '${n}', 'project-${n}', 'project-${n}', 'h', 'd', 'u', 'none', 'http://m', 'http://s');
  insert into platform.credentials (project_id, anon_key, service_role_key, jwt_secret) values ('${p}', 'anon', 'service', 'jwt');
  insert into platform.databases (project_id, name, type, host, port, connection_string) values ('${p}', '${n}', 'redis', 'h', 1, 'redis://u:canary@h:1');
  insert into platform.project_addons (project_id, addon_id) values ('${p}', 'pitr');
  insert into platform.addons (project_id, addon_type, addon_variant) values ('${p}', 'pitr', 'v');
  insert into platform.project_metrics (project_id, cpu_usage) values ('${p}', 1);
  insert into platform.disk_config (project_id) values ('${p}');
  insert into platform.compute_config (project_id) values ('${p}');
  insert into platform.usage_metrics (organization_id, project_id, metric_type, metric_value, metric_unit, cost, period_start, period_end)
    values ('${o}', '${p}', 'egress', 1, 'bytes', 1, now(), now() + interval '1 day'), (null, '${p}', 'storage', 1, 'bytes', 1, now(), now() + interval '1 day');
  insert into platform.subscriptions (organization_id, plan_id, plan_name) values ('${o}', 'tier_free', 'Free');
  insert into platform.invoices (organization_id, amount_due, status, stripe_invoice_id) values ('${o}', 1, 'open', 'in_${n}');
  insert into platform.payment_methods (organization_id, stripe_payment_method_id, type) values ('${o}', 'pm_${n}', 'card');
  insert into platform.tax_ids (organization_id, type, value) values ('${o}', 'eu_vat', '${n}');
  insert into platform.customer_profiles (organization_id, company_name) values ('${o}', '${n}');
  insert into platform.credits (organization_id, amount, remaining) values ('${o}', 1, 1);
  insert into platform.organization_feature_flags (organization_id, flag_id, enabled) select '${o}', id, true from platform.feature_flags where flag_key = 'flag';
  insert into platform.organization_invitations (organization_id, invited_email, invited_by, role, token, expires_at)
    select '${o}', u.email, x.id, r.role, r.role || '-token-${n}', now() + interval '1 day'
      from platform.users u, platform.users x, (values ('owner'), ('member')) r (role) where u.username = 'outsider' and x.username = '${n === "a" ? "owner" : "owner_of_b"}';
  insert into platform.audit_logs (organization_id, project_id, event_type, action) values ('${o}', '${p}', 'a.b', 'b');`;

/** Written with the rights of the owner, whom no policy binds. */
export async function seedTenants({ query }: Pick<TestDatabase, "query">): Promise<void> {
  const users = Object.entries(USERS)
    .map(([name, user]) => `('${user}', '${name}@example.org', '${name}', 'hash of ${name}', now())`)
    .join(", ");
  const members = MEMBERS.map(([user, tenant, role]) => {
    const { organization } = tenant === "a" ? TENANTS.a : TENANTS.b;
    return `('${organization}', '${user}', '${role}')`;
  }).join(", ");
  const shared = (["owner", "admin", "developer", "read_only"] as const)
    .map((role) => `('${TENANTS.a.project}', '${USERS[`project_${role}`]}', '${role}')`)
    .join(", ");
  await query(`
    insert into platform_private.encryption_salts (name, salt) values ('databases', 'test-salt-of-forty-characters-0123456789') on conflict do nothing;
    insert into platform_access.context_keys (name, key) values ('gateway', '${CONTEXT_KEY}') on conflict do nothing;
    insert into platform.users (id, email, username, password_hash, email_confirmed_at) values ${users};
    insert into platform.feature_flags (flag_key, flag_name) values ('flag', 'Flag');
    insert into platform.billing_plans (id, name, price, "interval") values ('tier_free', 'Free', 0, 'month');
    ${rowsOf(TENANTS.a, "a")}
    ${rowsOf(TENANTS.b, "b")}
    insert into platform.organization_members (organization_id, user_id, role) values ${members};
    insert into platform.project_members (project_id, user_id, role) values ${shared};
    insert into platform.user_sessions (user_id, token, refresh_token, expires_at) select id, 'session of ' || username, 'refresh of ' || username, now() + interval '1 day' from platform.users;
    insert into platform.audit_logs (user_id, event_type, action) select id, 'a.b', 'b' from platform.users;
    insert into platform.api_keys (organization_id, user_id, name, key_prefix, key_hash)
      select organization_id, user_id, 'key', 'k', 'key of ' || organization_id || user_id from platform.organization_members;
    analyze`);
}

/** What contexts are signed with in tests. */
export const CONTEXT_KEY = "key-of-the-gateway-in-tests-0123456789";
