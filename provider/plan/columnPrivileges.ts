/**
 * In which order privileges on tables and their columns are revoked and granted, so that none is lost. Which
 * ones differ is found by the planner.
 */
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";

/** What this module needs of a statement. */
interface Privileged {
  sql: string;
  id: StableId | undefined;
}

type ColumnAcl = Extract<StableId, { kind: "acl" }> & { column: string };

/** Whose rights on what: a table's and its columns' have the same. */
const scopeOf = (id: Extract<StableId, { kind: "acl" }>): string => `${encodeId(id.target)} ${id.grantee}`;

const isColumnAcl = (id: StableId | undefined): id is ColumnAcl => id?.kind === "acl" && id.column !== undefined;

/**
 * A `REVOKE … ON TABLE` takes the rights on the table's columns with it. So the columns' turn comes after the
 * table's, and rights on columns that the plan leaves alone are given again.
 *
 * @param regrant makes the statement for a right on a column from its SQL.
 */
export function columnPrivilegesLast<T extends Privileged>(
  statements: readonly T[],
  live: FactBase,
  desired: FactBase,
  regrant: (sql: string, id: StableId) => T,
): T[] {
  const revoked = new Map<string, number>();
  for (const [n, { sql, id }] of statements.entries())
    if (id?.kind === "acl" && id.column === undefined && sql.startsWith("REVOKE ")) revoked.set(scopeOf(id), n);
  if (revoked.size === 0) return [...statements];

  const isMoved = ({ id }: Privileged, n: number): boolean => isColumnAcl(id) && (revoked.get(scopeOf(id)) ?? -1) > n;
  const moved = statements.filter(isMoved);
  const planned = new Set(statements.flatMap(({ id }) => (isColumnAcl(id) ? [encodeId(id)] : [])));
  const lost = desired
    .facts()
    .filter(({ id }) => isColumnAcl(id) && revoked.has(scopeOf(id)) && live.has(id) && !planned.has(encodeId(id)));
  return [
    ...statements.filter((statement, n) => !isMoved(statement, n)),
    ...moved,
    ...lost.flatMap((fact) => grants(fact).map((sql) => regrant(sql, fact.id))),
  ];
}

function grants({ id, payload }: Fact): string[] {
  const { privileges, grantable } = payload;
  if (!isColumnAcl(id) || !("schema" in id.target && "name" in id.target) || !Array.isArray(privileges)) return [];
  const { schema, name } = id.target;
  if (schema === null) return [];
  const passed = Array.isArray(grantable) ? grantable.map(String) : [];
  const to = id.grantee === "PUBLIC" ? "PUBLIC" : quoteIdent(id.grantee);
  const grant = (names: string[], option: string): string[] => {
    if (names.length === 0) return [];
    const list = names.map((privilege) => `${privilege} (${quoteIdent(id.column)})`).join(", ");
    return [`GRANT ${list} ON TABLE ${quoteQualified(schema, name)} TO ${to}${option}`];
  };
  const plain = privileges.map(String).filter((privilege) => !passed.includes(privilege));
  return [...grant(plain, ""), ...grant(passed, " WITH GRANT OPTION")];
}
