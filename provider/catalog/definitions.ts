/**
 * Definitions: the expressions and queries among the attributes of facts, as the server prints them. Says
 * which attributes are some, and how the server makes one from its own print; `shadow/settledForms.ts` has it
 * do so.
 */
import { asObject, splitName } from "./kinds/kind.ts";
import { objectKind } from "./kinds/kinds.ts";
import type { Fact } from "./pgDelta.ts";
import { quoteIdent, quoteQualified } from "./quote.ts";
import { asVirtual, isVirtual, unmarked } from "./virtualColumns.ts";

/** Attributes that hold definitions, by kind of fact. */
const DEFINITIONS: Partial<Record<Fact["id"]["kind"], readonly string[]>> = {
  table: ["partitionKey"],
  column: ["generatedExpr"],
  default: ["expr"],
  constraint: ["def"],
  domain: ["default"],
  index: ["def"],
  view: ["def"],
  materializedView: ["def"],
  trigger: ["def"],
  rule: ["def"],
  policy: ["usingExpr", "checkExpr"],
  publicationRel: ["where"],
  function: ["def", "argSignature"],
  procedure: ["def", "argSignature"],
};

/** Texts of definitions by attribute. */
type Texts = Record<string, string>;

/** The definitions that a fact holds, by attribute. */
export function definitionsOf({ id, payload }: Fact): Texts {
  const found: Texts = {};
  for (const attribute of DEFINITIONS[id.kind] ?? objectKind(id)?.definitions ?? []) {
    const text = payload[attribute];
    if (typeof text === "string") found[attribute] = unmarked(text);
  }
  return found;
}

/** The fact with other texts for some of its definitions. */
export function withDefinitions(fact: Fact, texts: Readonly<Record<string, string>>): Fact {
  if (Object.keys(texts).length === 0) return fact;
  const changed = { ...fact, payload: { ...fact.payload, ...texts } };
  return isVirtual(fact) && "generatedExpr" in texts ? asVirtual(changed) : changed;
}

/**
 * What the server reads and prints as it stands: a literal of a type without a length, a number of one, an
 * array of such literals.
 */
const LITERAL = /'(?:[^']|'')*'::(?:"[^"]+"|[a-z_ ]+(?:\.(?:"[^"]+"|\w+))?)(?![\w\s]*[([])/g;
const NUMBER = /\(\d+\)::[a-z ]+(?![\w\s]*[([])/g;
const ARRAY = /ARRAY\[''(?:, '')*\](?!\)?::)/g;

/**
 * Forms that a print may have and lose: casts, constructors, conditions, queries, signed numbers, and what
 * the server looks up by a name that it does not print.
 */
const MAY_CHANGE =
  /::|\(- \d|\b(?:SELECT|VALUES|INSERT|UPDATE|DELETE|MERGE|CASE|ARRAY|ROW|COLLATE|NULLIF|DISTINCT|DOCUMENT|JSON\w*|XML\w*)\b/;

/** `(a OR b) OR c` loses its inner brackets. */
const hasNestedLogic = (text: string): boolean => /\bOR\b.*\bOR\b|\bAND\b.*\bAND\b/s.test(text);

/**
 * Whether the server, told a fact's definitions as it prints them, could print them otherwise. False where
 * they are made of names, operators, calls and literals alone, as most are.
 */
export function mayChangeForm(fact: Fact): boolean {
  const texts = Object.entries(definitionsOf(fact)).map(([attribute, text]) => changeablePart(fact, attribute, text));
  return texts.some((text) => {
    const rest = text.replaceAll(LITERAL, "''").replaceAll(NUMBER, "0").replaceAll(ARRAY, "''");
    return MAY_CHANGE.test(rest) || hasNestedLogic(rest);
  });
}

/** The part of a definition that holds expressions. */
function changeablePart({ id, payload }: Fact, attribute: string, text: string): string {
  switch (id.kind) {
    case "constraint":
      return payload.type === "c" || payload.type === "x" ? text : "";
    case "trigger": {
      const condition = text.indexOf(" WHEN (");
      return condition < 0 ? "" : text.slice(condition);
    }
    case "function":
    case "procedure":
      // A body between dollar signs is a text.
      return attribute === "def" && /^AS \$/m.test(text) ? "" : text;
    default:
      return text;
  }
}

/**
 * What makes a fact's definitions again from their texts, and prints what came of it; all of it is then
 * undone.
 */
export interface Remaking {
  statements: string[];
  /** Answers with a JSON object, attribute → print. `$1` is the array `names`. */
  query: string;
  names: readonly string[];
}

/** The name of what is made beside an existing object. */
const PROBE = "pgstrata_settled_form";

/** A body that writes to a table may have come before the rules of that table, which would refuse it now. */
const DROP_RULES = `do $$ declare found record; begin
  for found in select rulename, ev_class::pg_catalog.regclass as relation from pg_catalog.pg_rewrite
    where rulename operator(pg_catalog.<>) '_RETURN' and oid operator(pg_catalog.>=) 16384::pg_catalog.oid
  loop execute pg_catalog.format('drop rule %I on %s', found.rulename, found.relation); end loop; end $$`;

const JSON_OF = "select pg_catalog.json_build_object";
const RELATION = "pg_catalog.format('%I.%I', $1[1], $1[2])::pg_catalog.regclass";
const TYPE = "pg_catalog.format('%I.%I', $1[1], $1[2])::pg_catalog.regtype";
const COLUMN_EXPRESSION = `pg_catalog.pg_get_expr(d.adbin, d.adrelid)) from pg_catalog.pg_attrdef d
  join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where d.adrelid = ${RELATION} and a.attname = $1[3]`;
const CONSTRAINT_DEFINITION =
  "pg_catalog.pg_get_constraintdef(oid)) from pg_catalog.pg_constraint where conname = $1[3]";

/** Each names a relation or a type by its schema and name, and a part of it by a third name. */
const QUERIES = {
  partitionKey: `${JSON_OF}('partitionKey', pg_catalog.pg_get_partkeydef(${RELATION}))`,
  generated: `${JSON_OF}('generatedExpr', ${COLUMN_EXPRESSION}`,
  default: `${JSON_OF}('expr', ${COLUMN_EXPRESSION}`,
  constraint: `${JSON_OF}('def', ${CONSTRAINT_DEFINITION} and conrelid = ${RELATION}`,
  domainConstraint: `${JSON_OF}('def', ${CONSTRAINT_DEFINITION} and contypid = ${TYPE}`,
  domainDefault: `${JSON_OF}('default', pg_catalog.pg_get_expr(typdefaultbin, 0)) from pg_catalog.pg_type where oid = ${TYPE}`,
  index: `${JSON_OF}('def', pg_catalog.pg_get_indexdef(${RELATION}))`,
  statistics: `${JSON_OF}('definition', pg_catalog.pg_get_statisticsobjdef(s.oid)) from pg_catalog.pg_statistic_ext s
    join pg_catalog.pg_namespace n on n.oid = s.stxnamespace where n.nspname = $1[1] and s.stxname = $1[2]`,
  view: `${JSON_OF}('def', pg_catalog.pg_get_viewdef(${RELATION}))`,
  trigger: `${JSON_OF}('def', pg_catalog.pg_get_triggerdef(oid)) from pg_catalog.pg_trigger where tgrelid = ${RELATION} and tgname = $1[3]`,
  rule: `${JSON_OF}('def', pg_catalog.pg_get_ruledef(oid)) from pg_catalog.pg_rewrite where ev_class = ${RELATION} and rulename = $1[3]`,
  policy: `${JSON_OF}('usingExpr', pg_catalog.pg_get_expr(polqual, polrelid), 'checkExpr', pg_catalog.pg_get_expr(polwithcheck, polrelid))
    from pg_catalog.pg_policy where polrelid = ${RELATION} and polname = $1[3]`,
  published: `${JSON_OF}('where', pg_catalog.pg_get_expr(r.prqual, r.prrelid)) from pg_catalog.pg_publication_rel r
    join pg_catalog.pg_publication p on p.oid = r.prpubid where p.pubname = $1[3] and r.prrelid = ${RELATION}`,
  routine: `${JSON_OF}('def', pg_catalog.pg_get_functiondef(p.oid), 'argSignature', pg_catalog.pg_get_function_arguments(p.oid))
    from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace where n.nspname = $1[1] and p.proname = $1[2]
     and array(select pg_catalog.format_type(t.type, null) from pg_catalog.unnest(p.proargtypes) with ordinality as t(type, place)
                order by t.place)::pg_catalog.text[] operator(pg_catalog.=) $1[3:]`,
} as const;

/**
 * How to make the definitions of a fact again, in a database that has the fact's object: in place where the
 * server allows that, else under a name of its own beside it.
 *
 * @param parent whose part the fact is.
 * @returns undefined for a fact without definitions, and for one that is made in another way than by its
 *   definition.
 */
export function remakingOf(fact: Fact, parent: Fact | undefined): Remaking | undefined {
  const { id, payload } = fact;
  const text = definitionsOf(fact);
  switch (id.kind) {
    case "table": {
      const like = `CREATE TABLE ${quoteQualified(id.schema, PROBE)} (LIKE ${quoteQualified(id.schema, id.name)})`;
      return {
        statements: [`${like} PARTITION BY ${text.partitionKey}`],
        query: QUERIES.partitionKey,
        names: [id.schema, PROBE],
      };
    }
    case "column": {
      const collation = typeof payload.collation === "string" ? ` COLLATE ${payload.collation}` : "";
      const stored = isVirtual(fact) ? "VIRTUAL" : "STORED";
      const expression = `GENERATED ALWAYS AS (${text.generatedExpr}) ${stored}`;
      return {
        statements: [
          `ALTER TABLE ${quoteQualified(id.schema, id.table)} ADD COLUMN ${quoteIdent(PROBE)} ${payload.type}${collation} ${expression}`,
        ],
        query: QUERIES.generated,
        names: [id.schema, id.table, PROBE],
      };
    }
    case "default":
      return {
        statements: [
          `ALTER TABLE ${quoteQualified(id.schema, id.table)} ALTER COLUMN ${quoteIdent(id.name)} SET DEFAULT ${text.expr}`,
        ],
        query: QUERIES.default,
        names: [id.schema, id.table, id.name],
      };
    case "constraint": {
      const add = `ADD CONSTRAINT ${quoteIdent(PROBE)} ${text.def}`;
      if (parent?.id.kind !== "domain") {
        return {
          statements: [`ALTER TABLE ${quoteQualified(id.schema, id.table)} ${add}`],
          query: QUERIES.constraint,
          names: [id.schema, id.table, PROBE],
        };
      }
      // A domain within other types refuses a new constraint, so it is given to one that is like it.
      const like = quoteQualified(id.schema, PROBE);
      return {
        statements: [`CREATE DOMAIN ${like} AS ${parent.payload.baseType}`, `ALTER DOMAIN ${like} ${add}`],
        query: QUERIES.domainConstraint,
        names: [id.schema, PROBE, PROBE],
      };
    }
    case "domain":
      return {
        statements: [`ALTER DOMAIN ${quoteQualified(id.schema, id.name)} SET DEFAULT ${text.default}`],
        query: QUERIES.domainDefault,
        names: [id.schema, id.name],
      };
    case "index":
      return {
        statements: [
          `ALTER INDEX IF EXISTS ${quoteQualified(id.schema, id.name)} RENAME TO ${quoteIdent(PROBE)}`,
          text.def ?? "",
        ],
        query: QUERIES.index,
        names: [id.schema, id.name],
      };
    case "view":
      return {
        statements: [`CREATE VIEW ${quoteQualified(id.schema, PROBE)} AS ${text.def}`],
        query: QUERIES.view,
        names: [id.schema, PROBE],
      };
    case "materializedView":
      return {
        statements: [
          `CREATE MATERIALIZED VIEW ${quoteQualified(id.schema, PROBE)} AS ${text.def?.replace(/;$/, "")} WITH NO DATA`,
        ],
        query: QUERIES.view,
        names: [id.schema, PROBE],
      };
    case "trigger":
    case "rule": {
      const drop = `DROP ${id.kind === "rule" ? "RULE" : "TRIGGER"} IF EXISTS ${quoteIdent(id.name)}`;
      return {
        statements: [`${drop} ON ${quoteQualified(id.schema, id.table)}`, text.def ?? ""],
        query: QUERIES[id.kind],
        names: [id.schema, id.table, id.name],
      };
    }
    case "policy": {
      const policy = `CREATE POLICY ${quoteIdent(PROBE)} ON ${quoteQualified(id.schema, id.table)}`;
      const using = text.usingExpr === undefined ? "" : ` USING (${text.usingExpr})`;
      const check = text.checkExpr === undefined ? "" : ` WITH CHECK (${text.checkExpr})`;
      return {
        // One without USING is for INSERT; the others do not differ in their expressions.
        statements: [`${policy}${text.usingExpr === undefined ? " FOR INSERT" : ""}${using}${check}`],
        query: QUERIES.policy,
        names: [id.schema, id.table, PROBE],
      };
    }
    case "publicationRel":
      return {
        statements: [
          `CREATE PUBLICATION ${quoteIdent(PROBE)} FOR TABLE ${quoteQualified(id.schema, id.table)} WHERE (${text.where})`,
        ],
        query: QUERIES.published,
        names: [id.schema, id.table, PROBE],
      };
    case "function":
    case "procedure":
      return {
        statements: [DROP_RULES, text.def ?? ""],
        query: QUERIES.routine,
        names: [id.schema, id.name, ...id.args],
      };
    case "extensionIntent":
      return remakingOfObject(id, text);
    default:
      return undefined;
  }
}

function remakingOfObject(id: Extract<Fact["id"], { kind: "extensionIntent" }>, text: Texts): Remaking | undefined {
  const names = splitName(id.key);
  switch (asObject(id)?.intentKind) {
    case "default of view column": {
      const [schema = "", view = "", column = ""] = names;
      return {
        statements: [
          `ALTER VIEW ${quoteQualified(schema, view)} ALTER COLUMN ${quoteIdent(column)} SET DEFAULT ${text.expr}`,
        ],
        query: QUERIES.default,
        names,
      };
    }
    case "statistics object":
      return {
        statements: [`ALTER STATISTICS ${id.key} RENAME TO ${quoteIdent(PROBE)}`, text.definition ?? ""],
        query: QUERIES.statistics,
        names,
      };
    default:
      return undefined;
  }
}
