/**
 * What default privileges give to an object that a plan creates, although nothing declares it: a file may
 * create it before it says the default, and a database may have defaults that no layer declares.
 */
import type { Fact, FactBase, StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";

interface PlannedObject {
  op: string;
  id: StableId | undefined;
}

/** The code of the kind in `pg_default_acl`, and the word that a REVOKE has for it. */
const KINDS: Partial<Record<StableId["kind"], readonly [code: string, word: string]>> = {
  table: ["r", "TABLE"],
  view: ["r", "TABLE"],
  materializedView: ["r", "TABLE"],
  foreignTable: ["r", "TABLE"],
  sequence: ["S", "SEQUENCE"],
  function: ["f", "FUNCTION"],
  procedure: ["f", "PROCEDURE"],
  aggregate: ["f", "FUNCTION"],
  type: ["T", "TYPE"],
  domain: ["T", "DOMAIN"],
};

/**
 * Statements with a REVOKE behind each creation of an object, from those whom default privileges name and its
 * own do not. Whose defaults they are is not asked: a REVOKE of nothing does no harm.
 *
 * @param revoking makes a statement of its SQL.
 */
export function withoutDefaultPrivileges<T extends PlannedObject>(
  statements: readonly T[],
  live: FactBase,
  desired: FactBase,
  revoking: (sql: string, id: StableId) => T,
): T[] {
  const defaults = [live, desired].flatMap((side) => side.facts()).flatMap(granted);
  if (defaults.length === 0) return [...statements];
  return statements.flatMap((statement) => {
    const { op, id } = statement;
    if (op !== "create" || id === undefined || !("schema" in id && "name" in id) || id.schema === null)
      return [statement];
    const { kind, schema, name } = id;
    const [code, word] = KINDS[kind] ?? [];
    if (code === undefined || !desired.has(id)) return [statement];
    const given = defaults.filter((each) => each.objtype === code && (each.schema ?? schema) === schema);
    const undeclared = [...new Set(given.map(({ grantee }) => grantee))].filter(
      (grantee) => !desired.has({ kind: "acl", target: id, grantee }),
    );
    const target = `${word} ${quoteQualified(schema, name)}${"args" in id ? `(${id.args.join(", ")})` : ""}`;
    return [
      statement,
      ...undeclared.map((grantee) =>
        revoking(`REVOKE ALL ON ${target} FROM ${grantee === "PUBLIC" ? "PUBLIC" : quoteIdent(grantee)}`, id),
      ),
    ];
  });
}

/** A default that gives something to somebody other than the owner. */
function granted({ id, payload }: Fact): Extract<StableId, { kind: "defaultPrivilege" }>[] {
  if (id.kind !== "defaultPrivilege" || id.grantee === id.role) return [];
  return [payload.privileges, payload.grantable].some((list) => Array.isArray(list) && list.length > 0) ? [id] : [];
}
