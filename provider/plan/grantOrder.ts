/**
 * Whether privileges have to be there before the end of a plan. Which ones differ is found by the planner.
 */
import { ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { identitySequencesMadeBy } from "./defaultPrivileges.ts";

interface Ordered {
  sql: string;
  op: string;
  id: StableId | undefined;
}

/**
 * Statements in which objects have their privileges as soon as they are there, where something else asks for
 * them: a materialized view runs what it reads with the rights of the owners of views on the way, and a role
 * that becomes an owner needs CREATE on the schema.
 */
export function withGrantsEarly<T extends Ordered>(statements: readonly T[], desired: FactBase): T[] {
  if (!statements.some(needsPrivileges)) return [...statements];
  const targets = new Map<string, T[]>();
  for (const statement of statements) {
    const key = isPrivilege(statement) && statement.id !== undefined ? encodeId(ownerObject(statement.id)) : undefined;
    if (key !== undefined) targets.set(key, [...(targets.get(key) ?? []), statement]);
  }
  const makes = (statement: T): string[] => {
    const { op, id } = statement;
    const own = op === "create" && id !== undefined ? [id] : [];
    return [...own, ...identitySequencesMadeBy(statement, desired)].map(encodeId);
  };
  const made = new Set(statements.flatMap(makes));
  let ordered = [...statements];
  for (const [key, group] of targets) {
    if (
      !(made.has(key)
        ? group.every((each) => !takesReading(each, desired))
        : group.every((each) => gives(each, desired)))
    )
      continue;
    const rest = ordered.filter((statement) => !group.includes(statement));
    const isAbout = ({ id }: T): boolean => id !== undefined && encodeId(ownerObject(id)) === key;
    const last = rest.findLastIndex((statement) => isAbout(statement) || makes(statement).includes(key));
    ordered = [...rest.slice(0, last + 1), ...group, ...rest.slice(last + 1)];
  }
  return ordered;
}

const isPrivilege = ({ sql }: Ordered): boolean => /^(?:GRANT|REVOKE) /.test(sql);

const needsPrivileges = ({ sql, op, id }: Ordered): boolean =>
  (op === "create" && id?.kind === "materializedView") || / OWNER TO "/.test(sql);

/** What an owner is not to read stays readable until all is made. */
function takesReading({ id }: Ordered, desired: FactBase): boolean {
  const { privileges, _ownerDefault } = (id === undefined ? undefined : desired.get(id))?.payload ?? {};
  return Array.isArray(_ownerDefault) && _ownerDefault.includes("SELECT") && !String(privileges).includes("SELECT");
}

/** A REVOKE that a GRANT follows takes nothing that something could still need. */
function gives({ sql, id }: Ordered, desired: FactBase): boolean {
  const privileges = id === undefined ? undefined : desired.get(id)?.payload.privileges;
  return sql.startsWith("GRANT ") || (Array.isArray(privileges) && privileges.length > 0);
}
