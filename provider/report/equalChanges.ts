/** The same change on many objects as one line. */
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

/**
 * Lines that say the same of objects with other names become one, at the place of the first. What blocks
 * stays alone, because it wants an approval by name, and so does a new object that stands by itself.
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
  if (id === whole && op !== "update") return undefined;
  const changes = statements.map(({ sql }) => withoutName(withoutOwnName(sql, id, whole), whole));
  return JSON.stringify([op, lock, id.kind, whole.kind, changes]);
}

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
    objects: lines.map(({ title }) => title),
    statements: lines.flatMap(({ statements }) => statements).sort((one, other) => one.position - other.position),
    rows: lines.reduce((sum, { rows }) => sum + rows, 0),
    estimateMs: times.length === 0 ? undefined : times.reduce((sum, each) => sum + each, 0),
    hazards: lines.flatMap(({ hazards }) => hazards),
  };
}

/** `policy tenant on 26 tables`, `privileges on 4 views`, `26 tables`. */
function titleOfAll(group: readonly LineOfObject[]): string {
  const [{ id, whole } = { id: undefined, whole: undefined }] = group;
  if (id === undefined || whole === undefined) return "";
  const places = `${group.length} ${plural(kindInWords(whole.kind))}`;
  if (id === whole) return places;
  if (id.kind === "acl") return `privileges on ${places}`;
  const names = new Set(group.map(patternOf));
  const [name] = names;
  const word = kindInWords(id.kind);
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
