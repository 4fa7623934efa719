import type { ClientBase, Pool } from "pg";
import { encodeId, type FactBase, type StableId } from "../../engine/pgDelta.ts";
import type { Statement } from "../../engine/statements.ts";
import { UserError } from "../../userError.ts";

/** Whether the role may create in the database, and which of the named roles it is not a member of. */
const RIGHTS = `
  select pg_catalog.has_database_privilege(current_user, pg_catalog.current_database(), 'CREATE') as creates,
         array(select owner from pg_catalog.unnest($1::text[]) as owner
                           where not pg_catalog.pg_has_role(current_user, owner, 'USAGE')) as foreign_owners`;

/**
 * Refuses a plan that the connecting role may not carry out: in a preview already, and before the first statement.
 *
 * @param owner the connecting role.
 */
export async function refuseMissingRights(
  client: ClientBase | Pool,
  owner: string,
  live: FactBase,
  statements: readonly Statement[],
): Promise<void> {
  const owners = ownersOf(live, statements);
  const { rows } = await client.query<{ creates: boolean; foreign_owners: string[] }>(RIGHTS, [[...owners.keys()]]);
  const faults: string[] = [];
  const creating = statements.find(
    ({ op, target }) => op === "create" && (target?.kind === "schema" || target?.kind === "extension"),
  );
  if (rows[0]?.creates === false && creating !== undefined) {
    faults.push(
      `It may not create ${creating.subject}: grant it CREATE on the database (\`grant create on database … to …\`).`,
    );
  }
  for (const role of rows[0]?.foreign_owners ?? []) {
    faults.push(
      `It may not change ${owners.get(role)?.join(", ")}, owned by ${role}: connect as ${role}, or \`grant ${role} to …\`.`,
    );
  }
  if (faults.length === 0) return;
  throw new UserError(
    `The role ${owner} lacks rights that this layer needs. Nothing was changed.\n${faults.join("\n")}`,
  );
}

/** Objects that the statements change or drop, by their owner; those of the connecting role have no owner edge. */
function ownersOf(live: FactBase, statements: readonly Statement[]): Map<string, string[]> {
  const touched = new Map<string, string>();
  for (const { op, target, object } of statements)
    if (op !== "create" && target !== undefined) touched.set(encodeId(target), object);
  const owners = new Map<string, string[]>();
  for (const edge of live.edges) {
    const object = edge.kind === "owner" ? touched.get(encodeId(edge.from)) : undefined;
    if (object !== undefined) owners.set(nameOf(edge.to), [...(owners.get(nameOf(edge.to)) ?? []), object]);
  }
  return owners;
}

const nameOf = (id: StableId): string => ("name" in id ? id.name : encodeId(id));
