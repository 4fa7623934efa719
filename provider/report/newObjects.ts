/** Which objects a plan makes, and what comes with each: its indexes, constraints, policies, privileges. */
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import type { Statement } from "../plan/statement.ts";

export interface NewObjects {
  /** The new object that an object is a part of, itself included; undefined for a part of an existing one. */
  ownerOf(id: StableId): StableId | undefined;
  /** Whether it is made, by itself or as a part of another object. */
  isNew(id: StableId): boolean;
}

/** The objects that stand by themselves and are made by the statements. */
export function newObjectsOf(statements: readonly Statement[], live: FactBase, desired: FactBase): NewObjects {
  const created = new Set(
    statements.flatMap(({ op, id }) => (op === "create" && id !== undefined && !live.has(id) ? [encodeId(id)] : [])),
  );
  return {
    isNew: (id) => created.has(encodeId(id)),
    ownerOf(id) {
      const owner = wholeOf(id, desired, live);
      return created.has(encodeId(owner)) && !live.has(owner) ? owner : undefined;
    },
  };
}

/** Whether a statement gives or takes privileges, on whatever part of an object. */
export const isPrivilege = ({ sql }: Statement): boolean => /^(GRANT|REVOKE) /.test(sql);

/** The object that people name when they speak of a part of it. */
export function wholeOf(id: StableId, ...bases: readonly FactBase[]): StableId {
  if (id.kind === "acl" || id.kind === "comment" || id.kind === "securityLabel") return wholeOf(id.target, ...bases);
  const fact = bases.map((base) => base.get(id)).find((found) => found !== undefined);
  const sequenceOf = id.kind === "sequence" ? tableOwning(fact?.payload.ownedBy) : undefined;
  const parent = sequenceOf ?? fact?.parent;
  return parent === undefined || parent.kind === "schema" ? id : wholeOf(parent, ...bases);
}

function tableOwning(ownedBy: unknown): StableId | undefined {
  if (typeof ownedBy !== "object" || ownedBy === null || !("schema" in ownedBy && "table" in ownedBy)) return undefined;
  const { schema, table } = ownedBy;
  if (typeof schema !== "string" || typeof table !== "string") return undefined;
  return { kind: "table", schema, name: table };
}

const COUNTED: readonly (readonly [kinds: readonly StableId["kind"][], one: string, many: string])[] = [
  [["column"], "column", "columns"],
  [["constraint"], "constraint", "constraints"],
  [["index"], "index", "indexes"],
  [["trigger"], "trigger", "triggers"],
  [["rule"], "rule", "rules"],
  [["policy"], "policy", "policies"],
  [["sequence"], "sequence", "sequences"],
];

/** What is made with a new object, such as `12 columns`, `3 indexes`, `4 grants`. */
export function countsOf(owner: StableId, statements: readonly Statement[], desired: FactBase): string[] {
  const kinds = [...desired.childrenOf(owner).map(({ id }) => id.kind), ...sequencesIn(statements)];
  const counted = COUNTED.map(([those, one, many]) =>
    count(
      kinds.filter((kind) => those.includes(kind)),
      one,
      many,
    ),
  );
  const privileges = statements.filter(isPrivilege);
  const comments = statements.filter(({ id }) => id?.kind === "comment");
  return [
    ...(owner.kind === "schema" ? [] : counted),
    count(
      privileges.filter(({ sql }) => sql.startsWith("GRANT ")),
      "grant",
      "grants",
    ),
    count(
      privileges.filter(({ sql }) => !sql.startsWith("GRANT ")),
      "revoke",
      "revokes",
    ),
    count(comments, "comment", "comments"),
    ...(desired.get(owner)?.payload.rowSecurity === true ? ["row security"] : []),
  ].filter((part) => part !== "");
}

/** A sequence is made and given to its column by statements of its own. */
function sequencesIn(statements: readonly Statement[]): StableId["kind"][] {
  const ids = statements.flatMap(({ id }) => (id?.kind === "sequence" ? [encodeId(id)] : []));
  return [...new Set(ids)].map(() => "sequence");
}

function count(list: readonly unknown[], one: string, many: string): string {
  if (list.length === 0) return "";
  return list.length === 1 ? `1 ${one}` : `${list.length} ${many}`;
}

/** The quoted name that a statement about an object calls it by; undefined for one that has no plain name. */
export function nameOf(id: StableId): string | undefined {
  if ("table" in id && "name" in id) return quoteIdent(id.name);
  if ("schema" in id && id.schema !== null && "name" in id) return quoteQualified(id.schema, id.name);
  return "name" in id ? quoteIdent(id.name) : undefined;
}
