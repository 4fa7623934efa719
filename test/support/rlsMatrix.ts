// Who reaches which rows of the platform's tables: what the reviewable table says, and what a database does.
// A change of the owner may come before the second, so that a test sees that what it breaks is noticed.

import type pg from "pg";
import { quoteLiteral } from "../../provider/catalog/quote.ts";
import { readMatrix } from "../../tools/lib/rlsMatrix.ts";
import type { StudioDatabase } from "./studio.ts";
import { TENANTS, USERS, type User } from "./tenants.ts";

/** What the file says, by `table command`: the rule and the rows of each role. */
export const matrix = new Map(readMatrix().rows.map(({ table, command, ...cells }) => [`${table} ${command}`, cells]));
export const tables = [...new Set([...matrix.keys()].map((key) => key.split(" ")[0] ?? ""))].sort();

/** Who stands for a column of the file. */
export interface Subject {
  column: string;
  role: string;
  user?: User;
  /** A role that the subject is a member of as well; the role is made for the question. */
  also?: string;
}

export const SUBJECTS: Subject[] = [
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
  { column: "app_that_decrypts", role: "studio_app", user: "outsider", also: "studio_decrypt" },
];

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

export type Reached = Record<string, string[]>;

export interface Change {
  /** SQL of the owner that comes before, and is undone with all else. */
  sql: string;
  /** The one table that is asked about. */
  table?: string;
}

/**
 * What each subject reaches, by `table probe`: the rows that it sees, may add again as they are, may update,
 * and may delete; for statements that read no row, the number of rows, and whether rows go to another
 * tenant. Those ask no policy but their own: where a statement reads, the policy for SELECT stands before
 * and after it.
 */
export async function reached(client: pg.PoolClient, subject: Subject, change?: Change): Promise<Reached> {
  return undone(client, subject, change?.sql, async () => {
    const asked = change?.table === undefined ? tables : [change.table];
    // Triggers and foreign keys would end what the policies let through, and so would the grants, which leave
    // out the columns that a move would change. Other column lists follow the grants.
    await client.query(`
      grant update on ${asked.map((table) => `platform.${table}`).join(", ")} to studio_app;
      set local session_replication_role = replica; set local role ${roleOf(subject)}`);
    const { rows } = await client.query<{ result: Reached }>("select pg_temp.reach($1) as result", [asked]);
    return sorted(Object.entries(rows[0]?.result ?? {}));
  });
}

export const roleOf = ({ role, also }: Subject): string => (also === undefined ? role : `${role}_that_is_more`);

/** Runs the work in the context of a subject, after a change of the owner, and undoes all of it. */
export async function undone<Result>(
  client: pg.PoolClient,
  subject: Subject,
  change: string | undefined,
  work: () => Promise<Result>,
): Promise<Result> {
  const { role, user, also } = subject;
  await client.query("begin");
  try {
    if (also !== undefined)
      await client.query(`create role ${roleOf(subject)}; grant ${role}, ${also} to ${roleOf(subject)}`);
    if (change !== undefined) await client.query(change);
    const context = "select set_config('app.context', platform_access.signed_context($1), true)";
    if (user !== undefined) await client.query(context, [USERS[user]]);
    return await work();
  } finally {
    await client.query("rollback");
  }
}

/** What the file says of a subject, in the form of `reached`. */
export async function expected({ query }: Pick<StudioDatabase, "query">, subject: Subject): Promise<Reached> {
  const { column, user } = subject;
  const questions = [...matrix].map(([key, cells]) => {
    const table = key.split(" ")[0] ?? "";
    const rows = rowsOf(cells[column] ?? "", table, user);
    return `select ${quoteLiteral(key)} as key, array(select id::text from platform.${table} where ${rows}) as ids`;
  });
  const rows = await query<{ key: string; ids: string[] }>(questions.join(" union all "));
  const cells = new Map(rows.map(({ key, ids }) => [key, ids]));
  const derived = tables.flatMap((table): [string, string[]][] => {
    const updated = cells.get(`${table} update`) ?? [];
    return [
      [`${table} unread update`, [String(updated.length)]],
      [`${table} unread delete`, [String(cells.get(`${table} delete`)?.length ?? 0)]],
      // No tenant gives a row away.
      [`${table} move`, column === "system" && updated.length > 0 ? ["moves"] : []],
    ];
  });
  return sorted([...cells, ...derived]);
}

const sorted = (entries: [string, string[]][]): Reached =>
  Object.fromEntries(entries.map(([key, ids]) => [key, [...ids].sort()]));

/** The lines of a table, of what is expected. */
export const ofTable = (reached: Reached, table: string): Reached =>
  Object.fromEntries(Object.entries(reached).filter(([key]) => key.startsWith(`${table} `)));

/**
 * A function of the session that tries all in one call. What is refused for want of a right is no row; a new
 * row that a policy refuses is told apart from it, as it shows that the statement has found a row.
 */
export const REACH = `
  create temp table kept as select c.relname::text as name, x.row::jsonb as row from pg_class c,
    xmltable('/table/row' passing query_to_xml('select id, to_jsonb(t) as row from platform.' || c.relname || ' t', false, false, '') columns row text) x
    where c.relnamespace = 'platform'::regnamespace and c.relkind = 'r';
  grant select on kept to public;

  create function pg_temp.tried(statement text) returns text[] language plpgsql as $$
  declare ids text[]; n bigint;
  begin
    if statement like '%returning id' then
      execute 'with t as (' || statement || ') select array(select id::text from t)' into ids;
    else
      execute statement;
      get diagnostics n = row_count;
      ids := array[n::text];
    end if;
    raise exception using errcode = 'PSUND';
  exception
    when insufficient_privilege then
      return case
        when sqlerrm like 'new row violates%' then array['finds a row']
        when statement like '%returning id' then '{}'
        else '{0}'
      end;
    when unique_violation then return array['taken'];
    when sqlstate 'PSUND' then return ids;
  end $$;
  grant execute on function pg_temp.tried(text) to public;

  create function pg_temp.reach(tables text[]) returns jsonb language plpgsql as $$
  declare t text; k record; result jsonb := '{}'; added text[]; cols text; stamp text; move text; tried text[];
  begin
    foreach t in array tables loop
      select string_agg(quote_ident(attname), ', ') filter (where has_column_privilege(attrelid, attnum, 'insert')),
        min(attname) filter (where atttypid = 'timestamptz'::regtype and has_column_privilege(attrelid, attnum, 'update')),
        coalesce(
          string_agg(format('%I = %L', attname, case attname when 'project_id' then '${TENANTS.b.project}' else '${TENANTS.b.organization}' end), ', ')
            filter (where attname in ('organization_id', 'project_id')),
          max(format('user_id = %L', '${USERS.owner_of_b}')) filter (where attname = 'user_id'),
          format('id = %L', gen_random_uuid())
        )
      into cols, stamp, move from pg_attribute
      where attrelid = ('platform.' || t)::regclass and attnum > 0 and not attisdropped and attgenerated = '';

      added := '{}';
      for k in select row, row ->> 'id' as id from kept where name = t loop
        tried := pg_temp.tried(format('insert into platform.%1$I (%2$s) select %2$s from jsonb_populate_record(null::platform.%1$I, %3$L)', t, coalesce(cols, 'id'), k.row));
        if tried in ('{taken}', '{1}') then added := added || k.id; end if;
      end loop;
      result := result || jsonb_build_object(
        t || ' select', (select coalesce(array_agg(id), '{}') from unnest(pg_temp.seen(t)) as id),
        t || ' insert', added,
        t || ' move', case when pg_temp.tried(format('update platform.%I set %s', t, move)) in ('{0}', '{finds a row}') then '{}' else '{moves}'::text[] end,
        t || ' update', pg_temp.tried(format('update platform.%I set %s returning id', t, case t when 'databases' then 'name = name' else 'id = id' end)),
        t || ' delete', pg_temp.tried(format('delete from platform.%I returning id', t)),
        t || ' unread update', case when stamp is null then '{0}' else pg_temp.tried(format('update platform.%I set %I = now()', t, stamp)) end,
        t || ' unread delete', pg_temp.tried(format('delete from platform.%I', t))
      );
    end loop;
    return result;
  end $$;

  create function pg_temp.seen(t text) returns text[] language plpgsql as $$
  declare ids text[];
  begin
    execute format('select array(select id::text from platform.%I)', t) into ids;
    return ids;
  exception when insufficient_privilege then return '{}';
  end $$;
  grant execute on function pg_temp.reach(text[]), pg_temp.seen(text) to public`;
