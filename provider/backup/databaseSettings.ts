/** What belongs to a database itself and no dump of it has: owner, privileges, settings, comment. */
import type { Pool } from "pg";
import { quoteIdent, quoteLiteral } from "../catalog/quote.ts";

const ABOUT = `
  select pg_catalog.pg_get_userbyid(datdba) as owner, datconnlimit as "limit", pg_catalog.shobj_description(oid, 'pg_database') as comment,
         datacl is null as "hasDefaults"
    from pg_catalog.pg_database where datname = $1`;
/** Of each grant: to whom (null for PUBLIC), what, and whether it may be handed on. */
const GRANTS = `
  select case when a.grantee = 0 then null else pg_catalog.pg_get_userbyid(a.grantee) end as grantee, a.privilege_type as privilege, a.is_grantable as "isGrantable"
    from pg_catalog.pg_database d, pg_catalog.aclexplode(d.datacl) as a where d.datname = $1`;
const SETTINGS = `
  select case when s.setrole = 0 then null else pg_catalog.pg_get_userbyid(s.setrole) end as role, c.setting
    from pg_catalog.pg_db_role_setting s, pg_catalog.pg_database d, pg_catalog.unnest(s.setconfig) as c (setting)
   where d.datname = $1 and s.setdatabase = d.oid`;

interface AboutRow {
  owner: string;
  limit: number;
  comment: string | null;
  hasDefaults: boolean;
}

interface GrantRow {
  grantee: string | null;
  privilege: string;
  isGrantable: boolean;
}

/** Settings whose value is a list of names, each of which is quoted by itself. */
const LISTS = new Set(["search_path", "temp_tablespaces", "session_preload_libraries", "local_preload_libraries"]);

/** Gives a database what another one of the same server has. */
export async function copySettings(pool: Pool, from: string, to: string): Promise<void> {
  const about = (await pool.query<AboutRow>(ABOUT, [from])).rows[0];
  if (about === undefined) return;
  const grants = (await pool.query<GrantRow>(GRANTS, [from])).rows;
  const settings = (await pool.query<{ role: string | null; setting: string }>(SETTINGS, [from])).rows;
  const database = quoteIdent(to);
  const statements = [
    ...settings.map(({ role, setting }) => {
      const name = setting.slice(0, setting.indexOf("="));
      const value = setting.slice(name.length + 1);
      const whose = role === null ? `database ${database}` : `role ${quoteIdent(role)} in database ${database}`;
      // A list is kept as its text, quotes of names included.
      const written = LISTS.has(name) && value !== "" ? value : quoteLiteral(value);
      return `alter ${whose} set ${quoteIdent(name)} to ${written}`;
    }),
    ...(about.hasDefaults ? [] : grantsOf(grants, database)),
    ...(about.comment === null ? [] : [`comment on database ${database} is ${quoteLiteral(about.comment)}`]),
    ...(about.limit === -1 ? [] : [`alter database ${database} with connection limit ${about.limit}`]),
    `alter database ${database} owner to ${quoteIdent(about.owner)}`,
  ];
  for (const statement of statements) await pool.query(statement);
}

function grantsOf(grants: readonly GrantRow[], database: string): string[] {
  const given = grants.map(({ grantee, privilege, isGrantable }) => {
    const option = isGrantable ? " with grant option" : "";
    return `grant ${privilege} on database ${database} to ${grantee === null ? "public" : quoteIdent(grantee)}${option}`;
  });
  return [`revoke all on database ${database} from public`, ...given];
}
