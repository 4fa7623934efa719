import type { ForeignSchema } from "../foreignSchema.ts";

export const saas: ForeignSchema = {
  name: "saas",
  roles: ["saas_anon", "saas_authenticated", "saas_service"],
  changes: [
    {
      title: "a table more with policies: default privileges give it to the roles",
      edits: [
        [
          "create table app.api_keys (",
          `create table app.webhooks (
  id uuid primary key default gen_random_uuid(),
  org_id uuid not null references app.organizations (id) on delete cascade,
  url text not null check (url like 'https://%'),
  events text[] not null default '{}'
);
alter table app.webhooks enable row level security;
create policy admins_only on app.webhooks to saas_authenticated using (private.has_role(org_id, 'admin'));

create table app.api_keys (`,
        ],
      ],
    },
    {
      title: "a role more in the middle of an enum that policies, functions and an index use",
      edits: [["('owner', 'admin', 'member', 'guest')", "('owner', 'admin', 'billing', 'member', 'guest')"]],
      back: { allow: ["change-type:app.memberships.role", "rewrite-table:app.memberships"] },
    },
    {
      title: "the tenant's column gets another name in a table with policies",
      edits: [
        [
          "  created_by uuid references app.profiles (id) on delete set null default private.uid(),",
          "  founder uuid references app.profiles (id) on delete set null default private.uid(), -- renamed from: created_by",
        ],
        ["with check (created_by =", "with check (founder ="],
      ],
      renamed: { "app.organizations.created_by": "founder" },
      back: {
        edits: [["  created_by uuid references", "  -- renamed from: founder\n  created_by uuid references"]],
      },
    },
    {
      title: "a helper of the policies gets a parameter",
      edits: [
        [
          "create function private.has_role(org uuid, minimum app.member_role) returns boolean",
          "create function private.has_role(org uuid, minimum app.member_role, strict boolean default false) returns boolean",
        ],
        ["m.role <= minimum);", "(m.role < minimum or not strict and m.role = minimum));"],
        ["private.has_role(uuid, app.member_role) to", "private.has_role(uuid, app.member_role, boolean) to"],
      ],
    },
    {
      title: "a helper becomes inlined SQL",
      edits: [
        [
          "language sql stable parallel safe\nreturn private.claim('sub')::uuid;",
          "language sql stable parallel safe\nreturn (current_setting('request.jwt.claims', true)::jsonb ->> 'sub')::uuid;",
        ],
      ],
    },
    {
      title: "the amount in cents becomes bigint, with the generated total",
      edits: [
        ["  amount_cents integer not null check", "  amount_cents bigint not null check"],
        [
          "  total_cents integer generated always as ((amount_cents * (1 + tax_rate))::integer) stored,",
          "  total_cents bigint generated always as ((amount_cents * (1 + tax_rate))::bigint) stored,",
        ],
      ],
      allow: ["rewrite-table:app.invoices"],
      back: { allow: ["rewrite-table:app.invoices", "change-type:app.invoices.amount_cents"] },
    },
    {
      title: "policies by command in place of one for all",
      edits: [
        [
          "create policy write on app.projects for all to saas_authenticated using (private.has_role(org_id, 'member'));",
          `create policy insert on app.projects for insert to saas_authenticated with check (private.has_role(org_id, 'member'));
create policy update on app.projects for update to saas_authenticated using (private.has_role(org_id, 'member'));
create policy delete on app.projects for delete to saas_authenticated using (private.has_role(org_id, 'admin'));`,
        ],
      ],
    },
    {
      title: "the default privileges no longer give deletion, and tables follow",
      edits: [
        [
          "grant select, insert, update, delete on tables to saas_authenticated;",
          "grant select, insert, update on tables to saas_authenticated;",
        ],
      ],
    },
    {
      title: "the log is partitioned by the month",
      edits: [
        [
          "  old jsonb,\n  new jsonb\n);",
          "  old jsonb,\n  new jsonb\n) partition by range (at);\ncreate table app.audit_before partition of app.audit for values from (minvalue) to ('2030-01-01 00:00Z');\ncreate table app.audit_later partition of app.audit default;",
        ],
      ],
      allow: ["rewrite-table:app.audit"],
      back: { allow: ["rewrite-table:app.audit"] },
    },
    {
      title: "a foreign key is NOT NULL from now on, and a unique index becomes a constraint",
      edits: [
        ["  invited_by uuid references app.profiles (id),", "  invited_by uuid not null references app.profiles (id),"],
        [
          "create unique index api_keys_prefix on app.api_keys (prefix) include (key_hash);",
          "alter table app.api_keys add constraint api_keys_prefix unique (prefix) include (key_hash);",
        ],
      ],
    },
  ],
};
