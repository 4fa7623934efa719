/** Operators, and the families and classes that tell access methods of them. */
import type { PayloadValue } from "../pgDelta.ts";
import { type Alter, hasOwn, type ObjectKind, SELF, text, texts } from "./kind.ts";

const operatorName = (oid: string): string =>
  `(select pg_catalog.format('OPERATOR(%I.%s)', n.nspname, p.oprname) from pg_catalog.pg_operator p
             join pg_catalog.pg_namespace n on n.oid = p.oprnamespace where p.oid = ${oid})`;

const typeName = (oid: string): string => `pg_catalog.format_type(nullif(${oid}, 0::pg_catalog.oid), null)`;

const functionName = (oid: string): string => `nullif(${oid}, 0::pg_catalog.oid)::pg_catalog.regproc`;

/** From version 17 on what the planner may assume can be added, never taken back. */
const addedLater =
  (word: string): Alter =>
  (key, from, to, { majorVersion }) => {
    if (majorVersion < 17 || (from !== null && from !== false)) return undefined;
    return [`ALTER OPERATOR ${key} SET (${word}${to === true ? "" : ` = ${text(to)}`})`];
  };

const estimator =
  (word: string): Alter =>
  (key, _, to) => [`ALTER OPERATOR ${key} SET (${word} = ${to === null ? "NONE" : text(to)})`];

/** Without those that another one only names so far. */
const operator: ObjectKind = {
  name: "operator",
  isThere: hasOwn("pg_operator"),
  query: `
    select 'operator', 'pg_catalog.pg_operator'::pg_catalog.regclass, o.oid, o.oprowner, ${SELF},
           pg_catalog.json_build_object('_name', pg_catalog.format('%I.%s', n.nspname, o.oprname), 'function', o.oprcode::pg_catalog.regproc,
             '_left', ${typeName("o.oprleft")}, '_right', ${typeName("o.oprright")},
             'commutator', ${operatorName("o.oprcom")}, 'negator', ${operatorName("o.oprnegate")}, 'restrict', ${functionName("o.oprrest")},
             'join', ${functionName("o.oprjoin")}, 'hashes', o.oprcanhash, 'merges', o.oprcanmerge)
      from pg_catalog.pg_operator o join pg_catalog.pg_namespace n on n.oid = o.oprnamespace where o.oprcode <> 0`,
  create: (_, payload) => {
    const said: [string, PayloadValue | undefined][] = [
      ["FUNCTION", payload.function],
      ["LEFTARG", payload._left],
      ["RIGHTARG", payload._right],
      ["COMMUTATOR", payload.commutator],
      ["NEGATOR", payload.negator],
      ["RESTRICT", payload.restrict],
      ["JOIN", payload.join],
    ];
    const parts = said.flatMap(([word, value]) => (typeof value === "string" ? [`${word} = ${value}`] : []));
    if (payload.hashes === true) parts.push("HASHES");
    if (payload.merges === true) parts.push("MERGES");
    return [`CREATE OPERATOR ${text(payload._name)} (${parts.join(", ")})`];
  },
  alter: {
    restrict: estimator("RESTRICT"),
    join: estimator("JOIN"),
    commutator: addedLater("COMMUTATOR"),
    negator: addedLater("NEGATOR"),
    hashes: addedLater("HASHES"),
    merges: addedLater("MERGES"),
  },
  recreate: ["function"],
};

/** Operators and functions of a class or a family, as SQL lists them. */
const members = (
  catalog: string,
): string => `(select coalesce(pg_catalog.json_agg(m.member order by m.member), '[]') from (
             select 'OPERATOR ' || a.amopstrategy || ' ' || a.amopopr::pg_catalog.regoperator || case when a.amopsortfamily = 0 then '' else ' FOR ORDER BY '
                    || (select pg_catalog.format('%I.%I', fn.nspname, f.opfname) from pg_catalog.pg_opfamily f
                        join pg_catalog.pg_namespace fn on fn.oid = f.opfnamespace where f.oid = a.amopsortfamily) end as member
               from pg_catalog.pg_depend d join pg_catalog.pg_amop a on a.oid = d.objid
              where d.classid = 'pg_catalog.pg_amop'::pg_catalog.regclass and d.refclassid = 'pg_catalog.${catalog}'::pg_catalog.regclass and d.refobjid = o.oid
             union all
             select 'FUNCTION ' || a.amprocnum || ' (' || ${typeName("a.amproclefttype")} || ', ' || ${typeName("a.amprocrighttype")} || ') '
                    || a.amproc::pg_catalog.regprocedure
               from pg_catalog.pg_depend d join pg_catalog.pg_amproc a on a.oid = d.objid
              where d.classid = 'pg_catalog.pg_amproc'::pg_catalog.regclass and d.refclassid = 'pg_catalog.${catalog}'::pg_catalog.regclass and d.refobjid = o.oid) m)`;

/** How a family names a member to drop it: by its number and types. */
function asDropped(member: string): string {
  const [, kind = "", number = ""] = /^(OPERATOR|FUNCTION) (\d+) /.exec(member) ?? [];
  if (kind === "FUNCTION") return `FUNCTION ${number} ${/\(.*?\)(?= )/.exec(member)?.[0] ?? ""}`;
  const types = member.replace(/ FOR ORDER BY .*$/, "");
  return `OPERATOR ${number} ${types.slice(types.lastIndexOf("("))}`;
}

const family: ObjectKind = {
  name: "operator family",
  isThere: hasOwn("pg_opfamily"),
  query: `
    select 'operator family', 'pg_catalog.pg_opfamily'::pg_catalog.regclass, o.oid, o.opfowner, ${SELF},
           pg_catalog.json_build_object('members', ${members("pg_opfamily")})
      from pg_catalog.pg_opfamily o`,
  create: (key, payload) => [
    `CREATE OPERATOR FAMILY ${key}`,
    ...(texts(payload.members).length === 0
      ? []
      : [`ALTER OPERATOR FAMILY ${key} ADD ${texts(payload.members).join(", ")}`]),
  ],
  alter: {
    members: (key, from, to) => {
      const [before, after] = [texts(from), texts(to)];
      const gone = before.filter((member) => !after.includes(member)).map(asDropped);
      const added = after.filter((member) => !before.includes(member));
      return [
        ...(gone.length === 0 ? [] : [`ALTER OPERATOR FAMILY ${key} DROP ${gone.join(", ")}`]),
        ...(added.length === 0 ? [] : [`ALTER OPERATOR FAMILY ${key} ADD ${added.join(", ")}`]),
      ];
    },
  },
};

const operatorClass: ObjectKind = {
  name: "operator class",
  isThere: hasOwn("pg_opclass"),
  query: `
    select 'operator class', 'pg_catalog.pg_opclass'::pg_catalog.regclass, o.oid, o.opcowner, ${SELF},
           pg_catalog.json_build_object('_name', pg_catalog.format('%I.%I', n.nspname, o.opcname), '_method', (select pg_catalog.quote_ident(a.amname)
             from pg_catalog.pg_am a where a.oid = o.opcmethod), 'isDefault', o.opcdefault, 'type', ${typeName("o.opcintype")},
             'family', (select pg_catalog.format('%I.%I', fn.nspname, f.opfname) from pg_catalog.pg_opfamily f
               join pg_catalog.pg_namespace fn on fn.oid = f.opfnamespace where f.oid = o.opcfamily),
             'storage', ${typeName("o.opckeytype")}, 'members', ${members("pg_opclass")})
      from pg_catalog.pg_opclass o join pg_catalog.pg_namespace n on n.oid = o.opcnamespace`,
  create: (_, payload) => {
    const isDefault = payload.isDefault === true ? " DEFAULT" : "";
    const storage = typeof payload.storage === "string" ? [`STORAGE ${payload.storage}`] : [];
    const parts = [...storage, ...texts(payload.members)];
    // SQL wants one at least, and the type itself is what is stored without it.
    const listed = parts.length === 0 ? [`STORAGE ${text(payload.type)}`] : parts;
    return [
      `CREATE OPERATOR CLASS ${text(payload._name)}${isDefault} FOR TYPE ${text(payload.type)} USING ${text(payload._method)} FAMILY ${text(payload.family)} AS ${listed.join(", ")}`,
    ];
  },
  recreate: ["isDefault", "type", "family", "storage", "members"],
};

export const operators: ObjectKind[] = [operator, family, operatorClass];
