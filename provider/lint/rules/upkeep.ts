/** Lints of the state that a database is in: what is about to end, and what was switched off. */
import type { Lint } from "../rule.ts";

/** From this part of its numbers on a sequence is near its end. */
const USED_PERCENT = 75;
/** Tables below this size are not worth a copy. */
const BLOATED_PAGES = 1280;

export const UPKEEP: readonly Lint[] = [
  {
    code: "PGL501",
    name: "sequence-near-end",
    level: "WARNING",
    why: "A sequence that has reached its end, or that of its column's type, refuses every insert.",
    find: `
      SELECT 'pg_class' AS class, s.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation,
             pg_catalog.format('%s %% of its numbers are used', pg_catalog.round(used.part * 100)) AS found,
             CASE WHEN col.label IS NULL THEN pg_catalog.format('ALTER SEQUENCE %s AS bigint NO %s;', s.label, wide.bound)
               ELSE pg_catalog.format('ALTER TABLE %s ALTER COLUMN %I TYPE bigint; ALTER SEQUENCE %s AS bigint NO %s;', col.label, col.name, s.label, wide.bound) END AS mend
      FROM relation AS s JOIN pg_catalog.pg_sequence AS q ON q.seqrelid = s.oid
      LEFT JOIN LATERAL (
        SELECT c.label, c.name, CASE c.type WHEN 'pg_catalog.int2'::pg_catalog.regtype THEN 32767 WHEN 'pg_catalog.int4'::pg_catalog.regtype THEN 2147483647 END AS most
        FROM pg_catalog.pg_depend AS d JOIN own_column AS c ON c.relation = d.refobjid AND c.number = d.refobjsubid
        WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = s.oid AND d.deptype IN ('a', 'i')
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass LIMIT 1) AS col ON true
      CROSS JOIN LATERAL (SELECT CASE WHEN q.seqincrement > 0 THEN 'MAXVALUE' ELSE 'MINVALUE' END AS bound) AS wide
      CROSS JOIN LATERAL (
        SELECT CASE WHEN q.seqincrement > 0
          THEN (v.value - q.seqmin::pg_catalog.numeric) / nullif(LEAST(q.seqmax, col.most) - q.seqmin::pg_catalog.numeric, 0)
          ELSE (q.seqmax::pg_catalog.numeric - v.value) / nullif(q.seqmax::pg_catalog.numeric - q.seqmin, 0) END AS part
        FROM (SELECT CASE WHEN pg_catalog.has_sequence_privilege(s.oid, 'SELECT, USAGE') THEN pg_catalog.pg_sequence_last_value(s.oid)::pg_catalog.numeric END AS value) AS v) AS used
      WHERE s.kind = 'S' AND NOT q.seqcycle AND used.part >= ${USED_PERCENT / 100}`,
  },
  {
    code: "PGL502",
    name: "extension-outdated",
    level: "WARNING",
    why: "The server has a newer version of an extension than the database: its fixes, also of security, are not in force.",
    find: `
      SELECT 'pg_extension' AS class, e.oid AS object, 0 AS part, NULL::pg_catalog.oid AS relation,
             pg_catalog.format('version %s, the server has %s', e.extversion, a.default_version) AS found,
             pg_catalog.format('ALTER EXTENSION %I UPDATE;', e.extname) AS mend
      FROM pg_catalog.pg_extension AS e JOIN pg_catalog.pg_available_extensions() AS a ON a.name = e.extname
      WHERE e.extversion <> a.default_version`,
  },
  {
    code: "PGL503",
    name: "disabled-trigger",
    level: "WARNING",
    why: "What a disabled trigger should hold, a foreign key among it, has not been held since.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation,
             pg_catalog.format('disabled: %s', pg_catalog.string_agg(DISTINCT coalesce(k.conname, g.tgname)::pg_catalog.text, ', ')) AS found,
             -- ALL would also change those that are ALWAYS or REPLICA.
             pg_catalog.format('ALTER TABLE %s %s;', t.label, pg_catalog.string_agg(pg_catalog.format('ENABLE TRIGGER %I', g.tgname), ', ' ORDER BY g.oid)) AS mend
      FROM pg_catalog.pg_trigger AS g JOIN own_table AS t ON t.oid = g.tgrelid LEFT JOIN pg_catalog.pg_constraint AS k ON k.oid = g.tgconstraint AND g.tgisinternal
      WHERE g.tgenabled = 'D' GROUP BY t.oid, t.label`,
  },
  {
    code: "PGL504",
    name: "autovacuum-disabled",
    level: "WARNING",
    why: "Without autovacuum a table grows by each update, and its statistics are those of another time.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation, 'autovacuum is disabled' AS found,
             pg_catalog.format('ALTER TABLE %s RESET (autovacuum_enabled);', t.label) AS mend
      FROM own_table AS t
      WHERE EXISTS (SELECT FROM pg_catalog.unnest(t.options) AS o WHERE CASE WHEN pg_catalog.starts_with(o, 'autovacuum_enabled=') THEN NOT pg_catalog.substr(o, 20)::pg_catalog.bool END)`,
  },
  {
    code: "PGL505",
    name: "table-bloat",
    level: "INFO",
    why: "More than half of a large table is room that its rows do not fill, which every scan reads.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation,
             pg_catalog.format('about %s of %s hold no row', pg_catalog.pg_size_pretty((8192 * (t.pages - width.pages))::pg_catalog.int8), pg_catalog.pg_size_pretty(t.pages * 8192::pg_catalog.int8)) AS found,
             pg_catalog.format('VACUUM (FULL, ANALYZE) %s; -- under a lock that blocks reads and writes; pg_repack needs none', t.label) AS mend
      FROM own_table AS t CROSS JOIN LATERAL (
        SELECT pg_catalog.ceil(t.tuples * (28 + pg_catalog.sum(s.stawidth * (1 - s.stanullfrac))) / 8168) AS pages, pg_catalog.count(*) AS known
        FROM (SELECT v.avg_width AS stawidth, v.null_frac AS stanullfrac
              FROM pg_catalog.pg_stats AS v JOIN managed AS m ON m.name = v.schemaname
              WHERE m.oid = t.schema AND v.tablename = t.name AND NOT v.inherited) AS s) AS width
      WHERE t.kind = 'r' AND t.pages >= ${BLOATED_PAGES} AND t.tuples >= 0 AND width.known > 0 AND width.pages < t.pages / 2
        AND width.known = (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped)`,
  },
  {
    code: "PGL506",
    name: "unlogged-table",
    level: "WARNING",
    why: "After a crash an unlogged table is empty, and a replica has none of its rows.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation, 'unlogged' AS found,
             pg_catalog.format('ALTER TABLE %s SET LOGGED;', t.label) AS mend
      FROM own_table AS t WHERE t.persistence = 'u'`,
  },
];
