/** How objects are named for people and in approvals. Quoting for SQL is left to `quote.ts`. */
import { asObject, splitName } from "./kinds/kind.ts";
import { baseOf } from "./kinds/kinds.ts";
import { encodeId, parseId, type StableId } from "./pgDelta.ts";
import { quoteIdent } from "./quote.ts";

const WORDS: Partial<Record<StableId["kind"], string>> = {
  materializedView: "materialized view",
  foreignTable: "foreign table",
  eventTrigger: "event trigger",
  fdw: "foreign-data wrapper",
  typeAttribute: "attribute",
  acl: "privileges of",
  comment: "comment on",
  defaultPrivilege: "default privileges of",
  extensionIntent: "other object",
};

/** A kind of object as SQL calls it, in lower case. */
export const kindInWords = (kind: StableId["kind"]): string => WORDS[kind] ?? kind;

/**
 * The name of an object as a person would say it: `table platform.users`, `policy p on platform.users`,
 * `privileges of studio_app on table platform.users`.
 */
export function describe(id: StableId): string {
  const word = kindInWords(id.kind);
  switch (id.kind) {
    case "acl":
      return `${word} ${id.grantee} on ${id.column === undefined ? "" : `column ${id.column} of `}${describe(id.target)}`;
    case "comment":
    case "securityLabel":
      return `${word} ${describe(id.target)}`;
    case "column":
    case "default":
      return `${word} ${id.schema}.${id.table}.${id.name}`;
    case "constraint":
    case "trigger":
    case "rule":
    case "policy":
      return `${word} ${id.name} on ${id.schema}.${id.table}`;
    case "function":
    case "procedure":
    case "aggregate":
      return `${word} ${id.schema}.${id.name}(${id.args.join(", ")})`;
    case "typeAttribute":
      return `${word} ${id.schema}.${id.type}.${id.name}`;
    case "defaultPrivilege":
      return `${word} ${id.role}${id.schema === null ? "" : ` in ${id.schema}`}`;
    case "userMapping":
      return `user mapping ${id.role} on ${id.server}`;
    case "membership":
    case "publicationRel":
    case "publicationSchema":
      return encodeId(id);
    case "extensionIntent":
      return `${id.intentKind} ${id.key}`;
    default:
      return "schema" in id ? `${word} ${id.schema}.${id.name}` : `${word} ${id.name}`;
  }
}

/**
 * True for what stands by itself in a list of objects; columns, constraints, grants and comments belong to
 * one of these.
 */
export function isTopLevel(id: StableId): boolean {
  if (asObject(id) !== undefined) return baseOf(id) === undefined;
  return !["column", "default", "constraint", "acl", "comment", "securityLabel", "typeAttribute"].includes(id.kind);
}

/**
 * The object that a person looks for when a part of it differs: the table of a column, the view of a grant.
 */
export function ownerObject(id: StableId): StableId {
  switch (id.kind) {
    case "acl":
    case "comment":
    case "securityLabel":
      return ownerObject(id.target);
    case "column":
    case "default":
    case "constraint":
      return { kind: "table", schema: id.schema, name: id.table };
    case "typeAttribute":
      return { kind: "type", schema: id.schema, name: id.type };
    case "extensionIntent":
      return wholeOf(id.key, baseOf(id)) ?? id;
    default:
      return id;
  }
}

/** The relation or type that a part hangs on, by its own key or the one of its column. */
function wholeOf(key: string, base: ReturnType<typeof baseOf>): StableId | undefined {
  if (base === undefined || base === "any") return undefined;
  const [schema = "", name = ""] = splitName(key);
  return { kind: base === "column" ? "table" : base, schema, name };
}

/**
 * The object as an approval names it: `platform.projects`, `platform.projects.legacy`. A part with a dot, a
 * quote or a bracket in it is quoted as in SQL: no name reads like that of another object, or like a note.
 */
export function nameInApproval(id: StableId): string {
  const parts = [
    ...("schema" in id && id.schema !== null ? [id.schema] : []),
    ...("table" in id ? [id.table] : []),
    ...("name" in id ? [id.name] : []),
  ];
  if (id.kind === "extensionIntent") return id.key;
  if (parts.length === 0) return encodeId(id);
  return parts.map((part) => (/[."()]/.test(part) ? quoteIdent(part) : part)).join(".");
}

/**
 * An approval as one line of a message: as it is, or, where a name of it cannot stand in a line, as a string
 * of TypeScript.
 */
export const approvalInLine = (approval: string): string =>
  /^[^\p{Cc}\p{Cf}]*$/u.test(approval) && approval.trim() === approval ? approval : JSON.stringify(approval);

/** Ids for a person to read. */
export function named(ids: readonly string[]): string[] {
  return [...new Set(ids.map((key) => describe(parseId(key))))].sort();
}
