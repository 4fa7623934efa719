/**
 * Questions of constraints and unique indexes: which rows does a check, a key, an exclusion or a foreign key
 * refuse?
 */
import type { Fact } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { text } from "../../catalog/tables.ts";
import { isNotNull, operatorFor } from "./columnTypes.ts";
import { clause, exclusionOf, type Key, type KeyPart, keyOf, referenceOf } from "./definitions.ts";
import { type Change, type RowQuestion, refusal } from "./rowCheck.ts";
import { idOf, listedBy, mayHaveRows, type QuestionContext, shown, sourceOf, type TableName } from "./source.ts";

type Ask = RowQuestion | undefined;

/** Of a constraint or a unique index, by its fact. */
export function demandQuestion(statement: Change, table: TableName, fact: Fact, context: QuestionContext): Ask {
  if (!mayHaveRows(table, context)) return undefined;
  const def = text(fact, "def");
  if (fact.id.kind === "index") {
    return /^CREATE UNIQUE /.test(def) ? keyQuestion(statement, table, def, context) : undefined;
  }
  switch (text(fact, "type")) {
    case "c":
      return checkQuestion(statement, table, def, context);
    case "p":
    case "u":
      return keyQuestion(statement, table, def, context);
    case "x":
      return exclusionQuestion(statement, table, def, context);
    case "f":
      return referenceQuestion(statement, table, def, context);
    default:
      return undefined;
  }
}

export function checkQuestion(statement: Change, table: TableName, def: string, context: QuestionContext): Ask {
  const expression = clause(def, "CHECK");
  const isProven = constraintsOf(table, context).some(
    (fact) => fact.payload.validated === true && text(fact, "def") === def,
  );
  if (expression === undefined || (isProven && !provesNothing(table, context))) return undefined;
  const source = sourceOf(table, { uses: [expression], isOnly: / NO INHERIT/.test(def) }, context);
  if (source === undefined) return undefined;
  return refusal(statement, {
    obstacle: `of ${shown(table)} that CHECK (${expression}) refuses`,
    asks: `SELECT ${listedBy(table, context).join(", ")} FROM ${source} WHERE NOT (${expression})`,
    advice:
      "Correct them, or declare the constraint NOT VALID, so that it holds for new rows, and remove NOT VALID once the existing rows are corrected.",
  });
}

/** Facts of a table's constraints, as the database has them. */
const constraintsOf = (table: TableName, { live }: QuestionContext): Fact[] =>
  live.childrenOf(idOf(table)).filter(({ id }) => id.kind === "constraint");

/** What held for values before does not for what they are converted to, nor for other results. */
function provesNothing(table: TableName, { live, desired, isOutdated = false }: QuestionContext): boolean {
  if (isOutdated) return true;
  return live.childrenOf(idOf(table)).some(({ id, payload }) => {
    const after = id.kind === "column" ? desired.get(id) : undefined;
    const isAnother = (key: string): boolean => after !== undefined && after.payload[key] !== payload[key];
    return ["type", "collation", "generatedExpr"].some(isAnother);
  });
}

/** Operator classes that take the same values for equal as the ones of the type. */
const SAME_EQUALITY = /^(?:pg_catalog\.)?(?:text|varchar|bpchar)_pattern_ops$/;

/** Of a unique constraint, a primary key, a unique index. */
export function keyQuestion(statement: Change, table: TableName, def: string, context: QuestionContext): Ask {
  const key = keyOf(def);
  if (key === undefined || key.parts.length === 0 || isKnownUnique(key, table, context)) return undefined;
  if (key.parts.some(({ operatorClass }) => operatorClass !== undefined && !SAME_EQUALITY.test(operatorClass)))
    return undefined;
  if (key.isTemporal) return temporalKeyQuestion(statement, table, key, context);
  const expressions = key.parts.map(({ expression }) => expression);
  const source = sourceOf(table, { uses: [...expressions, key.predicate ?? ""], isOnly: true }, context);
  if (source === undefined) return undefined;
  const conditions = [
    ...(key.predicate === undefined ? [] : [`(${key.predicate})`]),
    ...(key.nullsEqual ? [] : key.parts.map((part) => isNotNull(part, table, context))),
  ];
  const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
  const keys = listedBy(table, context);
  const list = expressions.join(", ");
  return refusal(statement, {
    unit: "value",
    isTriedBefore: true,
    obstacle: `of (${list}) in more than one row of ${shown(table)}`,
    asks: `SELECT FROM ${source}${where} GROUP BY ${list} HAVING pg_catalog.count(*) > 1`,
    lists:
      `SELECT ${keys.map(withoutCast).join(", ")} FROM (SELECT ${keys.map(asColumn).join(", ")}, pg_catalog.count(*) OVER (PARTITION BY ${list}) AS pgstrata_times ` +
      `FROM ${source}${where}) AS counted WHERE pgstrata_times > 1`,
    advice: "Keep one row of each value, correct the others, or add another column to the key.",
  });
}

const asColumn = (key: string): string => (key.startsWith("tableoid") ? `${key} AS tableoid` : key);
const withoutCast = (key: string): string => (key.startsWith("tableoid") ? "tableoid" : key);

/** Whether the database holds a key already that proves this one. */
function isKnownUnique(key: Key, table: TableName, context: QuestionContext): boolean {
  if (provesNothing(table, context)) return false;
  const columns = new Set(key.parts.flatMap(({ expression }) => expression));
  const { live } = context;
  const proofs = [
    ...constraintsOf(table, context).filter(({ payload }) => payload.type === "u" || payload.type === "p"),
    ...live
      .childrenOf(idOf(table))
      .filter(
        ({ id, payload: { def, valid } }) =>
          id.kind === "index" && valid !== false && /^CREATE UNIQUE /.test(String(def)),
      ),
  ];
  return proofs.some((fact) => {
    const known = keyOf(text(fact, "def"));
    if (known === undefined || known.isTemporal || known.predicate !== undefined) return false;
    const isPlain = known.parts.every(
      ({ expression, operatorClass }) => columns.has(expression) && operatorClass === undefined,
    );
    return isPlain && (!key.nullsEqual || known.nullsEqual || fact.payload.type === "p");
  });
}

export function exclusionQuestion(statement: Change, table: TableName, def: string, context: QuestionContext): Ask {
  const exclusion = exclusionOf(def);
  const isProven = constraintsOf(table, context).some((fact) => text(fact, "def") === def);
  if (exclusion === undefined || (isProven && !provesNothing(table, context))) return undefined;
  return pairsQuestion(statement, table, { ...exclusion, refused: undefined }, context);
}

/** Equal in all but the last part, which must not overlap; an empty range is refused. */
function temporalKeyQuestion(statement: Change, table: TableName, { parts }: Key, context: QuestionContext): Ask {
  const last = parts.at(-1);
  const withOperators = parts.map((part) => {
    return { ...part, operator: operatorFor(part === last ? "&&" : "=", part.column, table, context) };
  });
  const refused = last === undefined ? undefined : `pg_catalog.isempty(a.e${parts.length})`;
  return pairsQuestion(statement, table, { parts: withOperators, predicate: undefined, refused }, context);
}

interface Pairs {
  parts: readonly (KeyPart & { operator: string })[];
  predicate: string | undefined;
  /** A condition on one row that is refused in any case. */
  refused: string | undefined;
}

function pairsQuestion(
  statement: Change,
  table: TableName,
  { parts, predicate, refused }: Pairs,
  context: QuestionContext,
): Ask {
  const source = sourceOf(
    table,
    { uses: [...parts.map(({ expression }) => expression), predicate ?? ""], isOnly: true },
    context,
  );
  if (source === undefined) return undefined;
  const keys = listedBy(table, context);
  const where = predicate === undefined ? "" : ` WHERE (${predicate})`;
  const places = ["ctid", "tableoid"].map((place) => `${place} AS pgstrata_${place}`);
  const values = parts.map(({ expression }, n) => `(${expression}) AS e${n + 1}`);
  const listed = [...keys.map((key, n) => `${key} AS k${n + 1}`), ...places, ...values];
  const held = `(SELECT ${listed.join(", ")} FROM ${source}${where})`;
  const conflict = parts.map(({ operator }, n) => `a.e${n + 1} ${operator} b.e${n + 1}`).join(" AND ");
  const isOther = "(a.pgstrata_ctid <> b.pgstrata_ctid OR a.pgstrata_tableoid <> b.pgstrata_tableoid)";
  const shownKeys = keys.map((key, n) => `k${n + 1}${key.startsWith('"') ? ` AS ${key}` : ""}`).join(", ");
  return refusal(statement, {
    isTriedBefore: true,
    obstacle: `of ${shown(table)} in conflict with another one by (${parts.map(({ expression }) => expression).join(", ")})`,
    asks:
      `SELECT ${shownKeys} FROM ${held} AS a ` +
      `WHERE ${refused === undefined ? "" : `${refused} OR `}EXISTS (SELECT FROM ${held} AS b WHERE ${isOther} AND ${conflict})`,
    advice: "Correct one row of each pair.",
  });
}

export function referenceQuestion(statement: Change, table: TableName, def: string, context: QuestionContext): Ask {
  const reference = referenceOf(def);
  if (reference === undefined || isKnownReference(reference.core, table, context)) return undefined;
  const { columns, referred, isFull, isTemporal } = reference;
  const own = columns.map(quoteIdent);
  const source = sourceOf(table, { uses: own, isOnly: true, alias: "referring" }, context);
  if (source === undefined) return undefined;
  const others = referred.map(quoteIdent);
  const missing = (operators: readonly string[], target: string): string => {
    const pairs = others.map((name, n) => `referred.${name} ${operators[n]} referring.${own[n]}`);
    const last = others.length - 1;
    return isTemporal
      ? `NOT COALESCE(referring.${own[last]} OPERATOR(pg_catalog.<@) (SELECT pg_catalog.range_agg(referred.${others[last]}) FROM ${target} WHERE ${pairs.join(" AND ")}), false)`
      : `NOT EXISTS (SELECT FROM ${target} WHERE ${pairs.join(" AND ")})`;
  };
  const operators = referred.map((name, n) =>
    operatorFor(isTemporal && n === referred.length - 1 ? "&&" : "=", name, reference.table, context),
  );
  const target = mayHaveRows(reference.table, context)
    ? sourceOf(reference.table, { uses: others, isOnly: true, alias: "referred" }, context)
    : undefined;
  const [nulls, values] = [" IS NULL", " IS NOT NULL"].map((test) => own.map((name) => `referring.${name}${test}`));
  const isOrphan = target === undefined ? [] : [missing(operators, target)];
  const where =
    isFull && nulls !== undefined && isOrphan.length > 0
      ? `(${values?.join(" OR ")}) AND (${[...nulls, ...isOrphan].join(" OR ")})`
      : isFull
        ? `(${values?.join(" OR ")})`
        : [...(values ?? []), ...isOrphan].join(" AND ");
  return refusal(statement, {
    obstacle: `of ${shown(table)} without a matching row in ${shown(reference.table)}`,
    asks: `SELECT ${listedBy(table, context).join(", ")} FROM ${source} WHERE ${where}`,
    advice:
      `Add the rows that ${shown(reference.table)} lacks, correct (${own.join(", ")}), ` +
      "or declare the constraint NOT VALID, so that it holds for new rows, and remove NOT VALID once the existing rows are corrected.",
  });
}

/** Whether a foreign key that the database has refuses the same rows. */
function isKnownReference(core: string, table: TableName, context: QuestionContext): boolean {
  if (provesNothing(table, context)) return false;
  return constraintsOf(table, context).some(
    (fact) =>
      fact.payload.validated === true && text(fact, "type") === "f" && referenceOf(text(fact, "def"))?.core === core,
  );
}
