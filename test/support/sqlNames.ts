import ts from "typescript";

/**
 * Stands in for what a template interpolates: a quoted name, a parameter, a fragment that is checked itself.
 */
const HOLE = "§";

/** The texts in a TypeScript file that are SQL, or a part of it. */
export function sqlIn(path: string, text: string): string[] {
  const found: string[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) found.push(node.text);
    if (ts.isTemplateExpression(node))
      found.push(node.head.text + node.templateSpans.map(({ literal }) => HOLE + literal.text).join(""));
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, text, ts.ScriptTarget.Latest));
  return found.filter(isSql);
}

const VERBS =
  "select|with|insert into|update|delete from|create|alter|drop|lock table|truncate|set|reset|do|from|join|where|union|array|not exists|exists";
const BEGINS_AS_SQL = new RegExp(`^\\s*[(]?(?:${VERBS}|${VERBS.toUpperCase()})\\b`);

/** Sentences begin with a capital, or hold no sign of SQL. */
function isSql(text: string): boolean {
  if (/[a-z]\. [A-Z]|^[A-Z][a-z]/.test(text)) return false;
  return BEGINS_AS_SQL.test(text) || /\bpg_catalog\.|[\w)\]"§]::[a-z]/.test(text);
}

/** What the grammar takes for itself and looks up in no path. */
const KEYWORDS = new Set(
  `all and any array as begin by case cast check coalesce conflict default distinct else end except exists extract filter for from
   greatest group grouping if in into is join key lateral least limit loop materialized not nullif on only operator options or order ordinality
   over perform primary references reset return returning row select set some table then to union unique update using values when where with within`.split(
    /\s+/,
  ),
);
const KEYWORD_TYPES = new Set(
  "bigint bit boolean char character dec decimal float int integer interval numeric real smallint time timestamp varchar".split(
    " ",
  ),
);
/** What comes before a name that is made or given here, and not looked up. */
const NAMING = new Set(["as", "into", "function", "table", "index", "constraint", "column"]);

/** `FROM CURRENT` of a setting names no relation. */
const withoutTexts = (sql: string): string =>
  sql
    .replaceAll(/--.*$/gm, "")
    .replaceAll(/'(?:[^']|'')*'/g, "''")
    .replaceAll(/\bFROM CURRENT\b/g, "");

/** Names in SQL that the server looks up in the path: functions, types and relations without their schema. */
export function unqualifiedNames(sql: string): string[] {
  const plain = withoutTexts(sql);
  const known = new Set([...plain.matchAll(/\b(\w+) as (?:materialized )?\(/gi)].map(([, name]) => name));
  const functions = [
    ...plain.matchAll(/(?:\b(\w+)\s+)?(?<![.\w"$§])([a-z_]\w*)\s*\((?=((?:[^()]|\([^()]*\))*))/gi),
  ].flatMap(([, before = "", name = "", passed = ""]) => {
    // `unnest` of several arrays is grammar: it calls the server's own, and cannot be qualified.
    const isGrammar = KEYWORDS.has(name.toLowerCase()) || (name === "unnest" && passed.includes(","));
    return isGrammar || NAMING.has(before.toLowerCase()) ? [] : [`${name}()`];
  });
  const types = [...plain.matchAll(/::\s*([a-z_]\w*)\b(?!\s*\.)/gi)].flatMap(([, name = ""]) =>
    KEYWORD_TYPES.has(name.toLowerCase()) ? [] : [`::${name}`],
  );
  const relations = [
    ...plain.matchAll(
      /(?<!\bdistinct\s+)(?<!\bfor\s+(?:no\s+key\s+)?)\b(?:from|join|update|insert into|lock table)\s+(?:only\s+)?([a-z_]\w*)\b(?!\s*[.(])/gi,
    ),
  ].flatMap(([, name = ""]) => (KEYWORDS.has(name.toLowerCase()) || known.has(name) ? [] : [name]));
  return [...functions, ...types, ...relations];
}

/** Operators in SQL that the server looks up in the path. */
export function unqualifiedOperators(sql: string): string[] {
  const plain = withoutTexts(sql)
    .replaceAll(/\boperator\s*\([\w.]+\.[^\w\s)]+\)/gi, " ")
    .replaceAll(/::|:=|[(]\s*\*\s*[)]/g, " ");
  const signs = plain.match(/[-+*/<>=~!@#%^&|`?]+/g) ?? [];
  const words = plain.match(/\b(?:like|ilike|between|nullif|similar)\b|\bdistinct from\b|\bin\s*\(/gi) ?? [];
  return [...signs, ...words];
}
