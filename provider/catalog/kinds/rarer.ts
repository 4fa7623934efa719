/** Casts, conversions, languages with their privileges, transforms, access methods. */
import { quoteIdent, quoteLiteral } from "../quote.ts";
import { hasOwn, type ObjectKind, PART, SELF, splitName, text } from "./kind.ts";

const cast: ObjectKind = {
  name: "cast",
  isThere: hasOwn("pg_cast"),
  query: `
    select 'cast', 'pg_catalog.pg_cast'::pg_catalog.regclass, o.oid, 0::pg_catalog.oid, ${SELF},
           pg_catalog.json_build_object('means', case o.castmethod when 'f' then 'WITH FUNCTION ' || o.castfunc::pg_catalog.regprocedure
             when 'i' then 'WITH INOUT' else 'WITHOUT FUNCTION' end,
             'context', case o.castcontext when 'a' then ' AS ASSIGNMENT' when 'i' then ' AS IMPLICIT' else '' end)
      from pg_catalog.pg_cast o`,
  create: (key, { means, context }) => [`CREATE CAST ${key} ${text(means)}${text(context)}`],
  recreate: ["means", "context"],
};

const conversion: ObjectKind = {
  name: "conversion",
  isThere: hasOwn("pg_conversion"),
  query: `
    select 'conversion', 'pg_catalog.pg_conversion'::pg_catalog.regclass, o.oid, o.conowner, ${SELF},
           pg_catalog.json_build_object('isDefault', o.condefault, 'from', pg_catalog.pg_encoding_to_char(o.conforencoding),
             'to', pg_catalog.pg_encoding_to_char(o.contoencoding), 'function', o.conproc)
      from pg_catalog.pg_conversion o`,
  create: (key, payload) => [
    `CREATE${payload.isDefault === true ? " DEFAULT" : ""} CONVERSION ${key} FOR ${quoteLiteral(text(payload.from))} TO ${quoteLiteral(text(payload.to))} FROM ${text(payload.function)}`,
  ],
  recreate: ["isDefault", "from", "to", "function"],
};

const language: ObjectKind = {
  name: "language",
  isThere: hasOwn("pg_language"),
  query: `
    select 'language', 'pg_catalog.pg_language'::pg_catalog.regclass, o.oid, o.lanowner, ${SELF},
           pg_catalog.json_build_object('isTrusted', o.lanpltrusted, 'functions', pg_catalog.concat_ws(' ', 'HANDLER ' || o.lanplcallfoid::pg_catalog.regproc,
             'INLINE ' || nullif(o.laninline, 0::pg_catalog.oid)::pg_catalog.regproc,
             'VALIDATOR ' || nullif(o.lanvalidator, 0::pg_catalog.oid)::pg_catalog.regproc))
      from pg_catalog.pg_language o where o.lanispl`,
  create: (key, payload) => [
    `CREATE${payload.isTrusted === true ? " TRUSTED" : ""} LANGUAGE ${key} ${text(payload.functions)}`,
  ],
  recreate: ["isTrusted", "functions"],
};

function granting(key: string, privilege: string): string[] {
  const [name = "", grantee = ""] = splitName(key);
  const [on, role] = [`ON LANGUAGE ${quoteIdent(name)}`, grantee === "PUBLIC" ? grantee : quoteIdent(grantee)];
  const option = privilege === "grantable" ? " WITH GRANT OPTION" : "";
  return [`REVOKE ALL ${on} FROM ${role}`, ...(privilege === "" ? [] : [`GRANT USAGE ${on} TO ${role}${option}`])];
}

const PRIVILEGES = (acl: string): string =>
  `(select e.grantee, case when pg_catalog.bool_or(e.is_grantable) then 'grantable' else 'usage' end as privilege from pg_catalog.aclexplode(${acl}) e group by 1)`;

/** One a role whose privilege is not the one that comes with the language. */
const languagePrivileges: ObjectKind = {
  name: "privileges on language",
  base: "any",
  isThere: "exists (select from pg_catalog.pg_language where lanacl is not null)",
  query: `
    select 'privileges on language', ${PART}, pg_catalog.format('%I.%s', o.lanname, case when p.grantee = 0 then 'PUBLIC'
             else pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(p.grantee)) end), 'pg_catalog.pg_language'::pg_catalog.regclass, o.oid, 0,
           pg_catalog.json_build_object('privilege', p.privilege, '_default', p.initial)
      from pg_catalog.pg_language o cross join lateral (
        select grantee, coalesce(now.privilege, '') as privilege, coalesce(initial.privilege, '') as initial
          from ${PRIVILEGES("o.lanacl")} now full join ${PRIVILEGES("pg_catalog.acldefault('l', o.lanowner)")} initial using (grantee)) p
     where o.lanacl is not null and p.privilege <> p.initial and p.grantee <> o.lanowner`,
  create: (key, payload) => granting(key, text(payload.privilege)),
  drop: (key, payload) => granting(key, text(payload._default)).at(-1) ?? "",
  alter: { privilege: (key, _, to) => granting(key, text(to)) },
};

const transform: ObjectKind = {
  name: "transform",
  isThere: hasOwn("pg_transform"),
  query: `
    select 'transform', 'pg_catalog.pg_transform'::pg_catalog.regclass, o.oid, 0::pg_catalog.oid, ${SELF},
           pg_catalog.json_build_object('functions', pg_catalog.concat_ws(', ',
             'FROM SQL WITH FUNCTION ' || nullif(o.trffromsql, 0::pg_catalog.oid)::pg_catalog.regprocedure,
             'TO SQL WITH FUNCTION ' || nullif(o.trftosql, 0::pg_catalog.oid)::pg_catalog.regprocedure))
      from pg_catalog.pg_transform o`,
  create: (key, { functions }) => [`CREATE TRANSFORM ${key} (${text(functions)})`],
  recreate: ["functions"],
};

const accessMethod: ObjectKind = {
  name: "access method",
  isThere: hasOwn("pg_am"),
  query: `
    select 'access method', 'pg_catalog.pg_am'::pg_catalog.regclass, o.oid, 0::pg_catalog.oid, ${SELF},
           pg_catalog.json_build_object('type', case o.amtype when 't' then 'TABLE' else 'INDEX' end, 'handler', o.amhandler)
      from pg_catalog.pg_am o`,
  create: (key, { type, handler }) => [`CREATE ACCESS METHOD ${key} TYPE ${text(type)} HANDLER ${text(handler)}`],
  recreate: ["type", "handler"],
};

export const rarer: ObjectKind[] = [cast, conversion, language, languagePrivileges, transform, accessMethod];
