/**
 * Whether the connecting role may carry out a plan: ownership, CREATE, REFERENCES, SET. Privileges that the
 * layers grant to others are part of the plan itself.
 */
import type { ClientBase, Pool } from "pg";
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";
import { UserError } from "../core/errors.ts";
import type { Statement } from "../plan/statement.ts";

/**
 * Whether the role may create in the database; which of the roles named it is not a member of, in which of
 * the schemas it may not create, which of the tables it may not refer to, and which of the parameters it may
 * not set. What does not exist yet is no obstacle.
 */
const RIGHTS = `
  select pg_catalog.has_database_privilege(current_user, pg_catalog.current_database(), 'CREATE') as creates,
         pg_catalog.quote_ident(pg_catalog.current_database()) as database,
         array(select rolname::pg_catalog.text from pg_catalog.pg_roles
                where rolname = any($1) and not pg_catalog.pg_has_role(current_user, oid, 'USAGE')) as foreign_owners,
         array(select nspname::pg_catalog.text from pg_catalog.pg_namespace
                where nspname = any($2) and not pg_catalog.has_schema_privilege(current_user, oid, 'CREATE')) as closed_schemas,
         array(select pg_catalog.format('%I.%I', n.nspname, c.relname)
                 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
                where n.nspname || '.' || c.relname = any($3)
                  and not pg_catalog.has_table_privilege(current_user, c.oid, 'REFERENCES')) as closed_tables,
         array(select name from pg_catalog.pg_settings
                where name = any($4) and context = 'superuser'
                  and not pg_catalog.has_parameter_privilege(name, 'SET')) as closed_parameters`;

interface Rights {
  creates: boolean;
  database: string;
  foreign_owners: string[];
  closed_schemas: string[];
  closed_tables: string[];
  closed_parameters: string[];
}

/** Kinds that are made in a schema by a right on it. */
const SCHEMA_OBJECTS: ReadonlySet<StableId["kind"]> = new Set([
  ...([
    "table",
    "view",
    "materializedView",
    "foreignTable",
    "sequence",
    "index",
    "collation",
    "domain",
    "type",
  ] as const),
  ...(["function", "procedure", "aggregate"] as const),
]);

/**
 * Refuses a plan that the connecting role may not carry out: in a preview already, and before the first
 * statement.
 *
 * @param role the connecting role.
 */
export async function refuseMissingPrivileges(
  client: ClientBase | Pool,
  role: string,
  live: FactBase,
  desired: FactBase,
  statements: readonly Statement[],
): Promise<void> {
  const owned = namesByOwner(live, desired, statements, role);
  const created = namesBySchema(statements);
  const referred = referredTables(live, desired, statements);
  const set = functionsByParameter(desired, statements);
  const named = [[...owned.keys()], [...created.keys()], referred, [...set.keys()]];
  const { rows } = await client.query<Rights>(RIGHTS, named);
  const [found] = rows;
  if (found === undefined) throw new Error("the server answered a one-row query with no row");
  const to = quoteIdent(role);
  const creating = statements.find(
    ({ op, id }) => op === "create" && (id?.kind === "schema" || id?.kind === "extension"),
  );
  const faults = [
    ...(found.creates || creating === undefined
      ? []
      : [`It may not create ${creating.subject}: \`grant create on database ${found.database} to ${to}\`.`]),
    ...found.foreign_owners.map(
      (owner) =>
        `It may not change ${list(owned.get(owner))}, owned by ${owner}: connect as ${owner}, or \`grant ${quoteIdent(owner)} to ${to}\`.`,
    ),
    ...found.closed_schemas.map(
      (schema) =>
        `It may not create ${list(created.get(schema))}: \`grant create on schema ${quoteIdent(schema)} to ${to}\`.`,
    ),
    ...found.closed_tables.map(
      (table) => `It may not create foreign keys that refer to ${table}: \`grant references on ${table} to ${to}\`.`,
    ),
    ...found.closed_parameters.map(
      (parameter) =>
        `It may not set ${parameter}, as ${list(set.get(parameter))} does: let a superuser run \`grant set on parameter ${parameter} to ${to}\`, or leave the SET out.`,
    ),
  ];
  if (faults.length === 0) return;
  throw new UserError(
    "PS304",
    `The role ${role} lacks privileges that this layer needs. Nothing was changed.\n${faults.join("\n")}`,
  );
}

const list = (names: ReadonlySet<string> | undefined): string => {
  const all = [...(names ?? [])];
  return all.slice(0, 5).join(", ") + (all.length > 5 ? ` and ${all.length - 5} more` : "");
};

/** What only an owner may do, by the owner's name; what belongs to the connecting role has no owner edge. */
function namesByOwner(
  live: FactBase,
  desired: FactBase,
  statements: readonly Statement[],
  role: string,
): Map<string, Set<string>> {
  const owners = new Map(
    live.edges.flatMap(({ kind, from, to }) => (kind === "owner" && "name" in to ? [[encodeId(from), to.name]] : [])),
  );
  const names = new Map<string, Set<string>>();
  for (const { id } of statements) {
    if (id === undefined || (id.kind === "acl" && mayPassOn(live, id.target, role))) continue;
    const object = changedObject(id, [live, desired]);
    const owner = owners.get(encodeId(object));
    if (owner !== undefined) add(names, owner, describe(object));
  }
  return names;
}

/** Indexes, triggers and the like are their table's owner's to change. */
function changedObject(id: StableId, sides: readonly FactBase[]): StableId {
  const object = ownerObject(id);
  switch (object.kind) {
    case "policy":
    case "trigger":
    case "rule":
      return { kind: "table", schema: object.schema, name: object.table };
    case "index":
      return sides.map((side) => side.get(object)?.parent).find((table) => table !== undefined) ?? object;
    default:
      return object;
  }
}

/** A role that holds a privilege with grant option need not be the owner. */
function mayPassOn(live: FactBase, target: StableId, role: string): boolean {
  const own = live.get({ kind: "acl", target, grantee: role });
  return Array.isArray(own?.payload.grantable) && own.payload.grantable.length > 0;
}

function namesBySchema(statements: readonly Statement[]): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { op, id } of statements) {
    if (op === "create" && id !== undefined && SCHEMA_OBJECTS.has(id.kind) && "schema" in id && id.schema !== null)
      add(names, id.schema, describe(id));
  }
  return names;
}

/** Existing tables that new foreign keys refer to, as `schema.table`. */
function referredTables(live: FactBase, desired: FactBase, statements: readonly Statement[]): string[] {
  const constraints = new Map(
    statements.flatMap(({ op, id }) =>
      op === "create" && id?.kind === "constraint" ? [[encodeId(id), encodeId(ownerObject(id))]] : [],
    ),
  );
  const tables = desired.edges.flatMap(({ kind, from, to }) => {
    const own = kind === "depends" ? constraints.get(encodeId(from)) : undefined;
    const table = own === undefined ? undefined : ownerObject(to);
    return table?.kind === "table" && encodeId(table) !== own && live.has(table) ? [table] : [];
  });
  return [...new Set(tables.map(({ schema, name }) => `${schema}.${name}`))];
}

/** The functions that come or change, by the parameters that their SET clauses name. */
function functionsByParameter(desired: FactBase, statements: readonly Statement[]): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>();
  for (const { op, id } of statements) {
    const parameters = op === "delete" || id === undefined ? undefined : desired.get(id)?.payload._configGucs;
    if (id !== undefined && Array.isArray(parameters))
      for (const parameter of parameters) add(names, String(parameter), describe(id));
  }
  return names;
}

function add(names: Map<string, Set<string>>, key: string, name: string): void {
  names.set(key, (names.get(key) ?? new Set()).add(name));
}
