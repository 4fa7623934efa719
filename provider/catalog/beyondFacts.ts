/** Objects of a database that have no facts, so that a copy made from facts lacks them. */
import type { Pool } from "pg";

/** Oids below are of objects that each database has from the beginning. */
const FIRST_OWN_OID = 16_384;

/** One row a kind: how many there are that belong to no extension. */
const BEYOND_FACTS = `
  with own as (
    select 'operators' as kind, 'pg_catalog.pg_operator'::pg_catalog.regclass as classid, oid from pg_catalog.pg_operator
    union all select 'operator classes', 'pg_catalog.pg_opclass'::pg_catalog.regclass, oid from pg_catalog.pg_opclass
    union all select 'casts', 'pg_catalog.pg_cast'::pg_catalog.regclass, oid from pg_catalog.pg_cast
    union all select 'text search configurations', 'pg_catalog.pg_ts_config'::pg_catalog.regclass, oid from pg_catalog.pg_ts_config
    union all select 'text search dictionaries', 'pg_catalog.pg_ts_dict'::pg_catalog.regclass, oid from pg_catalog.pg_ts_dict
    union all select 'extended statistics', 'pg_catalog.pg_statistic_ext'::pg_catalog.regclass, oid from pg_catalog.pg_statistic_ext
    union all select 'conversions', 'pg_catalog.pg_conversion'::pg_catalog.regclass, oid from pg_catalog.pg_conversion
    union all select 'languages', 'pg_catalog.pg_language'::pg_catalog.regclass, oid from pg_catalog.pg_language
    union all select 'access methods', 'pg_catalog.pg_am'::pg_catalog.regclass, oid from pg_catalog.pg_am
  )
  select own.kind, pg_catalog.count(*)::pg_catalog.int4 as count
    from own
   where own.oid >= ${FIRST_OWN_OID}
     and not exists (select 1 from pg_catalog.pg_depend d
                      where d.classid = own.classid and d.objid = own.oid and d.deptype = 'e')
   group by own.kind order by own.kind`;

/** Such as `operators (2)`; empty where facts tell of all. */
export async function objectsBeyondFacts(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ kind: string; count: number }>(BEYOND_FACTS);
  return rows.map(({ kind, count }) => `${kind} (${count})`);
}
