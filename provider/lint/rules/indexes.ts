/** Lints of keys and indexes. */
import type { Lint } from "../rule.ts";

/**
 * Indexes of which another one finds all that they find. `same` where both have the same keys; else the other
 * one has more of them. An index that carries a constraint is never the one to go.
 */
const COVERED = `
  SELECT i.indexrelid AS oid, i.indrelid AS relation, o.indexrelid AS other, i.indnkeyatts = o.indnkeyatts AS same
  FROM pg_catalog.pg_index AS i
  JOIN own_table AS t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_class AS x ON x.oid = i.indexrelid
  JOIN pg_catalog.pg_index AS o ON o.indrelid = i.indrelid AND o.indexrelid <> i.indexrelid AND o.indisvalid
  JOIN pg_catalog.pg_class AS y ON y.oid = o.indexrelid AND y.relam = x.relam
  WHERE i.indisvalid AND NOT t.is_partition AND o.indnkeyatts >= i.indnkeyatts
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = i.indexrelid)
    AND pg_catalog.pg_get_expr(i.indpred, i.indrelid) IS NOT DISTINCT FROM pg_catalog.pg_get_expr(o.indpred, o.indrelid)
    AND pg_catalog.pg_get_expr(i.indexprs, i.indrelid) IS NOT DISTINCT FROM pg_catalog.pg_get_expr(o.indexprs, o.indrelid)
    AND (pg_catalog.string_to_array(i.indkey::pg_catalog.text, ' '))[:i.indnkeyatts] = (pg_catalog.string_to_array(o.indkey::pg_catalog.text, ' '))[:i.indnkeyatts]
    AND (pg_catalog.string_to_array(i.indclass::pg_catalog.text, ' '))[:i.indnkeyatts] = (pg_catalog.string_to_array(o.indclass::pg_catalog.text, ' '))[:i.indnkeyatts]
    AND (pg_catalog.string_to_array(i.indcollation::pg_catalog.text, ' '))[:i.indnkeyatts] = (pg_catalog.string_to_array(o.indcollation::pg_catalog.text, ' '))[:i.indnkeyatts]
    AND (pg_catalog.string_to_array(i.indoption::pg_catalog.text, ' '))[:i.indnkeyatts] = (pg_catalog.string_to_array(o.indoption::pg_catalog.text, ' '))[:i.indnkeyatts]
    AND (pg_catalog.string_to_array(i.indkey::pg_catalog.text, ' '))[i.indnkeyatts + 1:] <@ (pg_catalog.string_to_array(o.indkey::pg_catalog.text, ' '))
    AND NOT i.indisexclusion AND NOT o.indisexclusion`;

const LABEL = "pg_catalog.format('%I.%I', n.nspname, x.relname)";
const NAMES = `
  JOIN pg_catalog.pg_class AS x ON x.oid = c.oid JOIN pg_catalog.pg_namespace AS n ON n.oid = x.relnamespace
  JOIN pg_catalog.pg_class AS y ON y.oid = c.other`;

export const INDEXES: readonly Lint[] = [
  {
    code: "PGL301",
    name: "unindexed-foreign-key",
    level: "INFO",
    why: "Without an index that begins with its columns, a foreign key reads the whole table for each row that is deleted or changed in the other.",
    find: `
      SELECT 'pg_constraint' AS class, k.oid AS object, 0 AS part, k.conrelid AS relation,
             pg_catalog.format('no index begins with %s', cols.list) AS found,
             -- The server builds and drops those of partitioned tables in no other way.
             pg_catalog.format('CREATE INDEX %sON %s (%s);', CASE t.kind WHEN 'p' THEN '' ELSE 'CONCURRENTLY ' END, t.label, cols.list) AS mend
      FROM pg_catalog.pg_constraint AS k JOIN own_table AS t ON t.oid = k.conrelid
      CROSS JOIN LATERAL (
        SELECT pg_catalog.string_agg(pg_catalog.quote_ident(a.attname::pg_catalog.text), ', ' ORDER BY u.place) AS list
        FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u (number, place)
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS cols
      WHERE k.contype = 'f' AND NOT t.is_partition AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index AS i
        WHERE i.indrelid = k.conrelid AND i.indisvalid
          AND (i.indpred IS NULL OR pg_catalog.pg_get_expr(i.indpred, i.indrelid) ~ '^\\(\\w+ IS NOT NULL\\)$')
          AND (pg_catalog.string_to_array(i.indkey::pg_catalog.text, ' ')::pg_catalog.int2[])[:pg_catalog.cardinality(k.conkey)] @> k.conkey)`,
  },
  {
    code: "PGL302",
    name: "duplicate-index",
    level: "WARNING",
    why: "Of two indexes with the same keys one is of no use, and every write pays for it.",
    find: `
      SELECT DISTINCT ON (c.oid) 'pg_class' AS class, c.oid AS object, 0 AS part, c.relation,
             pg_catalog.format('the same keys as %I', y.relname) AS found,
             pg_catalog.format('DROP INDEX %s%s;', CASE x.relkind WHEN 'I' THEN '' ELSE 'CONCURRENTLY ' END, ${LABEL}) AS mend
      FROM (${COVERED}) AS c ${NAMES}
      JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid JOIN pg_catalog.pg_index AS o ON o.indexrelid = c.other
      WHERE c.same AND (NOT i.indisunique OR o.indisunique)
        -- Of two alike that carry no constraint, the later one goes.
        AND ((o.indisunique AND NOT i.indisunique) OR c.other < c.oid OR EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = c.other))
      ORDER BY c.oid, y.relname`,
  },
  {
    code: "PGL303",
    name: "covered-index",
    level: "INFO",
    why: "An index whose keys another one begins with finds nothing that the other does not; it is worth its writes only where it is much smaller.",
    find: `
      SELECT DISTINCT ON (c.oid) 'pg_class' AS class, c.oid AS object, 0 AS part, c.relation,
             pg_catalog.format('%I begins with the same keys', y.relname) AS found,
             pg_catalog.format('DROP INDEX %s%s;', CASE x.relkind WHEN 'I' THEN '' ELSE 'CONCURRENTLY ' END, ${LABEL}) AS mend
      FROM (${COVERED}) AS c ${NAMES} JOIN pg_catalog.pg_index AS i ON i.indexrelid = c.oid
      JOIN pg_catalog.pg_am AS m ON m.oid = x.relam
      WHERE NOT c.same AND NOT i.indisunique AND m.amname = 'btree'
      ORDER BY c.oid, y.relname`,
  },
  {
    code: "PGL304",
    name: "no-primary-key",
    level: "WARNING",
    why: "Rows without a key cannot be told apart: logical replication refuses to update and delete them, and so do tools that edit rows.",
    find: `
      SELECT 'pg_class' AS class, t.oid AS object, 0 AS part, t.oid AS relation, 'no primary key' AS found,
             pg_catalog.format('ALTER TABLE %s ADD PRIMARY KEY (<columns>);', t.label) AS mend
      FROM own_table AS t
      WHERE NOT t.is_partition AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conrelid = t.oid AND k.contype = 'p')`,
  },
  {
    code: "PGL305",
    name: "invalid-index",
    level: "WARNING",
    why: "An index whose concurrent build failed is written by every statement and read by none.",
    find: `
      SELECT 'pg_class' AS class, x.oid AS object, 0 AS part, i.indrelid AS relation, 'invalid: its build did not end' AS found,
             pg_catalog.format('REINDEX INDEX CONCURRENTLY %s;', x.label) AS mend
      FROM pg_catalog.pg_index AS i JOIN relation AS x ON x.oid = i.indexrelid
      WHERE NOT i.indisvalid AND x.kind = 'i'
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index AS b WHERE b.index_relid = i.indexrelid)`,
  },
  {
    code: "PGL306",
    name: "unused-index",
    level: "INFO",
    why: "An index of some size that no query has used since statistics are kept costs every write and all the room it takes.",
    find: `
      SELECT 'pg_class' AS class, x.oid AS object, 0 AS part, i.indrelid AS relation,
             pg_catalog.format('not used since statistics are kept, %s', pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(x.oid))) AS found,
             pg_catalog.format('DROP INDEX CONCURRENTLY %s;', x.label) AS mend
      FROM relation AS x JOIN pg_catalog.pg_index AS i ON i.indexrelid = x.oid
      WHERE x.kind = 'i' AND NOT x.is_partition AND x.pages >= 128 AND NOT i.indisunique AND pg_catalog.pg_stat_get_numscans(x.oid) = 0
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint AS k WHERE k.conindid = x.oid)`,
  },
];
