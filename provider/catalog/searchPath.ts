/**
 * With which `search_path` a printed definition keeps its meaning. The path of our own sessions is in
 * `core/searchPath.ts`.
 */
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { definitionsOf } from "./definitions.ts";
import type { Fact, FactBase } from "./pgDelta.ts";
import { quoteIdent } from "./quote.ts";

/**
 * Forms of which no print can say the schema of their operator: the server looks it up by its name. For two
 * `citext`, `NULLIF` compared without regard to case when it was read with citext's schema in the path, and
 * compares as `text` when it is read again without.
 */
const OPERATOR_BY_NAME = /\bNULLIF\(|\bDISTINCT FROM\b|\bUSING \(|\bCASE\b|\bROW\(/;

/**
 * The `search_path` with which the definitions of a fact mean what they meant: with the schemas of the
 * extensions that they depend on, where they have such a form, else without any schema of others.
 */
export function searchPathOf(fact: Fact, facts: FactBase): string {
  if (!Object.values(definitionsOf(fact)).some((text) => OPERATOR_BY_NAME.test(text))) return PINNED_SEARCH_PATH;
  const schemas = facts.outgoingEdges(fact.id).flatMap(({ kind, to }) => {
    const schema = kind === "depends" && to.kind === "extension" ? facts.get(to)?.payload.schema : undefined;
    return typeof schema === "string" ? [quoteIdent(schema)] : [];
  });
  return ["pg_catalog", ...[...new Set(schemas)].sort(), "pg_temp"].join(", ");
}

/** As it stands in each statement that makes it: an index may be built concurrently. */
const partInSql = ({ id }: Fact, text: string): string =>
  id.kind === "index" ? text.slice(text.indexOf(" USING ")) : text.trim().replace(/;$/, "");

/** Tells for SQL of a plan the path with which it has to be read, if not with the plain one. */
export function searchPathsIn(facts: FactBase): (sql: string) => string | undefined {
  const paths = new Map<string, string>();
  for (const fact of facts.facts()) {
    const path = searchPathOf(fact, facts);
    if (path === PINNED_SEARCH_PATH) continue;
    for (const text of Object.values(definitionsOf(fact))) paths.set(partInSql(fact, text), path);
  }
  return (sql) => [...paths].find(([text]) => sql.includes(text))?.[1];
}
