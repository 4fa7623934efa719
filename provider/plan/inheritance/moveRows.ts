/**
 * A new partition that takes rows of the default one: it is filled beside its table, and attached in the
 * transaction that takes the rows out of the default partition, so that nobody misses a row or sees one
 * twice. `apply/copyRows.ts` copies them while others write.
 */
import { createHash } from "node:crypto";
import { inheritanceOf, parentsOf } from "../../catalog/inheritance.ts";
import { describe } from "../../catalog/objectNames.ts";
import { isPartitioned, leavesOf } from "../../catalog/partitions.ts";
import { encodeId } from "../../catalog/pgDelta.ts";
import { quoteIdent, quoteLiteral, quoteQualified } from "../../catalog/quote.ts";
import { MOVE_PREFIX, noteOf, type RowMove, TRUNCATED } from "../../catalog/rowMoves.ts";
import { asTable, rowsBehind, type TableId, text } from "../../catalog/tables.ts";
import { LONGEST_NAME_BYTES, shortened } from "../indexDefinition.ts";
import { brief, type OnlineContext, standalone, step } from "../online/recipe.ts";
import { MOST_ROWS_AT_ONCE } from "../online/recompute.ts";
import { boundCheck } from "../recipeConstraints.ts";
import { bracketed } from "../rowChecks/definitions.ts";
import type { Statement } from "../statement.ts";
import { defaultPartitionOf } from "./links.ts";

const quoted = ({ schema, name }: TableId): string => quoteQualified(schema, name);
const asRegclass = (table: TableId): string => `${quoteLiteral(quoted(table))}::pg_catalog.regclass`;

/** What a move is written with. */
interface Parts {
  statement: Statement;
  move: RowMove;
  parent: TableId;
  /** What holds for the rows of the new partition. */
  condition: string;
  /** Quoted, without generated ones. */
  columns: string;
  /** Of the primary key, quoted; none where its index is none that `ON CONFLICT` takes. */
  keys: readonly string[];
  /** Foreign keys, as `name definition`, and the tables that they refer to. */
  references: readonly string[];
  referred: readonly TableId[];
  /** The default partition and its own, all of which are locked. */
  locked: readonly TableId[];
}

/** @returns undefined where it is not known what the partition's bound demands of a row. */
function partsOf(statement: Statement, { live, desired }: Pick<OnlineContext, "live" | "desired">): Parts | undefined {
  const partition = asTable(statement.id);
  const fact = partition && desired.get(partition);
  const inheritance = inheritanceOf(fact);
  const [parent] = parentsOf(fact);
  const from = parent && defaultPartitionOf(parent, live);
  if (partition === undefined || parent === undefined || from === undefined) return undefined;
  if (inheritance === undefined || inheritance.condition === null) return undefined;
  const key = inheritance.constraints.find(({ payload }) => payload.type === "p")?.payload.def ?? "";
  const foreignKeys = inheritance.constraints.filter(({ payload }) => payload.type === "f");
  return {
    statement,
    move: { partition, from, log: shortened(MOVE_PREFIX + partition.name, LONGEST_NAME_BYTES - TRUNCATED.length) },
    parent,
    condition: inheritance.condition,
    columns: inheritance.columns
      .filter(({ payload }) => payload.generatedExpr === null)
      .map(({ name }) => quoteIdent(name))
      .join(", "),
    keys: / WITHOUT OVERLAPS/.test(key) ? [] : (bracketed(key)?.items ?? []),
    references: foreignKeys.map(({ name, payload }) => `${quoteIdent(name)} ${payload.def}`),
    referred: desired.childrenOf(parent).flatMap(({ id, payload }) =>
      id.kind === "constraint" && payload.type === "f"
        ? desired.outgoingEdges(id).flatMap(({ to }) => {
            const isOther = to.kind === "constraint" && !(to.schema === parent.schema && to.table === parent.name);
            return isOther ? [{ kind: "table" as const, schema: to.schema, name: to.table }] : [];
          })
        : [],
    ),
    locked: [
      from,
      ...(isPartitioned(from, live) ? leavesOf(from, live).map((leaf) => ({ kind: "table" as const, ...leaf })) : []),
    ],
  };
}

/** Whether a recipe can move the rows of the default partition that belong to a new one. */
export const isMovable = (statement: Statement, sides: Pick<OnlineContext, "live" | "desired">): boolean => {
  const parts = partsOf(statement, sides);
  if (parts === undefined) return false;
  const { move, parent } = parts;
  const bound = text(sides.desired.get(move.partition), "partitionBound");
  return statement.sql === `CREATE TABLE ${quoted(move.partition)} PARTITION OF ${quoted(parent)} ${bound}`;
};

/**
 * The steps that make the partition, in place of the statement. Few rows, and those of a table without a
 * primary key, are moved in one transaction.
 */
export function moveRows(statement: Statement, context: OnlineContext): Statement[] {
  const parts = partsOf(statement, context);
  if (parts === undefined) return [statement];
  const { move } = parts;
  const { from, partition } = move;
  const rows = rowsBehind(from, context.sizes, context.live);
  // Of a partitioned table there are no statistics.
  const isSmall = rows <= MOST_ROWS_AT_ONCE && !isPartitioned(from, context.live);
  const isOnline = !isSmall && parts.keys.length > 0;
  const bound = text(context.desired.get(partition), "partitionBound");
  const locks = { id: from, locksToo: [parts.parent, ...parts.locked] };
  const consumes = [from, parts.parent].map(encodeId);
  const about = { ...brief, op: "update", consumes, ...locks } as const;
  const isLong = { work: "rows", copies: !isOnline } as const;
  const end = [
    step(statement, movingBlock(parts, isOnline), {
      ...about,
      subject: `${describe(from)}, whose rows go to ${describe(partition)}`,
      ...(isSmall ? {} : isLong),
      ...(isOnline ? { takesOut: rows } : {}),
    }),
    ...(isOnline ? droppingLog(move).map((sql) => step(statement, sql, about)) : []),
    step(statement, `ALTER TABLE ${quoted(parts.parent)} ATTACH PARTITION ${quoted(partition)} ${bound}`, {
      ...brief,
      locksToo: [parts.parent, ...parts.locked],
    }),
    step(statement, `ALTER TABLE ${quoted(partition)} DROP CONSTRAINT ${quoteIdent(boundCheck(partition))}`, {
      ...brief,
      op: "update",
    }),
  ];
  const shared = { ...brief, lock: "SHARE ROW EXCLUSIVE", consumes } as const;
  if (!isOnline)
    return [...making(parts).map((sql) => step(statement, sql, { ...shared, locksToo: parts.referred })), ...end];
  const copy = step(statement, copySql(parts), {
    ...standalone,
    op: "update",
    id: from,
    lock: "none",
    copying: { ...asSql(parts), log: quoteQualified(partition.schema, move.log) },
    undo: { sql: takingBackSql(move), steps: 1 },
  });
  // The parent is not locked for it.
  const beginning = step(statement, beginningBlock(parts, context), {
    ...shared,
    op: "update",
    subject: `${describe(partition)}, beside ${describe(parts.parent)}`,
    id: from,
    locksToo: [...parts.referred, ...parts.locked],
  });
  return [beginning, copy, ...end];
}

/** Takes back what an earlier run has begun and no plan goes on with. */
export function takingBack(moves: readonly RowMove[], begun: readonly Statement[]): Statement[] {
  const goesOn = new Set(begun.flatMap(({ copying }) => copying?.target ?? []));
  return moves.flatMap((move) =>
    goesOn.has(quoted(move.partition))
      ? []
      : [
          {
            sql: takingBackSql(move),
            op: "delete",
            object: describe(move.from),
            id: move.from,
            subject: `copies of rows of ${describe(move.from)} that an earlier run has left`,
            lock: "ACCESS EXCLUSIVE",
            transaction: "shared",
            work: "catalog",
            drops: [],
            rewrites: false,
            destructive: false,
            consumes: [],
          },
        ],
  );
}

const logOf = ({ partition, log }: RowMove): string => quoteQualified(partition.schema, log);

const droppingLog = (move: RowMove): string[] => [
  `DROP FUNCTION ${logOf(move)}() CASCADE`,
  `DROP TABLE ${logOf(move)}`,
];

const takingBackSql = (move: RowMove): string => `DO $pgstrata$
BEGIN
  IF pg_catalog.to_regclass(${quoteLiteral(logOf(move))}) IS NOT NULL THEN
    DROP FUNCTION IF EXISTS ${logOf(move)}() CASCADE;
    DROP TABLE ${logOf(move)};
    DROP TABLE IF EXISTS ${quoted(move.partition)};
  END IF;
END $pgstrata$`;

/** A table that can be attached without a look at its rows. */
function making({ move: { partition }, parent, condition, references }: Parts): string[] {
  const table = quoted(partition);
  return [
    `CREATE TABLE ${table} (LIKE ${quoted(parent)} INCLUDING ALL EXCLUDING COMMENTS EXCLUDING IDENTITY EXCLUDING STATISTICS)`,
    `ALTER TABLE ${table} ADD CONSTRAINT ${quoteIdent(boundCheck(partition))} CHECK (${condition})`,
    ...references.map((reference) => `ALTER TABLE ${table} ADD CONSTRAINT ${reference}`),
  ];
}

/**
 * The partition, and a log of the keys that writers change, in one transaction: where the log is there, the
 * partition is one that a run has begun to fill. One of another shape is made again.
 */
function beginningBlock(parts: Parts, { desired }: OnlineContext): string {
  const { move, keys } = parts;
  const { partition, from } = move;
  const log = logOf(move);
  const list = keys.join(", ");
  const inserting = (row: string): string =>
    `INSERT INTO ${log} (${list}) VALUES (${keys.map((key) => `${row}.${key}`).join(", ")});`;
  const made = [...making(parts), desired.get(partition)?.payload._inheritance ?? ""];
  const digest = createHash("sha256").update(JSON.stringify(made)).digest("hex").slice(0, 16);
  const comment = quoteLiteral(noteOf(move, digest));
  return `DO $pgstrata$
#variable_conflict use_column
BEGIN
  IF pg_catalog.obj_description(pg_catalog.to_regclass(${quoteLiteral(log)})::pg_catalog.oid, 'pg_class') = ${comment} THEN
    RETURN;
  END IF;
  IF pg_catalog.to_regclass(${quoteLiteral(log)}) IS NOT NULL THEN
    DROP FUNCTION IF EXISTS ${log}() CASCADE;
    DROP TABLE ${log};
    DROP TABLE IF EXISTS ${quoted(partition)};
  END IF;
${making(parts)
  .map((sql) => `  ${sql};`)
  .join("\n")}
  CREATE TABLE ${log} AS SELECT ${list}, false AS pgstrata_taken FROM ${quoted(from)} WITH NO DATA;
  COMMENT ON TABLE ${log} IS ${comment};
  CREATE FUNCTION ${log}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $log$
  BEGIN
    IF TG_OP = 'TRUNCATE' THEN INSERT INTO ${log} DEFAULT VALUES; END IF;
    IF TG_OP = 'UPDATE' OR TG_OP = 'DELETE' THEN ${inserting("OLD")} END IF;
    IF TG_OP = 'UPDATE' OR TG_OP = 'INSERT' THEN ${inserting("NEW")} END IF;
    RETURN NULL;
  END $log$;
${[["INSERT OR UPDATE OR DELETE", "ROW", move.log] as const, ["TRUNCATE", "STATEMENT", move.log + TRUNCATED] as const]
  .map(
    ([events, each, name]) =>
      `  CREATE TRIGGER ${quoteIdent(name)} AFTER ${events} ON ${quoted(from)} FOR EACH ${each} EXECUTE FUNCTION ${log}();
  -- Replicated changes count as well.
  ALTER TABLE ${quoted(from)} ENABLE ALWAYS TRIGGER ${quoteIdent(name)};`,
  )
  .join("\n")}
END $pgstrata$`;
}

/** What a person would run to copy the rows. */
const copySql = (parts: Parts): string => {
  const { source, target, columns, condition } = asSql(parts);
  return `INSERT INTO ${target} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${source} WHERE ${condition}`;
};

const asSql = ({ move: { partition, from }, condition, columns, keys }: Parts) => ({
  source: quoted(from),
  target: quoted(partition),
  condition: `(${condition})`,
  columns,
  keys,
});

/**
 * The rows leave the default partition. Triggers of users do not see that as a deletion, because it is none.
 * As many must leave as are in the new partition.
 */
function movingBlock(parts: Parts, isOnline: boolean): string {
  const { source, target, condition, columns, keys } = asSql(parts);
  const log = logOf(parts.move);
  const list = keys.join(", ");
  const isKey = keys.map((key) => `filled.${key} = log.${key}`).join(" AND ");
  const copy = `INSERT INTO ${target} (${columns}) OVERRIDING SYSTEM VALUE SELECT ${columns} FROM ${source} WHERE ${condition}`;
  const filling = isOnline
    ? `IF EXISTS (SELECT FROM ${log} WHERE (${list}) IS NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = ${quoteLiteral(`${source} was truncated while rows of it were copied`)};
  END IF;
  DELETE FROM ${target} AS filled USING ${log} AS log WHERE ${isKey};
  ${copy} AND (${list}) IN (SELECT ${list} FROM ${log});`
    : `${copy};`;
  return `DO $pgstrata$
#variable_conflict use_column
DECLARE
  each record;
  gone pg_catalog.int8;
  enabling pg_catalog.text[] := '{}';
  enable pg_catalog.text;
BEGIN
  ${filling}
  FOR each IN SELECT t.tgrelid::pg_catalog.regclass AS part, t.tgname, CASE t.tgenabled WHEN 'A' THEN 'ALWAYS ' WHEN 'R' THEN 'REPLICA ' ELSE '' END AS form
      FROM pg_catalog.pg_partition_tree(${asRegclass(parts.move.from)}) AS p JOIN pg_catalog.pg_trigger AS t ON t.tgrelid = p.relid
     WHERE NOT t.tgisinternal AND t.tgenabled <> 'D' LOOP
    EXECUTE pg_catalog.format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', each.part, each.tgname);
    enabling := enabling || pg_catalog.format('ALTER TABLE ONLY %s ENABLE %sTRIGGER %I', each.part, each.form, each.tgname);
  END LOOP;
  DELETE FROM ${source} WHERE ${condition};
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone <> (SELECT pg_catalog.count(*) FROM ${target}) THEN
    RAISE EXCEPTION USING ERRCODE = 'object_not_in_prerequisite_state', MESSAGE = ${quoteLiteral(`not as many rows leave ${source} as ${target} has`)};
  END IF;
  FOREACH enable IN ARRAY enabling LOOP EXECUTE enable; END LOOP;
  SET CONSTRAINTS ALL IMMEDIATE;
END $pgstrata$`;
}
