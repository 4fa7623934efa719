import type { ClientBase } from "pg";

/** What a server printed of one object, and of those made from each print in turn. */
export interface Prints {
  kind: string;
  name: string;
  prints: string[];
  /** Why no object could be made from the last print. */
  fault: string | null;
}

/** How many objects are made from prints, one from the print of the other. */
export const ROUNDS = 3;

const OURS = "n.nspname in ('app', 'Odd Schema')";
const CLASS = "pg_class c join pg_namespace n on n.oid = c.relnamespace";

/**
 * Where a definition stands: the print of it, the statement that makes another one (`%s` is for the print),
 * and the query that prints that one. A print that holds the object's name is printed with the name of the
 * other one.
 */
const PLACES: readonly string[] = [
  `select 'constraint', k.conname, pg_get_constraintdef(k.oid), format('alter table %s add constraint zz_again ', k.conrelid::regclass) || '%s',
          format('select pg_get_constraintdef(oid) from pg_constraint where conname = ''zz_again'' and conrelid = %s', k.conrelid)
     from pg_constraint k join ${CLASS} on c.oid = k.conrelid where ${OURS} and k.contype in ('c', 'x') and k.conislocal`,
  `select 'domain check', k.conname, pg_get_constraintdef(k.oid), format('alter domain %s add constraint zz_again ', k.contypid::regtype) || '%s',
          format('select pg_get_constraintdef(oid) from pg_constraint where conname = ''zz_again'' and contypid = %s', k.contypid)
     from pg_constraint k join pg_type t on t.oid = k.contypid join pg_namespace n on n.oid = t.typnamespace where ${OURS} and k.contype = 'c'`,
  `select 'domain default', t.typname, pg_get_expr(t.typdefaultbin, 0), format('alter domain %s set default ', t.oid::regtype) || '%s',
          format('select pg_get_expr(typdefaultbin, 0) from pg_type where oid = %s', t.oid)
     from pg_type t join pg_namespace n on n.oid = t.typnamespace where ${OURS} and t.typtype = 'd' and t.typdefaultbin is not null`,
  `select case when a.attgenerated = '' then 'default' else 'generated' end, c.relname || '.' || a.attname, pg_get_expr(d.adbin, d.adrelid),
          format('alter table %s add column zz_again %s ', c.oid::regclass, format_type(a.atttypid, a.atttypmod)) ||
            case a.attgenerated when '' then 'default %s' when 's' then 'generated always as (%s) stored' else 'generated always as (%s) virtual' end,
          format('select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attname = ''zz_again'' and d.adrelid = %s', c.oid)
     from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum join ${CLASS} on c.oid = a.attrelid
    where ${OURS} and c.relkind in ('r', 'p') and not c.relispartition`,
  `select 'index', c.relname, replace(pg_get_indexdef(c.oid), ' INDEX ' || quote_ident(c.relname) || ' ON ', ' INDEX zz_again ON '), '%s',
          format('select pg_get_indexdef(oid) from pg_class where relname = ''zz_again'' and relnamespace = %s', n.oid)
     from ${CLASS} where ${OURS} and c.relkind = 'i' and not exists (select from pg_constraint k where k.conindid = c.oid)`,
  `select case c.relkind when 'v' then 'view' else 'materialized view' end, c.relname, rtrim(pg_get_viewdef(c.oid), ';'), 'create ' || case c.relkind when 'v' then '' else 'materialized ' end || 'view app.zz_again as %s' || case c.relkind when 'v' then '' else ' with no data' end,
          'select rtrim(pg_get_viewdef(''app.zz_again''::regclass), '';'')'
     from ${CLASS} where ${OURS} and c.relkind in ('v', 'm')`,
  `select 'trigger', t.tgname, replace(pg_get_triggerdef(t.oid), 'TRIGGER ' || quote_ident(t.tgname) || ' ', 'TRIGGER zz_again '), '%s',
          format('select pg_get_triggerdef(oid) from pg_trigger where tgname = ''zz_again'' and tgrelid = %s', t.tgrelid)
     from pg_trigger t join ${CLASS} on c.oid = t.tgrelid where ${OURS} and not t.tgisinternal`,
  `select 'rule', r.rulename, replace(pg_get_ruledef(r.oid), 'CREATE RULE ' || quote_ident(r.rulename) || ' AS', 'CREATE RULE zz_again AS'), '%s',
          format('select pg_get_ruledef(oid) from pg_rewrite where rulename = ''zz_again'' and ev_class = %s', r.ev_class)
     from pg_rewrite r join ${CLASS} on c.oid = r.ev_class where ${OURS} and r.rulename <> '_RETURN'`,
  `select 'policy using', p.polname, pg_get_expr(p.polqual, p.polrelid), format('create policy zz_again on %s using (', c.oid::regclass) || '%s)',
          format('select pg_get_expr(polqual, polrelid) from pg_policy where polname = ''zz_again'' and polrelid = %s', c.oid)
     from pg_policy p join ${CLASS} on c.oid = p.polrelid where ${OURS} and p.polqual is not null`,
  `select 'policy check', p.polname, pg_get_expr(p.polwithcheck, p.polrelid), format('create policy zz_again on %s with check (', c.oid::regclass) || '%s)',
          format('select pg_get_expr(polwithcheck, polrelid) from pg_policy where polname = ''zz_again'' and polrelid = %s', c.oid)
     from pg_policy p join ${CLASS} on c.oid = p.polrelid where ${OURS} and p.polwithcheck is not null`,
  `select 'function', p.proname, pg_get_functiondef(p.oid), '%s', format('select pg_get_functiondef(%s)', p.oid)
     from pg_proc p join pg_namespace n on n.oid = p.pronamespace where ${OURS} and p.prosqlbody is not null
      and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')`,
  `select 'partition key', c.relname, pg_get_partkeydef(c.oid), format('create table app.zz_again (like %s) partition by ', c.oid::regclass) || '%s',
          'select pg_get_partkeydef(''app.zz_again''::regclass)'
     from ${CLASS} where ${OURS} and c.relkind = 'p'`,
  `select 'bound', c.relname, pg_get_expr(c.relpartbound, c.oid),
          format('create table app.zz_parent (like %s) partition by %s; create table app.zz_again partition of app.zz_parent ', i.inhparent::regclass, pg_get_partkeydef(i.inhparent)) || '%s',
          'select pg_get_expr(relpartbound, oid) from pg_class where relname = ''zz_again'''
     from ${CLASS} join pg_inherits i on i.inhrelid = c.oid where ${OURS} and c.relkind = 'r' and c.relispartition`,
  `select 'publication', p.pubname, pg_get_expr(r.prqual, r.prrelid), format('create publication zz_again for table %s where (', r.prrelid::regclass) || '%s)',
          'select pg_get_expr(r.prqual, r.prrelid) from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where p.pubname = ''zz_again'''
     from pg_publication_rel r join pg_publication p on p.oid = r.prpubid where r.prqual is not null`,
];

/** On the server, because that asks for each object many times. Each object made is taken back at once. */
const FUNCTION = `
create function pg_temp.prints() returns table (kind text, name text, prints text[], fault text) language plpgsql
set search_path = pg_catalog as $body$
declare
  place record;
  again text;
begin
  for place in ${PLACES.map((place) => `(${place})`).join("\n    union all ")}
  as t(kind, name, print, make, read) loop
    kind := place.kind; name := place.name; prints := array[place.print]; fault := null;
    for round in 1..${ROUNDS} loop
      begin
        execute replace(place.make, '%s', prints[round]);
        execute place.read into again;
        raise exception using errcode = 'ZZ001';
      exception
        when sqlstate 'ZZ001' then prints := prints || again;
        when others then fault := sqlerrm; exit;
      end;
      exit when again = prints[round];
    end loop;
    return next;
  end loop;
end $body$`;

/** All that the schemas hold and that a server prints, read in a transaction in which the schemas lie. */
export async function readPrints(client: ClientBase): Promise<Prints[]> {
  await client.query(
    FUNCTION.replace("for place in (", "for place in select * from ((").replace("as t(kind", ") as t(kind"),
  );
  const { rows } = await client.query<Prints>("select * from pg_temp.prints()");
  return rows;
}

/** Whether making the object from its print gives the same print. */
export const isSettled = ({ prints, fault }: Prints): boolean => fault === null && prints[0] === prints[1];

/** Whether a text speaks of the object of this print; names of columns stand behind their table's. */
export const speaksOf = (text: string, { name }: Prints): boolean =>
  [name, ...name.split(".")].some(
    (part) => part !== "" && (text.includes(part) || text.includes(part.replaceAll('"', '""'))),
  );
