/** Lints of row-level security: what policies do not hold for, and what they cost. */
import { z } from "zod";
import { readTree, type TreeNode } from "../nodeTree.ts";
import { policyCalls } from "../policyCalls.ts";
import { isAlwaysTrue, isTrueWithoutSetting, type TreeNames } from "../policyTruth.ts";
import type { Lint, Words } from "../rule.ts";

const policyDetail = z.object({
  alter: z.string(),
  qual: z.string().nullable(),
  check: z.string().nullable(),
  tree: z.string(),
  functions: z.array(z.object({ oid: z.string(), name: z.string() })),
});
type PolicyDetail = z.infer<typeof policyDetail>;

/** Functions that are worth not being called for each row: the user's own, and what reads a setting. */
const CALLS = `
  SELECT 'pg_policy' AS class, p.oid AS object, 0 AS part, p.relation, NULL AS found, NULL AS mend,
         pg_catalog.json_build_object(
           'alter', p.alter_policy, 'qual', p.qual, 'check', p.with_check,
           'tree', pg_catalog.concat(p.polqual::pg_catalog.text, ' ', p.polwithcheck::pg_catalog.text),
           'functions', pg_catalog.json_agg(pg_catalog.json_build_object(
             'oid', f.oid::pg_catalog.text,
             'name', CASE WHEN n.nspname = 'pg_catalog' THEN f.proname::pg_catalog.text ELSE pg_catalog.format('%I.%I', n.nspname, f.proname) END))) AS detail
  FROM policy AS p
  CROSS JOIN LATERAL (
    SELECT DISTINCT (m.match)[1]::pg_catalog.oid AS oid
    FROM pg_catalog.regexp_matches(pg_catalog.concat(p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text), ':funcid (\\d+)', 'g') AS m (match)
  ) AS called
  JOIN pg_catalog.pg_proc AS f ON f.oid = called.oid
  JOIN pg_catalog.pg_namespace AS n ON n.oid = f.pronamespace
  WHERE f.provolatile <> 'i' AND (n.nspname <> 'pg_catalog' OR f.proname = 'current_setting')
  GROUP BY p.oid, p.relation, p.alter_policy, p.qual, p.with_check, p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text`;

/** The names of functions that are called for each row, with a column as argument or without. */
function perRow({ tree, functions }: PolicyDetail, isOfColumn: boolean): string[] {
  const calls = policyCalls(tree).filter((call) => call.isOfColumn === isOfColumn && !call.isOnce);
  return functions.filter(({ oid }) => calls.some((call) => call.oid === oid)).map(({ name }) => name);
}

function callsPerRow(detail: unknown): Words | undefined {
  const policy = policyDetail.parse(detail);
  const names = perRow(policy, false);
  if (names.length === 0) return undefined;
  const call = new RegExp(`(?<![\\w.])(?:${names.map(escaped).join("|")})\\([^()]*\\)`, "g");
  const wrapped = (text: string | null): string => (text ?? "").replace(call, (each) => `(SELECT ${each})`);
  const clauses = [
    policy.qual === null ? "" : ` USING (${wrapped(policy.qual)})`,
    policy.check === null ? "" : ` WITH CHECK (${wrapped(policy.check)})`,
  ];
  return { found: `calls ${names.join(", ")} for each row`, mend: `${policy.alter}${clauses.join("")};` };
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

function callsOfColumn(detail: unknown): Words | undefined {
  const policy = policyDetail.parse(detail);
  const names = perRow(policy, true);
  if (names.length === 0) return undefined;
  return {
    found: `calls ${names.join(", ")} with a column of each row`,
    mend: `${policy.alter} USING (<column> IN (SELECT <a function that returns the keys that are allowed>));`,
  };
}

const truthDetail = z.object({
  found: z.string(),
  mend: z.string(),
  trees: z.array(z.string()),
  notNull: z.array(z.string()),
  settings: z.array(z.string()),
  strict: z.array(z.string()),
  comparisons: z.record(z.string(), z.string()),
});

/** Permissive policies with what their trees have only the numbers of. */
const truths = (found: string, mend: string, where: string): string => `
      SELECT 'pg_policy' AS class, p.oid AS object, 0 AS part, p.relation, NULL AS found, NULL AS mend,
             pg_catalog.json_build_object(
               'found', ${found}, 'mend', ${mend},
               'trees', pg_catalog.array_remove(ARRAY[p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text], NULL),
               'notNull', ARRAY(SELECT c.number::pg_catalog.text FROM own_column AS c WHERE c.relation = p.relation AND c.is_not_null),
               'settings', ARRAY(SELECT f.oid::pg_catalog.text FROM pg_catalog.pg_proc AS f WHERE f.pronamespace = 'pg_catalog'::pg_catalog.regnamespace AND f.proname = 'current_setting'),
               'strict', ARRAY(SELECT f.oid::pg_catalog.text FROM pg_catalog.pg_proc AS f WHERE f.proisstrict AND f.oid = ANY (${numbersOf("(?:funcid|opfuncid)")})),
               'comparisons', (SELECT coalesce(pg_catalog.json_object_agg(o.oid::pg_catalog.text, o.oprname), '{}') FROM pg_catalog.pg_operator AS o
                 WHERE o.oprnamespace = 'pg_catalog'::pg_catalog.regnamespace AND o.oprname IN ('=', '<>', '<', '>', '<=', '>=') AND o.oid = ANY (${numbersOf("opno")}))) AS detail
      FROM policy AS p WHERE p.is_permissive AND ${where}`;

const numbersOf = (field: string): string =>
  `ARRAY(SELECT (m.match)[1]::pg_catalog.oid FROM pg_catalog.regexp_matches(pg_catalog.concat(p.polqual::pg_catalog.text, p.polwithcheck::pg_catalog.text), ':${field} (\\d+)', 'g') AS m (match))`;

/** What is found where a condition of a policy is true as told. */
const trueWhere =
  (isTrue: (tree: TreeNode, names: TreeNames) => boolean) =>
  (detail: unknown): Words | undefined => {
    const { found, mend, trees, ...names } = truthDetail.parse(detail);
    const conditions = trees.map(readTree).filter((tree) => tree !== undefined);
    return conditions.some((tree) => isTrue(tree, names)) ? { found, mend } : undefined;
  };

/** Commands that a policy for ALL is about. */
const COMMANDS = "(VALUES ('r', 'SELECT'), ('a', 'INSERT'), ('w', 'UPDATE'), ('d', 'DELETE')) AS command (code, name)";

export const ROW_SECURITY: readonly Lint[] = [
  {
    code: "PGL101",
    name: "rls-disabled",
    level: "ERROR",
    why: "Roles other than the owner reach every row of a table without row-level security, where the other tables of its schema have it or PUBLIC has privileges on it.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation,
             pg_catalog.format('no row-level security, and privileges for %s', x.roles) AS found,
             pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', t.label) AS mend
      FROM own_table AS t JOIN reached AS x ON x.relation = t.oid
      WHERE NOT t.has_rls AND (x.by_public OR EXISTS (SELECT FROM own_table AS o WHERE o.schema = t.schema AND o.has_rls))
        AND NOT EXISTS (SELECT FROM policy AS p WHERE p.relation = t.oid)`,
  },
  {
    code: "PGL102",
    name: "policy-without-rls",
    level: "ERROR",
    why: "Policies do nothing until row-level security is enabled on their table.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation,
             pg_catalog.format('row-level security is disabled, and policies %s are there', pg_catalog.string_agg(p.name::pg_catalog.text, ', ' ORDER BY p.name)) AS found,
             pg_catalog.format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY;', t.label) AS mend
      FROM own_table AS t JOIN policy AS p ON p.relation = t.oid WHERE NOT t.has_rls GROUP BY t.oid, t.label`,
  },
  {
    code: "PGL103",
    name: "rls-without-policy",
    level: "INFO",
    why: "Without a policy no role but the owner sees a row, which may be meant or may be forgotten.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation, 'row-level security without a policy' AS found,
             pg_catalog.format('CREATE POLICY <name> ON %s FOR SELECT TO <role> USING (<condition>);', t.label) AS mend
      FROM own_table AS t WHERE t.has_rls AND NOT EXISTS (SELECT FROM policy AS p WHERE p.relation = t.oid)`,
  },
  {
    code: "PGL104",
    name: "several-permissive-policies",
    level: "WARNING",
    why: "Permissive policies of one command and role are joined by OR: each is evaluated for each row, and the widest decides.",
    find: `
      SELECT 'pg_class' AS class, p.relation AS object, 0 AS part, p.relation,
             pg_catalog.format('%s: policies %s', command.name, pg_catalog.string_agg(DISTINCT p.name::pg_catalog.text, ', ')) AS found,
             pg_catalog.format('DROP POLICY <name> ON %s; -- after its condition was joined to the other by OR', p.table_label) AS mend
      FROM policy AS p JOIN ${COMMANDS} ON p.command IN (command.code, '*')
      WHERE p.is_permissive AND EXISTS (
        SELECT FROM policy AS o
        WHERE o.relation = p.relation AND o.oid <> p.oid AND o.is_permissive AND o.command IN (command.code, '*')
          AND (o.roles && p.roles OR 0 = ANY (o.roles) OR 0 = ANY (p.roles)))
      GROUP BY p.relation, p.table_label, command.name`,
  },
  {
    code: "PGL105",
    name: "policy-calls-per-row",
    level: "WARNING",
    why: "A call whose result is the same for all rows is made once only if it is written as a subselect; else for each row that is read.",
    find: CALLS,
    refine: callsPerRow,
  },
  {
    code: "PGL106",
    name: "policy-calls-of-column",
    level: "INFO",
    why: "A function of a column is called for each row and hides the condition from the planner; a set of allowed keys is computed once and can use an index.",
    find: CALLS,
    refine: callsOfColumn,
  },
  {
    code: "PGL107",
    name: "policy-always-true",
    level: "WARNING",
    why: "A permissive policy whose condition is true for every row lets its roles write every row, as if there were no row-level security.",
    find: truths(
      "pg_catalog.format('%s for every row', CASE p.command WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE' ELSE 'every command' END)",
      "pg_catalog.format('%s %s (<condition>);', p.alter_policy, CASE p.command WHEN 'a' THEN 'WITH CHECK' ELSE 'USING' END)",
      "p.command <> 'r' AND NOT EXISTS (SELECT FROM policy AS o WHERE o.relation = p.relation AND NOT o.is_permissive AND o.command IN (p.command, '*'))",
    ),
    refine: trueWhere((tree, names) => isAlwaysTrue(tree, names)),
  },
  {
    code: "PGL108",
    name: "policy-trusts-user-metadata",
    level: "ERROR",
    why: "Users may edit their own metadata, so a policy that reads it lets them choose what they may see.",
    find: `
      SELECT 'pg_policy' AS class, p.oid AS object, 0 AS part, p.relation, 'reads metadata that users may edit' AS found,
             pg_catalog.format('%s USING (<a condition on what only the server writes, such as a table of memberships>);', p.alter_policy) AS mend
      FROM policy AS p WHERE pg_catalog.concat(p.qual, ' ', p.with_check) ~* '\\muser_?meta_?data\\M|\\mraw_user_meta_data\\M'`,
  },
  {
    code: "PGL109",
    name: "policy-true-without-context",
    level: "WARNING",
    why: "A condition such as “the setting is null or …” lets a session that has set nothing see every row.",
    find: truths(
      "'true for every row while a setting is null or empty'",
      "pg_catalog.format('%s USING (<the condition without the branch of the missing setting>);', p.alter_policy)",
      "pg_catalog.concat(p.qual, p.with_check) ~ '\\mcurrent_setting\\('",
    ),
    refine: trueWhere(isTrueWithoutSetting),
  },
  {
    code: "PGL110",
    name: "unindexed-policy-column",
    level: "INFO",
    why: "A policy is a condition of every query on its table: without an index that begins with its column each of them reads the whole table.",
    find: `
      SELECT DISTINCT ON (c.relation, c.number) 'pg_class' AS class, c.relation AS object, c.number::pg_catalog.int4 AS part, c.relation,
             pg_catalog.format('policy %s compares it, and no index begins with it', p.name) AS found,
             pg_catalog.format('CREATE INDEX %sON %s (%I);', CASE c.table_kind WHEN 'p' THEN '' ELSE 'CONCURRENTLY ' END, c.label, c.name) AS mend
      FROM policy AS p
      JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid
        AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid = p.relation
      JOIN own_column AS c ON c.relation = p.relation AND c.number = d.refobjsubid
      WHERE c.type <> 'pg_catalog.bool'::pg_catalog.regtype AND p.qual IS NOT NULL
        -- No index finds what a column is not.
        AND pg_catalog.strpos(
          pg_catalog.replace(p.qual, pg_catalog.quote_ident(c.name::pg_catalog.text) || ' <> ', ''), pg_catalog.quote_ident(c.name::pg_catalog.text)
        ) > 0
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_index AS i WHERE i.indrelid = c.relation AND i.indkey[0] = c.number AND i.indisvalid)
      ORDER BY c.relation, c.number, p.name`,
  },
  {
    code: "PGL111",
    name: "definer-view",
    level: "ERROR",
    why: "A view reads with its owner's rights unless it is security_invoker: every reader of it passes by the policies of its tables.",
    find: `
      SELECT 'pg_class' AS class, v.oid AS object, 0 AS part, v.oid AS relation,
             pg_catalog.format('shows %s the rows of %s by the rights of its owner', x.roles, s.tables) AS found,
             pg_catalog.format('ALTER VIEW %s SET (security_invoker = true);', v.label) AS mend
      FROM relation AS v JOIN reached AS x ON x.relation = v.oid JOIN reads_all AS s ON s.reader = v.oid
      WHERE v.kind = 'v' AND NOT EXISTS (
        SELECT FROM pg_catalog.unnest(v.options) AS o WHERE CASE WHEN pg_catalog.starts_with(o, 'security_invoker=') THEN pg_catalog.substr(o, 18)::pg_catalog.bool END)`,
  },
  {
    code: "PGL112",
    name: "materialized-view-exposed",
    level: "WARNING",
    why: "A materialized view cannot have row-level security: every reader of it sees the rows of all.",
    find: `
      SELECT 'pg_class' AS class, v.oid AS object, 0 AS part, v.oid AS relation,
             pg_catalog.format('readable for %s%s', x.roles, ', with rows of ' || s.tables) AS found,
             pg_catalog.format('REVOKE ALL ON %s FROM %s;', v.label, x.grantees) AS mend
      FROM relation AS v JOIN reached AS x ON x.relation = v.oid LEFT JOIN reads_all AS s ON s.reader = v.oid
      WHERE v.kind = 'm' AND (x.by_public OR s.reader IS NOT NULL)`,
  },
  {
    code: "PGL113",
    name: "foreign-table-exposed",
    level: "WARNING",
    why: "A foreign table cannot have row-level security, and is read with the credentials of its user mapping.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation,
             pg_catalog.format('a foreign table with privileges for %s', x.roles) AS found,
             pg_catalog.format('REVOKE ALL ON %s FROM %s;', t.label, x.grantees) AS mend
      FROM relation AS t JOIN reached AS x ON x.relation = t.oid
      WHERE t.kind = 'f' AND (x.by_public OR EXISTS (SELECT FROM own_table AS o WHERE o.schema = t.schema AND o.has_rls))`,
  },
];
