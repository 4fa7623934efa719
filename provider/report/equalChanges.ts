/** The same change on many objects as one line, and many new functions or views of a schema. */
import { kindInWords } from "../catalog/objectNames.ts";
import type { StableId } from "../catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../catalog/quote.ts";
import type { PlanLine } from "./planLine.ts";

/** A line, what it is about, and the whole that this is a part of: the table of a policy, or the same. */
export interface LineOfObject {
  line: PlanLine;
  id: StableId | undefined;
  whole: StableId | undefined;
}

/** Two are worth their names; more are a number. */
const FEWEST_FOLDED = 3;

const LONGEST_NAMES = 80;

/** New ones of a schema are a line together. A new table is what a reviewer looks for. */
const FOLDED_NEW: ReadonlySet<StableId["kind"]> = new Set(["function", "procedure", "aggregate", "view"]);

/**
 * Lines that say the same of objects with other names become one, at the place of the first. What blocks
 * stays alone, because it wants an approval by name, and so does a new object of most kinds.
 */
export function withEqualChangesFolded(lines: readonly LineOfObject[]): PlanLine[] {
  const groups = Map.groupBy(lines, (each) => changeOf(each) ?? each);
  return [...groups.values()].flatMap((group) =>
    group.length < FEWEST_FOLDED ? group.map(({ line }) => line) : [folded(group)],
  );
}

/** What a line does, whatever the objects are called; undefined for one that is not folded. */
function changeOf({ line, id, whole }: LineOfObject): string | undefined {
  const { op, lock, hazards, statements } = line;
  if (id === undefined || whole === undefined || hazards.some(({ blocks }) => blocks)) return undefined;
  if (id === whole && op !== "update")
    return isNewOfMany(id, op, hazards) ? `new ${id.kind} ${schemaOf(id)}` : undefined;
  const changes = statements.map(({ sql }) => withoutName(withoutOwnName(sql, id, whole), whole));
  return JSON.stringify([op, lock, id.kind, whole.kind, changes]);
}

const isNewOfMany = ({ kind }: StableId, op: PlanLine["op"], hazards: PlanLine["hazards"]): boolean =>
  op === "create" && hazards.length === 0 && FOLDED_NEW.has(kind);

const schemaOf = (id: StableId): string => ("schema" in id ? (id.schema ?? "") : "");

function withoutOwnName(sql: string, id: StableId, whole: StableId): string {
  if (id === whole || !("name" in id)) return sql;
  return sql.replace(quoteIdent(id.name), "?").replace(` ${id.name} `, " ? ");
}

/** Without the name of the table or view, as statements and printed definitions write it. */
function withoutName(sql: string, whole: StableId): string {
  if (!("name" in whole)) return sql;
  const schema = "schema" in whole ? whole.schema : null;
  const names =
    schema === null
      ? [quoteIdent(whole.name)]
      : [quoteQualified(schema, whole.name), `${schema}.${whole.name}`, quoteIdent(whole.name)];
  return names.reduce((text, name) => text.replaceAll(name, "?"), sql);
}

function folded(group: readonly LineOfObject[]): PlanLine {
  const [first] = group;
  if (first === undefined) throw new RangeError("a group of lines is empty");
  const lines = group.map(({ line }) => line);
  const times = lines.flatMap(({ estimateMs }) => estimateMs ?? []);
  return {
    ...first.line,
    title: titleOfAll(group),
    notes: first.line.op === "create" && first.id === first.whole ? [namesOf(group)] : first.line.notes,
    objects: lines.map(({ title }) => title),
    statements: lines.flatMap(({ statements }) => statements).sort((one, other) => one.position - other.position),
    rows: lines.reduce((sum, { rows }) => sum + rows, 0),
    estimateMs: times.length === 0 ? undefined : times.reduce((sum, each) => sum + each, 0),
    hazards: lines.flatMap(({ hazards }) => hazards),
  };
}

/** The names without their schema, as many as fit. */
function namesOf(group: readonly LineOfObject[]): string {
  const names = group.flatMap(({ id }) => (id !== undefined && "name" in id ? [id.name] : []));
  const fitting = names.filter((_, n) => names.slice(0, n + 1).join(", ").length <= LONGEST_NAMES);
  const rest = names.length - fitting.length;
  return rest === 0 ? fitting.join(", ") : `${fitting.join(", ")} and ${rest} more`;
}

/** `policy tenant on 26 tables`, `privileges on 4 views`, `26 tables`, `4 functions in app`. */
function titleOfAll(group: readonly LineOfObject[]): string {
  const [first] = group;
  if (first?.id === undefined || first.whole === undefined) return "";
  const { line, id, whole } = first;
  const places = `${group.length} ${plural(kindInWords(whole.kind))}`;
  if (id === whole) return line.op === "create" ? `${places} in ${schemaOf(id)}` : places;
  if (id.kind === "acl") return `privileges on ${places}`;
  const names = new Set(group.map(patternOf));
  const [name] = names;
  const word = kindInWords(id.kind);
  // Such as "comment on", of what has no name of its own.
  if (name === "") return `${word} ${places}`;
  return names.size === 1 ? `${word} ${name} on ${places}` : `${group.length} ${plural(word)} on ${places}`;
}

/** The name of an object, with a star for that of its table. */
function patternOf({ id, whole }: LineOfObject): string {
  if (id === undefined || whole === undefined || !("name" in id && "name" in whole)) return "";
  return id.name === whole.name ? id.name : id.name.replace(whole.name, "*");
}

function plural(word: string): string {
  if (word.endsWith("y")) return `${word.slice(0, -1)}ies`;
  return word.endsWith("x") ? `${word}es` : `${word}s`;
}
