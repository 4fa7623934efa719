/** Lints of types and definitions that work today and are hard to leave. */
import type { Lint } from "../rule.ts";

/** A lint of columns by their type. */
const columns = (where: string, found: string, mend: string): string => `
      SELECT 'pg_class' AS class, c.relation AS object, c.number::pg_catalog.int4 AS part, c.relation,
             pg_catalog.format(${found}, c.type_name) AS found, ${mend} AS mend
      FROM own_column AS c WHERE NOT c.is_inherited AND (${where})`;

/** Sequences that count a column `c` up: that of its identity, those that it owns, those of its default. */
const COUNTERS = `(
        SELECT d.objid AS sequence FROM pg_catalog.pg_depend AS d
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
          AND d.refobjid = c.relation AND d.refobjsubid = c.number AND d.deptype IN ('a', 'i')
        UNION
        SELECT d.refobjid FROM pg_catalog.pg_attrdef AS f
        JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.objid = f.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        WHERE f.adrelid = c.relation AND f.adnum = c.number)`;

/** Types of columns that can be an identity, the small ones first. */
const SMALL = "'pg_catalog.int2'::pg_catalog.regtype, 'pg_catalog.int4'::pg_catalog.regtype";
const BIG = "'pg_catalog.int8'::pg_catalog.regtype";

/** The options of a serial column's sequence `q` that an identity does not have by itself. */
const OPTIONS = `pg_catalog.concat_ws(' ',
               CASE WHEN q.seqincrement <> 1 THEN 'INCREMENT BY ' || q.seqincrement END, CASE WHEN q.seqmin <> 1 THEN 'MINVALUE ' || q.seqmin END,
               CASE WHEN q.seqmax < c.most THEN 'MAXVALUE ' || q.seqmax END, CASE WHEN q.seqstart <> 1 THEN 'START WITH ' || q.seqstart END,
               CASE WHEN q.seqcache <> 1 THEN 'CACHE ' || q.seqcache END, CASE WHEN q.seqcycle THEN 'CYCLE' END)`;

/**
 * Serial columns: their default is the next number of a sequence of their own that no other default has. An
 * identity is not inherited, and servers before 17 do not give it to partitions.
 */
const SERIAL = `
      SELECT c.*, s.oid AS sequence, pg_catalog.format('%I.%I', n.nspname, s.relname) AS sequence_label, pg_catalog.quote_ident(n.nspname::pg_catalog.text) AS sequence_schema,
             CASE c.type WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 32767 WHEN 'pg_catalog.int4'::pg_catalog.regtype THEN 2147483647 ELSE 9223372036854775807 END AS most
      FROM own_column AS c
      JOIN pg_catalog.pg_depend AS o ON o.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND o.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
        AND o.refobjid = c.relation AND o.refobjsubid = c.number AND o.deptype = 'a'
      JOIN pg_catalog.pg_class AS s ON s.oid = o.objid AND s.relkind = 'S' JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
      JOIN pg_catalog.pg_attrdef AS f ON f.adrelid = c.relation AND f.adnum = c.number
      WHERE c.type IN (${SMALL}, ${BIG}) AND c.is_not_null AND NOT c.is_inherited
        AND pg_catalog.pg_get_expr(f.adbin, f.adrelid) = pg_catalog.format('nextval(%L::regclass)', pg_catalog.format('%I.%I', n.nspname, s.relname))
        AND NOT EXISTS (
          SELECT FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_attrdef AS other ON other.oid = d.objid
          WHERE d.classid = 'pg_catalog.pg_attrdef'::pg_catalog.regclass AND d.refobjid = s.oid AND other.oid <> f.oid
            AND other.adrelid NOT IN (SELECT p.relid FROM pg_catalog.pg_partition_tree(c.relation) AS p))
        AND ((c.table_kind = 'p' AND pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 170000)
          OR NOT EXISTS (SELECT FROM pg_catalog.pg_inherits AS h WHERE h.inhparent = c.relation))`;

/** How names end that the server makes up, and cuts itself. */
const MADE_BY_THE_SERVER = "'_(pkey|key|fkey|check|not_null|idx|excl|seq)[0-9]*$'";

/** Names of what a file names. */
const LONG_NAMES = `
      SELECT 'pg_class' AS class, r.oid AS object, 0 AS part, CASE WHEN r.kind IN ('r', 'p', 'v', 'm', 'f') THEN r.oid END AS relation, r.name AS name FROM relation AS r
      UNION ALL SELECT 'pg_class', c.relation, c.number, c.relation, c.name FROM own_column AS c WHERE NOT c.is_inherited
      UNION ALL SELECT 'pg_proc', f.oid, 0, NULL, f.name FROM routine AS f
      UNION ALL SELECT 'pg_constraint', k.oid, 0, k.conrelid, k.conname FROM pg_catalog.pg_constraint AS k JOIN own_table AS t ON t.oid = k.conrelid WHERE NOT t.is_partition
      UNION ALL SELECT 'pg_policy', p.oid, 0, p.relation, p.name FROM policy AS p`;

export const DESIGN: readonly Lint[] = [
  {
    code: "PGL401",
    name: "timestamp-without-zone",
    level: "WARNING",
    why: "A timestamp without zone is no moment: what it means depends on the TimeZone of the session that wrote it. A time with zone is none either, for want of a day.",
    find: columns(
      "c.base IN ('pg_catalog.timestamp'::pg_catalog.regtype, 'pg_catalog.timetz'::pg_catalog.regtype)",
      "'%s'",
      `CASE c.base WHEN 'pg_catalog.timetz'::pg_catalog.regtype
               THEN pg_catalog.format('%s TYPE %s%s;', c.alter_column, pg_catalog.format_type('pg_catalog.time'::pg_catalog.regtype, c.modifier), c.brackets)
               ELSE pg_catalog.format('BEGIN; SET LOCAL TimeZone = ''UTC''; %s TYPE %s%s; COMMIT; -- where its values are in UTC',
                 c.alter_column, pg_catalog.format_type('pg_catalog.timestamptz'::pg_catalog.regtype, c.modifier), c.brackets) END`,
    ),
  },
  {
    code: "PGL402",
    name: "char-column",
    level: "WARNING",
    why: "char(n) fills values up with blanks and compares without them, and saves nothing.",
    find: columns(
      "c.base = 'pg_catalog.bpchar'::pg_catalog.regtype",
      "'%s'",
      "pg_catalog.format('%s TYPE text%s;', c.alter_column, c.brackets)",
    ),
  },
  {
    code: "PGL403",
    name: "varchar-length",
    level: "INFO",
    why: "A length in the type is changed under a lock on the table and all that reads the column; a check on text can be validated while others write.",
    find: columns(
      "c.type = 'pg_catalog.varchar'::pg_catalog.regtype AND c.modifier <> -1",
      "'%s'",
      "pg_catalog.format('%s TYPE text, ADD CHECK (pg_catalog.length(%I) <= %s);', c.alter_column, c.name, c.modifier - 4)",
    ),
  },
  {
    code: "PGL404",
    name: "small-counter",
    level: "WARNING",
    why: "A column of 2 or 4 bytes that counts up ends at 32,767 or 2,147,483,647, and its change to bigint copies the table.",
    find: `
      SELECT 'pg_class' AS class, c.relation AS object, c.number::pg_catalog.int4 AS part, c.relation,
             pg_catalog.concat('counts up in ', c.type_name, CASE WHEN c.type = ${BIG} THEN ' by a sequence of a smaller type' END) AS found,
             pg_catalog.concat_ws(' ', CASE WHEN c.type <> ${BIG} THEN c.alter_column || ' TYPE bigint;' END,
               pg_catalog.string_agg(pg_catalog.format('ALTER SEQUENCE %I.%I AS bigint;', n.nspname, s.relname), ' ' ORDER BY s.oid) FILTER (WHERE q.seqtypid <> ${BIG} AND (c.identity = '' OR c.type = ${BIG}))) AS mend
      FROM own_column AS c CROSS JOIN LATERAL ${COUNTERS} AS k JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = k.sequence
      JOIN pg_catalog.pg_class AS s ON s.oid = q.seqrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = s.relnamespace
      WHERE c.type IN (${SMALL}, ${BIG}) AND NOT c.is_inherited
      GROUP BY c.relation, c.number, c.type, c.type_name, c.alter_column
      HAVING c.type <> ${BIG} OR pg_catalog.bool_or(q.seqtypid <> ${BIG})`,
  },
  {
    code: "PGL405",
    name: "serial-column",
    level: "INFO",
    why: "The sequence of a serial column has privileges and a default of its own; an identity column has neither to go astray.",
    find: `
      SELECT 'pg_class' AS class, c.relation AS object, c.number::pg_catalog.int4 AS part, c.relation,
             pg_catalog.format('%s with a default of its own sequence', c.type_name) AS found,
             pg_catalog.concat('BEGIN; ', c.alter_column, ' DROP DEFAULT; ',
               -- The identity's sequence takes the name.
               pg_catalog.format('ALTER SEQUENCE %s OWNED BY NONE; ALTER SEQUENCE %1$s RENAME TO serial_%s; ', c.sequence_label, c.sequence),
               c.alter_column, ' ADD GENERATED BY DEFAULT AS IDENTITY', ' (' || nullif(${OPTIONS}, '') || ')', '; ',
               pg_catalog.format('SELECT pg_catalog.setval(pg_catalog.pg_get_serial_sequence(%L, %L), %s(s.last_value, (SELECT pg_catalog.%s(%I) FROM %s)), s.is_called OR EXISTS (SELECT FROM %6$s)) FROM %s.serial_%s AS s; ',
                 c.label, c.name, CASE WHEN q.seqincrement > 0 THEN 'GREATEST' ELSE 'LEAST' END, CASE WHEN q.seqincrement > 0 THEN 'max' ELSE 'min' END, c.name, c.label, c.sequence_schema, c.sequence),
               pg_catalog.format('DROP SEQUENCE %s.serial_%s; COMMIT;', c.sequence_schema, c.sequence)) AS mend
      FROM (${SERIAL}) AS c JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = c.sequence`,
  },
  {
    code: "PGL406",
    name: "domain-check",
    level: "INFO",
    why: "A check of a domain is changed for all columns of the domain at once, and reads all their tables under a lock.",
    find: `
      SELECT 'pg_type' AS class, t.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation,
             pg_catalog.format('check %I', k.conname) AS found,
             pg_catalog.format('ALTER DOMAIN %I.%I DROP CONSTRAINT %I; -- with a check on each of its columns', m.name, t.typname, k.conname) AS mend
      FROM pg_catalog.pg_type AS t JOIN managed AS m ON m.oid = t.typnamespace JOIN pg_catalog.pg_constraint AS k ON k.contypid = t.oid
      WHERE k.contype = 'c' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid AND d.deptype = 'e')`,
  },
  {
    code: "PGL407",
    name: "name-of-63-bytes",
    level: "INFO",
    why: "The server cuts names after 63 bytes without an error: the file may say another one.",
    find: `
      SELECT l.class, l.object, l.part::pg_catalog.int4 AS part, l.relation, 'a name of 63 bytes, which may have been cut' AS found,
             'ALTER … RENAME TO <shorter name>;' AS mend
      FROM (${LONG_NAMES}) AS l WHERE pg_catalog.octet_length(l.name::pg_catalog.text) = 63 AND l.name !~ ${MADE_BY_THE_SERVER}`,
  },
  {
    code: "PGL408",
    name: "reg-type-column",
    level: "WARNING",
    why: "pg_upgrade refuses a database with such a column, because the oids in it are others afterwards.",
    find: columns(
      "c.base = ANY (ARRAY['regcollation', 'regconfig', 'regdictionary', 'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure']::pg_catalog.regtype[])",
      "'%s'",
      "pg_catalog.format('%s TYPE text%s;', c.alter_column, c.brackets)",
    ),
  },
  {
    code: "PGL409",
    name: "unvalidated-constraint",
    level: "WARNING",
    why: "Rows from before a constraint that is NOT VALID may break it, and the planner does not count on it.",
    find: `
      SELECT 'pg_constraint' AS class, k.oid AS object, 0 AS part, k.conrelid AS relation, 'not validated' AS found,
             pg_catalog.format('ALTER TABLE %s VALIDATE CONSTRAINT %I;', t.label, k.conname) AS mend
      FROM pg_catalog.pg_constraint AS k JOIN own_table AS t ON t.oid = k.conrelid
      -- Servers from 18 on have constraints that are not enforced, and so never validated.
      WHERE NOT k.convalidated AND coalesce(pg_catalog.to_jsonb(k) ->> 'conenforced', 'true') = 'true'`,
  },
  {
    code: "PGL410",
    name: "money-column",
    level: "INFO",
    why: "What a value of type money means, and how many digits it has, depends on lc_monetary of the session.",
    find: columns(
      "c.base = 'pg_catalog.money'::pg_catalog.regtype",
      "'%s'",
      "pg_catalog.format('%s TYPE numeric%s;', c.alter_column, c.brackets)",
    ),
  },
];
