/** Rows of the platform's tables, one statement a table. */

/** What each table gets of all rows. */
const TABLES: readonly { table: string; share: number; insert: (count: number) => string }[] = [
  {
    table: "platform.users",
    share: 0.2,
    insert: (count) => `
      insert into platform.users (id, email, username, first_name, last_name, metadata)
      select pg_catalog.md5(n::text)::uuid, 'person' || n || '@example.org', 'person_' || n, 'First ' || n, 'Last ' || n, '{"theme": "dark"}'
        from generate_series(1, ${count}) as n`,
  },
  {
    table: "platform.user_sessions",
    share: 0.2,
    insert: (count) => `
      insert into platform.user_sessions (user_id, token, refresh_token, ip_address, user_agent, expires_at)
      select pg_catalog.md5(n::text)::uuid, pg_catalog.md5('token ' || n), pg_catalog.md5('refresh ' || n), '192.0.2.1', 'Browser of person ' || n, now() + interval '1 day'
        from generate_series(1, ${count}) as n`,
  },
  {
    table: "platform.usage_metrics",
    share: 0.3,
    insert: (count) => `
      insert into platform.usage_metrics (metric_type, metric_value, metric_unit, period_start, period_end, cost, metadata)
      select 'egress', n, 'bytes', now() - interval '1 hour', now(), n % 100, pg_catalog.jsonb_build_object('n', n)
        from generate_series(1, ${count}) as n`,
  },
  {
    table: "platform.audit_logs",
    share: 0.3,
    insert: (count) => `
      insert into platform.audit_logs (event_type, action, resource_type, ip_address, user_agent, metadata)
      select 'session.opened', 'open', 'session ' || n, '192.0.2.1', 'Browser of person ' || n, pg_catalog.jsonb_build_object('n', n)
        from generate_series(1, ${count}) as n`,
  },
];

export const insertStatements = (rows: number): string[] =>
  TABLES.map(({ share, insert }) => insert(Math.round(rows * share)));

/** A row a table: its rows, and a checksum that does not depend on their order. */
export const COUNTS = TABLES.map(
  ({ table }) =>
    `select '${table}' as table, count(*)::int as rows, sum(hashtextextended(t::text, 0))::text as checksum from ${table} as t`,
).join(" union all ");
