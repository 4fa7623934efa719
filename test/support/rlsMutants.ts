// What could go wrong with the isolation of tenants, one change each: the matrix must notice every one of
// them.

import { quoteIdent } from "../../provider/catalog/quote.ts";
import type { Change } from "./rlsMatrix.ts";
import type { StudioDatabase } from "./studio.ts";

export interface Mutant extends Change {
  title: string;
}

type Query = StudioDatabase["query"];

/**
 * Each policy dropped, each condition of one that is more than `true` made `true`, and each table without
 * policies.
 */
export async function brokenPolicies(query: Query): Promise<Mutant[]> {
  const policies = await query<{ table: string; name: string; using: string | null; check: string | null }>(
    `select tablename as "table", policyname as name, qual as "using", with_check as "check"
       from pg_policies where schemaname = 'platform' order by tablename, policyname`,
  );
  const mutants = policies.flatMap(({ table, name, using, check }) => {
    const on = `policy ${quoteIdent(name)} on platform.${quoteIdent(table)}`;
    const widened = Object.entries({ using, "with check": check })
      .filter(([, condition]) => condition !== null && condition !== "true")
      .map(([word]) => ({ title: `${on} with ${word} (true)`, table, sql: `alter ${on} ${word} (true)` }));
    return [{ title: `${on} dropped`, table, sql: `drop ${on}` }, ...widened];
  });
  const tables = [...new Set(policies.map(({ table }) => table))].map((table) => ({
    title: `policies off for ${table}`,
    table,
    sql: `alter table platform.${quoteIdent(table)} disable row level security`,
  }));
  return [...mutants, ...tables];
}

/** Each view and each function that runs with the caller's rights, with those of its owner. */
export async function ownersRights(query: Query): Promise<(Mutant & { name: string })[]> {
  const rows = await query<{ view: boolean; name: string }>(`
    select true as view, oid::regclass::text as name from pg_class
     where relkind = 'v' and relnamespace = 'platform'::regnamespace
    union all
    select false, oid::regprocedure::text from pg_proc
     where pronamespace = 'platform'::regnamespace and not prosecdef and prorettype <> 'trigger'::regtype
     order by 1, 2`);
  return rows.map(({ view, name }) => ({
    name,
    title: `${name} with its owner's rights`,
    sql: view ? `alter view ${name} set (security_invoker = false)` : `alter function ${name} security definer`,
  }));
}

/** One guard less: what a policy cannot say is said by a trigger. */
export async function guardsOff(query: Query): Promise<Mutant[]> {
  const rows = await query<{ trigger: string; table: string }>(`
    select t.tgname as "trigger", t.tgrelid::regclass::text as "table"
      from pg_trigger t join pg_proc p on p.oid = t.tgfoid
     where p.pronamespace = 'platform_access'::regnamespace and not t.tgisinternal order by 1`);
  return rows.map(({ trigger, table }) => ({
    title: `${trigger} on ${table} switched off`,
    sql: `alter table ${table} disable trigger ${quoteIdent(trigger)}`,
  }));
}

/** Each table of which a role reads some columns, with all of them. */
export async function allColumns(query: Query): Promise<Mutant[]> {
  const rows = await query<{ table: string; role: string }>(`
    select c.oid::regclass::text as "table", r.role from pg_class c
     cross join unnest(array['studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt']) as r (role)
     where c.relkind = 'r' and c.relnamespace = 'platform'::regnamespace
       and has_any_column_privilege(r.role, c.oid, 'select') and not has_table_privilege(r.role, c.oid, 'select')
     order by 1, 2`);
  return rows.map(({ table, role }) => ({
    title: `all columns of ${table} for ${role}`,
    sql: `grant select on ${table} to ${role}`,
  }));
}

/** The functions that policies ask, without one of their conditions. */
export async function weakenedContext(query: Query): Promise<Mutant[]> {
  const rows = await query<{ name: string; text: string }>(`
    select oid::regprocedure::text as name, pg_get_functiondef(oid) as text from pg_proc
     where pronamespace = 'platform_access'::regnamespace and proname in ('organizations', 'shared_projects') order by 1`);
  return rows.flatMap(({ name, text }) =>
    ["m.user_id = v_user_id", "m.role = any (v_roles)"].map((condition) => {
      if (!text.includes(condition)) throw new Error(`Found no ${condition} in ${name}, expected one.`);
      return { title: `${name} without ${condition}`, sql: text.replace(condition, "true") };
    }),
  );
}

/** Each view that has its owner's rights, with the rows of all tenants. */
export async function widenedViews(query: Query): Promise<Mutant[]> {
  const rows = await query<{ name: string; text: string }>(`
    select oid::regclass::text as name, pg_get_viewdef(oid) as text from pg_class
     where relkind = 'v' and relnamespace = 'platform_access'::regnamespace order by 1`);
  return rows.map(({ name, text }) => {
    const [open = "", condition] = text.split("\n  WHERE ");
    if (condition === undefined) throw new Error(`Found no condition in ${name}, expected one.`);
    return { title: `${name} without its condition`, sql: `create or replace view ${name} as ${open}` };
  });
}
