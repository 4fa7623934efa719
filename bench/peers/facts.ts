import pg from "pg";

/** One thing that the catalog says. */
export interface Fact {
  /** In the plural. */
  kind: string;
  name: string;
  definition: string;
}

/**
 * Everything in the given schemas, and the comments and grants on it. Identity, not order: a column's place
 * does not count.
 */
const FACTS = `
with spaces as (select oid, nspname, nspacl, nspowner from pg_namespace where nspname = any ($1)),
     relations as (select c.*, n.nspname || '.' || relname as full_name from pg_class c join spaces n on n.oid = relnamespace),
     tables as (select * from relations where relkind in ('r', 'p')),
     functions as (select p.*, p.oid::regprocedure::text as full_name from pg_proc p join spaces n on n.oid = pronamespace),
     grants as (
       select full_name, coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)) as acl
         from relations where relkind in ('r', 'p', 'v', 'm', 'S')
       union all select full_name, coalesce(proacl, acldefault('f', proowner)) from functions
       union all select nspname, coalesce(nspacl, acldefault('n', nspowner)) from spaces
       union all select full_name || '.' || attname, attacl from relations r join pg_attribute a on a.attrelid = r.oid where attacl is not null)
select 'schemas' as kind, nspname::text as name, '' as definition from spaces
union all select 'tables', full_name, relpersistence::text from tables
union all select 'columns', full_name || '.' || attname,
    concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attgenerated, attidentity, pg_get_expr(adbin, adrelid))
  from tables t join pg_attribute a on a.attrelid = t.oid and attnum > 0 and not attisdropped
       left join pg_attrdef d on d.adrelid = t.oid and d.adnum = attnum
union all select 'constraints', full_name || '.' || conname, pg_get_constraintdef(k.oid)
  from pg_constraint k join tables t on t.oid = conrelid where contype <> 'n'
union all select 'indexes', r.full_name, pg_get_indexdef(r.oid) from relations r where relkind = 'i'
union all select 'views', full_name, concat(relkind, pg_get_viewdef(oid), reloptions) from relations where relkind in ('v', 'm')
union all select 'functions', full_name, pg_get_functiondef(oid) from functions where prokind in ('f', 'p')
union all select 'triggers', full_name || '.' || tgname, pg_get_triggerdef(g.oid)
  from pg_trigger g join relations r on r.oid = tgrelid where not tgisinternal
union all select 'tables with row security', full_name, relforcerowsecurity::text from tables where relrowsecurity
union all select 'policies', full_name || '.' || polname,
    concat_ws(' ', polpermissive, polcmd, polroles::regrole[], pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid))
  from pg_policy p join tables t on t.oid = polrelid
union all select 'types', n.nspname || '.' || typname, concat(typtype, (select string_agg(enumlabel, ',' order by enumsortorder) from pg_enum where enumtypid = t.oid))
  from pg_type t join spaces n on n.oid = typnamespace where typtype in ('e', 'd', 'r')
union all select 'sequences', full_name, '' from relations where relkind = 'S'
union all select 'grants', full_name || ' ' || grantee::regrole || ' ' || privilege_type, is_grantable::text
  from grants cross join aclexplode(acl)
union all select 'comments', pg_describe_object(classoid, objoid, objsubid), description from pg_description
 where (classoid, objoid) in (select 'pg_class'::regclass, oid from relations union all select 'pg_proc'::regclass, oid from functions
                              union all select 'pg_namespace'::regclass, oid from spaces)
union all select 'extensions', extname, nspname from pg_extension e join pg_namespace n on n.oid = extnamespace where extname <> 'plpgsql'`;

/** What a database holds in these schemas. */
export async function factsOf(url: string, schemas: readonly string[]): Promise<Fact[]> {
  return (await query<Fact>(url, FACTS, [schemas])).map((fact) => ({ ...fact }));
}

/**
 * Runs SQL in a connection of its own. Without values it may be several statements; the rows are then the
 * last one's.
 */
export async function query<Row extends pg.QueryResultRow>(
  url: string,
  sql: string,
  values?: readonly unknown[],
): Promise<Row[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query<Row>(sql, values === undefined ? undefined : [...values])).rows;
  } finally {
    await client.end();
  }
}

/** The facts that are not among the others. */
export function without(facts: readonly Fact[], others: readonly Fact[]): Fact[] {
  const known = new Set(others.map(keyOf));
  return facts.filter((fact) => !known.has(keyOf(fact)));
}

/** How one database differs from another, as phrases such as `policies: 26 missing`. Empty: not at all. */
export function differences(desired: readonly Fact[], found: readonly Fact[]): string[] {
  const definitions = new Map(found.map((fact) => [keyOf(fact), fact.definition]));
  const kinds = [...new Set([...desired, ...found].map(({ kind }) => kind))];
  return kinds.flatMap((kind) => {
    const ofKind = (facts: readonly Fact[]): Fact[] => facts.filter((fact) => fact.kind === kind);
    const counts = {
      missing: without(ofKind(desired), found).length,
      "too many": without(ofKind(found), desired).length,
      different: ofKind(desired).filter((fact) => (definitions.get(keyOf(fact)) ?? fact.definition) !== fact.definition)
        .length,
    };
    return Object.entries(counts).flatMap(([what, count]) => (count > 0 ? [`${kind}: ${count} ${what}`] : []));
  });
}

function keyOf({ kind, name }: Fact): string {
  return JSON.stringify([kind, name]);
}
