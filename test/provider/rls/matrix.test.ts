import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { seedTenants, TENANTS, USERS, type User } from "../../support/tenants.ts";

const FILE = join(import.meta.dirname, "..", "..", "fixtures", "expected", "rls-matrix.csv");
const COMMANDS = ["select", "insert", "update", "delete"] as const;

/** What the file says, by `table command`: the rule and the rows of each role. */
const matrix = new Map(
  parse<Record<string, string>>(readFileSync(FILE, "utf8"), { columns: true }).map(({ table, command, ...cells }) => [
    `${table} ${command}`,
    cells,
  ]),
);
const tables = [...new Set([...matrix.keys()].map((key) => key.split(" ")[0] ?? ""))].sort();

/** Who stands for a column of the file. */
const SUBJECTS: { column: string; role: string; user?: User }[] = [
  ...(
    [
      ...(["owner", "admin", "billing_admin", "developer", "member"] as const),
      ...(["project_owner", "project_admin", "project_developer", "project_read_only", "outsider"] as const),
    ] satisfies User[]
  ).map((user) => ({ column: user, role: "studio_app", user })),
  { column: "no_context", role: "studio_app" },
  { column: "readonly", role: "studio_readonly", user: "owner" },
  { column: "system", role: "studio_system" },
  { column: "decrypt", role: "studio_decrypt" },
];

let studio: StudioDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  studio = await createStudioDatabase("restrictive");
  await seedTenants(studio);
  client = await studio.pool.connect();
  await client.query(REACH);
});
afterAll(async () => {
  client.release();
  await studio.drop();
});

const A = `'${TENANTS.a.organization}'`;
const PROJECT_A = `'${TENANTS.a.project}'`;
const OF_PROJECT = ["credentials", "databases", "project_members", "project_addons", "addons", "project_metrics"];
const BY_PROJECT = new Set([...OF_PROJECT, "disk_config", "compute_config"]);

/** Which rows of a table a word of the file stands for. */
function rowsOf(word: string, table: string, user: User | undefined): string {
  const id = user === undefined ? "null" : `'${USERS[user]}'`;
  const org = {
    organizations: `id = ${A}`,
    usage_metrics: `organization_id = ${A} or project_id = ${PROJECT_A}`,
  };
  const project = {
    projects: `id = ${PROJECT_A}`,
    usage_metrics: `organization_id is null and project_id = ${PROJECT_A}`,
  };
  const ofOrg = Object.entries(org).find(([name]) => name === table)?.[1];
  const ofProject = Object.entries(project).find(([name]) => name === table)?.[1] ?? `project_id = ${PROJECT_A}`;
  const all = BY_PROJECT.has(table) ? ofProject : (ofOrg ?? `organization_id = ${A}`);
  const words: Record<string, string> = {
    all: "true",
    none: "false",
    org: all,
    project: ofProject,
    below: `(${all}) and role not in ${table === "project_members" ? "('owner', 'admin')" : "('owner')"}`,
    own: table === "users" ? `id = ${id}` : `user_id = ${id}`,
  };
  return word
    .split("+")
    .map((part) => `(${words[part] ?? `unknown word ${part}`})`)
    .join(" or ");
}

/**
 * The rows that a subject sees, may add again as they are, may update and may delete, by `table command`.
 *
 * @param change SQL of the owner that comes before, and is undone with all else.
 */
async function reached(
  { role, user }: (typeof SUBJECTS)[number],
  change = "select",
): Promise<Record<string, string[]>> {
  await client.query("begin");
  try {
    await client.query(change);
    const context = "select set_config('app.context', platform_access.signed_context($1), true)";
    if (user !== undefined) await client.query(context, [USERS[user]]);
    // Triggers and foreign keys would end what the policies let through. Column lists follow the grants.
    await client.query(`set local session_replication_role = replica; set local role ${role}`);
    const { rows } = await client.query<{ result: Record<string, string[]> }>("select pg_temp.reach() as result");
    return sorted(Object.entries(rows[0]?.result ?? {}));
  } finally {
    await client.query("rollback");
  }
}

/** A function of the session that tries all in one call; what is refused for want of a right is no row. */
const REACH = `
  create temp table kept as select c.relname::text as name, x.row from pg_class c,
    xmltable('/table/row' passing query_to_xml('select id, to_jsonb(t) as row from platform.' || c.relname || ' t', false, false, '') columns row text) x
    where c.relnamespace = 'platform'::regnamespace and c.relkind = 'r';
  grant select on kept to public;
  create function pg_temp.reach() returns jsonb language plpgsql as $$
  declare t text; k record; command text; ids text[]; result jsonb := '{}'; cols text;
  begin
    for t in select distinct name from kept loop
      for command in select unnest(array['select', 'update', 'delete']) loop
        begin
          execute case command
            when 'select' then format('select array(select id::text from platform.%I)', t)
            when 'update' then format('with u as (update platform.%I set %s returning id) select array(select id::text from u)', t, case t when 'databases' then 'name = name' else 'id = id' end)
            else format('with d as (delete from platform.%I returning id) select array(select id::text from d)', t)
          end into ids;
          raise exception using errcode = 'PSUND';
        exception when insufficient_privilege then ids := '{}'; when sqlstate 'PSUND' then null;
        end;
        result := result || jsonb_build_object(t || ' ' || command, ids);
      end loop;
      ids := '{}';
      select string_agg(quote_ident(attname), ', ') into cols from pg_attribute
        where attrelid = ('platform.' || t)::regclass and attnum > 0 and has_column_privilege(attrelid, attnum, 'insert');
      for k in select row::jsonb as row from kept where name = t loop
        begin
          execute format('insert into platform.%1$I (%2$s) select %2$s from jsonb_populate_record(null::platform.%1$I, $1)', t, coalesce(cols, 'id')) using k.row;
          ids := ids || (k.row ->> 'id');
        exception when unique_violation then ids := ids || (k.row ->> 'id'); when insufficient_privilege then null;
        end;
      end loop;
      result := result || jsonb_build_object(t || ' insert', ids);
    end loop;
    return result;
  end $$;
  grant execute on function pg_temp.reach() to public`;

test("the file has a line for each table and command, and names each policy of a tenant once", async () => {
  const lines = tables.flatMap((table) => COMMANDS.map((command) => `${table} ${command}`));
  expect([...matrix.keys()].sort()).toEqual(lines.sort());
  const rules = await studio.query<{ rule: string }>(
    "select tablename || ' ' || lower(cmd) || ' ' || policyname as rule from pg_policies where schemaname = 'platform' and 'studio_app' = any (roles)",
  );
  const named = [...matrix].filter(([, { rule }]) => rule !== "-").map(([key, { rule }]) => `${key} ${rule}`);
  expect(rules.map(({ rule }) => rule).sort()).toEqual(named.sort());
});

const sorted = (entries: [string, string[]][]): Record<string, string[]> =>
  Object.fromEntries(entries.map(([key, ids]) => [key, [...ids].sort()]));

/** What the file says of a subject, as ids of rows. */
async function expected({ column, user }: (typeof SUBJECTS)[number]): Promise<Record<string, string[]>> {
  const questions = [...matrix].map(([key, cells]) => {
    const table = key.split(" ")[0] ?? "";
    const rows = rowsOf(cells[column] ?? "", table, user);
    return `select '${key}' as key, array(select id::text from platform.${table} where ${rows}) as ids`;
  });
  const rows = await studio.query<{ key: string; ids: string[] }>(questions.join(" union all "));
  return sorted(rows.map(({ key, ids }) => [key, ids]));
}

test.each(SUBJECTS)("$column reaches the rows that the file says, and no other", async (subject) => {
  expect(await reached(subject)).toEqual(await expected(subject));
});

test("a policy that is dropped or widened is seen in the rows that are reached", async () => {
  const [owner] = SUBJECTS;
  const outsider = SUBJECTS.find(({ column }) => column === "outsider");
  if (owner === undefined || outsider === undefined) throw new Error("no such subject");
  const drop = "drop policy credentials_admin_select on platform.credentials";
  expect(await reached(owner, drop)).not.toEqual(await expected(owner));
  const widen = "alter policy invoice_billing_select on platform.invoices using (true)";
  expect(await reached(outsider, widen)).not.toEqual(await expected(outsider));
});
