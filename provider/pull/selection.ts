/**
 * Which facts of a database a layer of its own would declare, and which it leaves out: what the user
 * excludes, what holds a password, what each database has. How they are written is asked in
 * `layerFiles.ts`.
 */

import { buildFactBase } from "../catalog/factBase.ts";
import { hiddenIn } from "../catalog/hiddenValues.ts";
import { describe, isTopLevel, ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { keepOwnerEdge } from "../catalog/readCatalog.ts";
import { rolesNamedBy } from "../catalog/roles.ts";
import { UserError } from "../core/errors.ts";

/** What is not to be pulled. */
export interface Exclusions {
  schemas: readonly string[];
  /** With their schema, unquoted: `app.items`. */
  tables: readonly string[];
  roles: readonly string[];
}

export interface Selection {
  /** What the layer's files declare. */
  facts: FactBase;
  /**
   * What they need of excluded schemas and tables, and what that needs in turn; the layer assumes it, and
   * does not declare it.
   */
  assumed: FactBase;
  /** What each new database has of the schema `public`, as far as the files say something of that. */
  given: FactBase;
  /** Roles that the files name. */
  roles: string[];
  /** What is in the database and in no file, with the reason; one line each. */
  leftOut: string[];
}

/**
 * Splits the facts of a database.
 *
 * @throws {UserError} for an exclusion of what is not there.
 */
export function selectFacts(facts: FactBase, exclusions: Exclusions): Selection {
  refuseUnknown(facts, exclusions);
  const all = facts.facts();
  const excluded = new Set(all.filter(({ id }) => isExcluded(id, exclusions)).map(({ id }) => encodeId(id)));
  const secret = all.filter(({ id }) => SECRET[id.kind] !== undefined);
  const hidden = withUsers(
    facts,
    all.filter((fact) => SECRET[fact.id.kind] === undefined && hiddenIn(fact).length > 0),
  );
  const gone = withParts(facts, new Set([...excluded, ...secret.map(({ id }) => encodeId(id)), ...hidden.keys()]));
  const isOfRole = ({ id }: Fact): boolean => rolesOf(id).some((role) => exclusions.roles.includes(role));
  const kept = all.filter((fact) => !gone.has(encodeId(fact.id)) && !isOfRole(fact) && !isOfEachDatabase(fact));
  const chosen = baseOf(kept, facts, exclusions.roles);
  const assumed = neededOf(chosen, facts, excluded);
  return {
    facts: chosen,
    assumed,
    given: givenOf(chosen),
    roles: [...rolesNamedBy([...chosen.facts(), ...assumed.facts()], chosen.edges)].sort(),
    leftOut: [
      ...secret.map(({ id }) => `${describe(ownerObject(id))}: ${SECRET[id.kind] ?? ""}`),
      ...[...hidden].filter(([key]) => !excluded.has(key)).map(([, reason]) => reason),
    ].sort(),
  };
}

function refuseUnknown(facts: FactBase, { schemas, tables, roles }: Exclusions): void {
  const known = {
    schema: new Set(facts.facts().flatMap(({ id }) => (id.kind === "schema" ? [id.name] : []))),
    table: new Set(
      facts
        .facts()
        .flatMap(({ id }) =>
          RELATIONS.has(id.kind) && "schema" in id && "name" in id ? [`${id.schema}.${id.name}`] : [],
        ),
    ),
    role: new Set([...rolesNamedBy(facts.facts(), facts.edges), ...facts.facts().flatMap(({ id }) => rolesOf(id))]),
  };
  const given = { schema: schemas, table: tables, role: roles };
  for (const kind of ["schema", "table", "role"] as const)
    for (const name of given[kind])
      if (!known[kind].has(name))
        throw new UserError(
          "PS706",
          `Found --exclude-${kind} ${name}, and the database has ${kind === "role" ? "nothing of such a role" : `no such ${kind}`}. ` +
            `Expected the name as the catalog has it${kind === "table" ? ", with its schema, such as app.items" : ""}, without quotes.`,
        );
}

const RELATIONS = new Set<StableId["kind"]>(["table", "view", "materializedView", "foreignTable", "sequence"]);

const SECRET: Partial<Record<StableId["kind"], string>> = {
  userMapping: "its options hold a password; make it with a login of your own",
  subscription: "its connection string holds a password; make it by hand",
};

/**
 * Objects of which the library hides a value, because it may be a secret, and all that needs one of them: by
 * encoded id, why it is left out.
 */
function withUsers(facts: FactBase, hidden: readonly Fact[]): Map<string, string> {
  const reasons = new Map<string, string>();
  const open: StableId[] = [];
  const leaveOut = (id: StableId, reason: string): void => {
    if (reasons.has(encodeId(id)) || SECRET[id.kind] !== undefined) return;
    reasons.set(encodeId(id), `${describe(id)}: ${reason}`);
    open.push(id);
  };
  for (const fact of hidden)
    leaveOut(wholeOf(fact.id, facts), `${hiddenIn(fact).join(" and ")} may be a secret; make it by hand`);
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    const key = encodeId(id);
    const reason = `it needs ${describe(id)}, which is left out`;
    for (const fact of facts.facts())
      if (isTopLevel(fact.id) && fact.parent !== undefined && encodeId(fact.parent) === key) leaveOut(fact.id, reason);
    for (const { from, to, kind } of facts.edges)
      if (kind === "depends" && encodeId(wholeOf(to, facts)) === key && encodeId(wholeOf(from, facts)) !== key)
        leaveOut(wholeOf(from, facts), reason);
  }
  return reasons;
}

/** What a part hangs on, however far above it. */
function wholeOf(id: StableId, facts: FactBase): StableId {
  const parent = isTopLevel(id) ? undefined : facts.get(id)?.parent;
  return parent === undefined ? id : wholeOf(parent, facts);
}

function isExcluded(id: StableId, { schemas, tables }: Exclusions): boolean {
  const object = ownerObject(id);
  if (object.kind === "schema") return schemas.includes(object.name);
  if (object.kind === "defaultPrivilege") return object.schema !== null && schemas.includes(object.schema);
  if (!("schema" in object) || object.schema === null) return false;
  const table = "table" in object ? object.table : "name" in object ? object.name : "";
  return schemas.includes(object.schema) || tables.includes(`${object.schema}.${table}`);
}

/** With what hangs below it: indexes, comments, privileges. */
function withParts(facts: FactBase, ids: ReadonlySet<string>): Set<string> {
  const whole = new Set(ids);
  const isBelow = ({ id, parent }: Fact): boolean =>
    whole.has(encodeId(ownerObject(id))) || (parent !== undefined && whole.has(encodeId(parent)));
  for (let size = -1; size !== whole.size; ) {
    size = whole.size;
    for (const fact of facts.facts()) if (isBelow(fact)) whole.add(encodeId(fact.id));
  }
  return whole;
}

/** What is said of an extension by itself. */
function isOfEachDatabase({ id }: Fact): boolean {
  return id.kind === "comment" && id.target.kind === "extension";
}

function givenOf(chosen: FactBase): FactBase {
  const target: StableId = { kind: "schema", name: "public" };
  const schema = chosen.get(target);
  const given: Fact[] =
    schema === undefined
      ? []
      : [
          schema,
          { id: { kind: "comment", target }, parent: target, payload: { text: "standard public schema" } },
          {
            id: { kind: "acl", target, grantee: "PUBLIC" },
            parent: target,
            payload: { privileges: ["USAGE"], grantable: [] },
          },
        ];
  return buildFactBase(given, [], chosen.source);
}

function rolesOf(id: StableId): string[] {
  if (id.kind === "acl") return [id.grantee];
  return id.kind === "defaultPrivilege" ? [id.role, id.grantee] : [];
}

function baseOf(kept: readonly Fact[], facts: FactBase, roles: readonly string[]): FactBase {
  const present = new Set(kept.map(({ id }) => encodeId(id)));
  const edges = facts.edges.filter(
    (edge) =>
      present.has(encodeId(edge.from)) &&
      (present.has(encodeId(edge.to)) || keepOwnerEdge(edge)) &&
      !("name" in edge.to && edge.to.kind === "role" && roles.includes(edge.to.name)),
  );
  return buildFactBase([...kept], edges, facts.source, { allowDangling: keepOwnerEdge });
}

/**
 * Of excluded objects, those that others need, with their columns and keys and what they need themselves.
 */
function neededOf(chosen: FactBase, facts: FactBase, excluded: ReadonlySet<string>): FactBase {
  const needed = new Set<string>();
  const add = (id: StableId): void => {
    const key = encodeId(id);
    if (needed.has(key) || !facts.has(id)) return;
    needed.add(key);
    const object = ownerObject(id);
    add({ kind: "schema", name: "schema" in object && object.schema !== null ? object.schema : "" });
    add(object);
    for (const fact of facts.facts())
      if (isCore(fact) && encodeId(ownerObject(fact.id)) === encodeId(object)) add(fact.id);
    for (const { to } of facts.outgoingEdges(id)) add(to);
  };
  for (const { id } of chosen.facts())
    for (const { to } of facts.outgoingEdges(id)) if (excluded.has(encodeId(to))) add(to);
  return baseOf(
    facts.facts().filter(({ id }) => needed.has(encodeId(id))),
    facts,
    [],
  );
}

/** A part without which a table is another one. */
function isCore({ id, payload }: Fact): boolean {
  if (id.kind === "constraint") return payload.type !== "f";
  return id.kind === "column" || id.kind === "default" || id.kind === "typeAttribute";
}
