/**
 * What default privileges give to an object that a plan creates, although nothing declares it: a file may
 * create it before it says the default, and a database may have defaults that no layer declares.
 */
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { revokeAll } from "./ownerPrivileges.ts";

interface PlannedObject {
  sql: string;
  op: string;
  id: StableId | undefined;
}

/** The codes in `pg_default_acl` of the kinds that there are default privileges for. */
const CODES: Partial<Record<StableId["kind"], string>> = {
  table: "r",
  view: "r",
  materializedView: "r",
  foreignTable: "r",
  sequence: "S",
  function: "f",
  procedure: "f",
  aggregate: "f",
  type: "T",
  domain: "T",
  schema: "n",
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
  const revokes = (id: StableId): T[] => {
    const code = CODES[id.kind];
    const schema = "schema" in id ? id.schema : null;
    const given = defaults.filter((each) => each.objtype === code && (each.schema ?? schema) === schema);
    const undeclared = [...new Set(given.map(({ grantee }) => grantee))].filter(
      (grantee) => !desired.has({ kind: "acl", target: id, grantee }),
    );
    return undeclared.map((grantee) => revoking(revokeAll(id, grantee), id));
  };
  return statements.flatMap((statement) => {
    const { op, id } = statement;
    const made = op === "create" && id !== undefined && desired.has(id) ? [id] : [];
    return [statement, ...[...made, ...identitySequencesMadeBy(statement, desired)].flatMap(revokes)];
  });
}

/** A REVOKE from one who has nothing of a new object yet. */
export function isNeedless({ sql, id }: Pick<PlannedObject, "sql" | "id">, live: FactBase, desired: FactBase): boolean {
  if (id?.kind !== "acl" || !sql.startsWith("REVOKE ") || live.has(id)) return false;
  const { privileges, _ownerDefault } = desired.get(id)?.payload ?? {};
  const isGiven = Array.isArray(privileges) && privileges.length > 0;
  const mayHaveSome = Array.isArray(_ownerDefault) || (id.grantee === "PUBLIC" && id.target.kind !== "sequence");
  return isGiven && !mayHaveSome && !hasDefaultFor(id.grantee, id.target.kind, live, desired);
}

/** Whether default privileges may give something to a role on an object of a kind, in any schema. */
const hasDefaultFor = (grantee: string, kind: StableId["kind"], ...sides: readonly FactBase[]): boolean =>
  sides.some((side) =>
    side.facts().some((fact) => granted(fact).some((id) => id.grantee === grantee && id.objtype === CODES[kind])),
  );

/** A default that gives something to somebody other than the owner. */
function granted({ id, payload }: Fact): Extract<StableId, { kind: "defaultPrivilege" }>[] {
  if (id.kind !== "defaultPrivilege" || id.grantee === id.role) return [];
  return [payload.privileges, payload.grantable].some((list) => Array.isArray(list) && list.length > 0) ? [id] : [];
}

/** Sequences that a statement makes with an identity column. */
export function identitySequencesMadeBy({ sql, op, id }: PlannedObject, desired: FactBase): StableId[] {
  if (id === undefined || !/ GENERATED (ALWAYS|BY DEFAULT) AS IDENTITY/.test(sql)) return [];
  const key = encodeId(id);
  const columns =
    id.kind === "column"
      ? [desired.get(id)]
      : op === "create" && id.kind === "table"
        ? desired.facts().filter(({ parent }) => parent !== undefined && encodeId(parent) === key)
        : [];
  return columns.flatMap((column) => {
    const identity = column?.payload.identity;
    if (typeof identity !== "object" || identity === null || !("sequence" in identity)) return [];
    const { sequence } = identity;
    if (typeof sequence !== "object" || sequence === null || !("schema" in sequence && "name" in sequence)) return [];
    return [{ kind: "sequence" as const, schema: String(sequence.schema), name: String(sequence.name) }];
  });
}
