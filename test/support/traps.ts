import { quoteIdent } from "../../provider/catalog/quote.ts";
import type { TestDatabase, TestRole } from "./database.ts";
import { ServerLog } from "./serverLog.ts";

/**
 * What a role that may create in `public` can leave there for sessions whose search path has `public` first:
 * a function, operator, domain or view by the name of each built-in one that a catalog query may use. They do
 * what the built-in ones do, and tell the server's log, which no rollback and no read-only transaction takes
 * back.
 */
const SET_TRAPS = (mark: string): string => `
do $do$
declare f record; r record; body text;
begin
  create function public.pgstrata_trap(what text) returns boolean language plpgsql set search_path = pg_catalog as
    $body$ begin raise log 'caught%: %', '${mark}', what; return true; end $body$;

  for f in select p.oid, p.proname, pg_get_function_identity_arguments(p.oid) as args, pg_get_function_result(p.oid) as result, p.proretset,
                  (select string_agg('$' || n, ', ') from generate_series(1, p.pronargs) n) as passed
             from pg_proc p
            where p.pronamespace = 'pg_catalog'::regnamespace and p.prokind = 'f' and p.provariadic = 0 and p.proallargtypes is null
              and not exists (select from unnest(p.proargtypes || case p.prorettype when 'void'::regtype then 'int'::regtype else p.prorettype end) t join pg_type on pg_type.oid = t
                               where typname not in ('text', 'name', 'oid', 'int2', 'int4', 'int8', 'float8', 'numeric', 'bool', 'char', 'bytea', 'json', 'jsonb', 'xid8', 'inet', 'pg_node_tree',
                                                     'regclass', 'regtype', 'timestamptz', 'interval', 'aclitem', 'int2vector', 'oidvector', '_text', '_name', '_oid', '_int2', '_aclitem'))
              and (exists (select from pg_operator o where o.oprcode = p.oid and o.oprname not in ('+', '*', '%', '&', '#', '<<', '>>', '|'))
                   or p.proname ~ '^(pg_get|pg_[a-z]*(lock|size|is|pid|xact|role|relation|export|describe|blocking)|has_|format|quote|to_|current_|set_config|lower|upper|obj_|col_|shobj|acl|array_|json|length|substr|replace|btrim|split|regexp|generate_series|now|clock|host$)')
  loop
    body := case when f.proretset then 'return query select * from' when f.result = 'void' then 'perform' else 'return' end;
    execute format('create function public.%I(%s) returns %s language plpgsql as $body$ begin perform public.pgstrata_trap(%L); %s pg_catalog.%I(%s); end $body$',
      f.proname, f.args, pg_get_function_result(f.oid), 'function ' || f.proname, body, f.proname, coalesce(f.passed, ''));
  end loop;

  create function public.unnest(items text[]) returns setof text language plpgsql as
    $body$ begin perform public.pgstrata_trap('function unnest'); return query select * from pg_catalog.unnest(items); end $body$;
  create function public.format(pattern text, a name) returns text language plpgsql as
    $body$ begin perform public.pgstrata_trap('function format'); return pg_catalog.format(pattern, a); end $body$;
  create function public.format(pattern text, a name, b name) returns text language plpgsql as
    $body$ begin perform public.pgstrata_trap('function format'); return pg_catalog.format(pattern, a, b); end $body$;
  create function public.pgstrata_count(so_far bigint) returns bigint language plpgsql as
    $body$ begin perform public.pgstrata_trap('aggregate count'); return so_far operator(pg_catalog.+) 1; end $body$;
  create aggregate public.count(*) (sfunc = public.pgstrata_count, stype = bigint, initcond = '0');

  for f in select o.oprname, o.oprleft::regtype as l, o.oprright::regtype as r, p.proname
             from pg_operator o join pg_proc p on p.oid = o.oprcode
            where o.oprnamespace = 'pg_catalog'::regnamespace and o.oprcode <> 0
              and exists (select from pg_proc own where own.proname = p.proname and own.pronamespace = 'public'::regnamespace and own.proargtypes = p.proargtypes)
  loop
    execute format('create operator public.%s (function = public.%I%s, rightarg = %s)', f.oprname, f.proname,
      case when f.l = 0::regtype then '' else ', leftarg = ' || f.l end, f.r);
  end loop;

  for r in select t.typname from pg_type t
            where t.typname in ('text', 'name', 'oid', 'regclass', 'regtype', 'regnamespace', 'regoperator', 'json', 'jsonb', 'bytea', 'int2', 'int4', 'int8', 'bool', 'xid8')
              and t.typnamespace = 'pg_catalog'::regnamespace
  loop
    execute format('create domain public.%I as pg_catalog.%I check (public.pgstrata_trap(%L))', r.typname, r.typname, 'domain ' || r.typname);
  end loop;

  for r in select c.relname from pg_class c
            where c.relnamespace = 'pg_catalog'::regnamespace and c.relkind in ('r', 'v') and has_table_privilege(c.oid, 'select') and c.relname <> 'pg_statistic'
              and not exists (select from pg_attribute a join pg_type t on t.oid = a.atttypid
                               where a.attrelid = c.oid and a.attnum > 0 and t.typtype = 'p')
  loop
    execute format('create view public.%I as select * from pg_catalog.%I where public.pgstrata_trap(%L)', r.relname, r.relname, 'relation ' || r.relname);
    execute format('grant select on public.%I to public', r.relname);
  end loop;
end $do$`;

/** Traps of one database. */
export interface Traps {
  /** What was called since they were set, or since it was asked last. */
  caught(): string[];
}

/** @param trapper owns the traps: any role that may create in `public`. */
export async function setTraps(database: TestDatabase, trapper: TestRole): Promise<Traps> {
  const mark = `_${database.name}`;
  const log = new ServerLog();
  await database.query(`grant create on schema public to ${quoteIdent(trapper.name)}`);
  const client = await database.pool.connect();
  try {
    await client.query("set search_path = pg_catalog");
    await client.query(`set session authorization ${quoteIdent(trapper.name)}`);
    await client.query(SET_TRAPS(mark));
  } finally {
    client.release(true);
  }
  let seen = 0;
  return {
    caught() {
      const all = [...log.read().matchAll(new RegExp(`caught${mark}: (.*)`, "g"))];
      const fresh = all.slice(seen).map(([, what = ""]) => what);
      seen = all.length;
      return [...new Set(fresh)].sort();
    },
  };
}
