/**
 * A plan as people read it: one line an object, what needs attention first. One value, of which previews,
 * Markdown and JSON are forms; it decides nothing.
 */
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import type { Hazard } from "../plan/hazards.ts";
import type { LayerPlan, StatementWithRisk } from "../plan/plan.ts";
import { locksOf, strongest } from "../plan/requiredLocks.ts";
import type { Statement } from "../plan/statement.ts";
import { type LineOfObject, withEqualChangesFolded } from "./equalChanges.ts";
import { countsOf, isPrivilege, type NewObjects, nameOf, newObjectsOf, wholeOf } from "./newObjects.ts";
import type { PlanLine, ReportedHazard } from "./planLine.ts";

interface Assessed extends StatementWithRisk {
  position: number;
}

/** @param allow the layer's approvals. */
export function planReport(
  { assessed }: LayerPlan,
  { live, desired }: { live: FactBase; desired: FactBase },
  allow: readonly string[],
): PlanLine[] {
  const all = assessed.map((each, n): Assessed => ({ ...each, position: n + 1 }));
  const created = newObjectsOf(
    all.map(({ statement }) => statement),
    live,
    desired,
  );
  const groups = [...Map.groupBy(all, ({ statement, position }) => lineKey(statement, created, position)).values()];
  const lines = groups.map((group): LineOfObject => {
    const id = group[0]?.statement.id;
    const whole = id === undefined ? undefined : wholeOf(id, desired, live);
    const isWhole = whole !== undefined && id !== undefined && encodeId(id) === encodeId(whole);
    return { line: lineOf(group, created, { live, desired }, allow), id: isWhole ? whole : id, whole };
  });
  return withEqualChangesFolded(lines)
    .map((line, n) => ({ line, n }))
    .sort((one, other) => rank(one.line) - rank(other.line) || one.n - other.n)
    .map(({ line }) => line);
}

/** Statements of one key are one line. */
function lineKey(statement: Statement, created: NewObjects, position: number): string {
  const { id } = statement;
  if (id === undefined) return `statement ${position}`;
  const owner = created.ownerOf(id);
  if (owner !== undefined) return encodeId(owner);
  // A comment comes with its object where that is new, such as a policy on a table that is there.
  if (id.kind === "comment" && created.isNew(id.target)) return encodeId(id.target);
  return isPrivilege(statement) ? `privileges on ${encodeId(grantedOn(id))}` : encodeId(id);
}

/** The object that privileges are on; of those on columns, the table. */
function grantedOn(id: StableId): StableId {
  const target = id.kind === "acl" ? id.target : id;
  return target.kind === "column" ? ownerObject(target) : target;
}

/** What blocks, what goes, what changes, what is new. */
function rank({ op, hazards }: PlanLine): number {
  if (hazards.some(({ blocks }) => blocks)) return 0;
  return { delete: 1, update: 2, create: 3 }[op];
}

function lineOf(
  group: readonly Assessed[],
  created: NewObjects,
  { live, desired }: { live: FactBase; desired: FactBase },
  allow: readonly string[],
): PlanLine {
  const statements = group.map(({ statement }) => statement);
  const [first] = statements;
  const owner = first?.id === undefined ? undefined : created.ownerOf(first.id);
  const times = group.flatMap(({ estimateMs }) => estimateMs ?? []);
  return {
    op: owner === undefined ? opOf(statements) : "create",
    title: owner === undefined ? titleOf(statements) : describe(owner),
    notes: owner === undefined ? notesOf(statements) : countsOf(owner, statements, desired),
    objects: [],
    statements: group.map(({ position, statement: { sql, searchPath } }) => ({
      position,
      sql,
      ...(searchPath === undefined ? {} : { searchPath }),
    })),
    lock: strongest(
      owner === undefined ? statements.map(({ lock }) => lock) : [...locksOf(statements, live, desired).locks.values()],
    ),
    rows: Math.max(...group.map(({ rows }) => rows)),
    estimateMs: times.length === 0 ? undefined : times.reduce((sum, each) => sum + each, 0),
    hazards: reported(
      group.flatMap(({ hazards }) => hazards),
      allow,
    ),
  };
}

/** An object that goes and comes back has changed; so has one of which only some privileges go. */
function opOf(statements: readonly Statement[]): Statement["op"] {
  const [first, ...others] = new Set(statements.map(({ op }) => op));
  return first === undefined || others.length > 0 ? "update" : first;
}

function titleOf(statements: readonly Statement[]): string {
  const [first] = statements;
  if (first === undefined) return "";
  const { id, subject } = first;
  return id !== undefined && isPrivilege(first) ? `privileges on ${describe(grantedOn(id))}` : subject;
}

const LONGEST_NOTE = 60;

function notesOf(statements: readonly Statement[]): string[] {
  const isComment = ({ id }: Statement): boolean => id?.kind === "comment";
  const [first, ...others] = statements.every(isComment) ? statements : statements.filter((each) => !isComment(each));
  if (first === undefined) return [];
  // The title of a rename says all of it.
  if (first.renames !== undefined) return [];
  if (isPrivilege(first)) return [others.length === 0 ? short(first.sql) : `${statements.length} statements`];
  const ops = new Set(statements.map(({ op }) => op));
  if (ops.has("delete") && ops.has("create")) return ["recreated"];
  if (others.length > 0) return [`${statements.length} steps`];
  return first.op === "update" ? [short(changeIn(first))] : [];
}

/** What an `ALTER` says after the name of what it changes. */
function changeIn({ sql, id }: Statement): string {
  const name = id === undefined ? undefined : nameOf(id);
  const at = name === undefined ? -1 : sql.indexOf(` ${name} `);
  return at === -1 || name === undefined ? sql : sql.slice(at + name.length + 2);
}

function short(sql: string): string {
  const line = sql.replace(/\s+/g, " ");
  return line.length > LONGEST_NOTE ? `${line.slice(0, LONGEST_NOTE - 1)}…` : line;
}

function reported(hazards: readonly Hazard[], allow: readonly string[]): ReportedHazard[] {
  const seen = new Map(hazards.map((hazard) => [`${hazard.code} ${hazard.message}`, hazard]));
  return [...seen.values()].map(({ code, message, approval, stops }) => ({
    code,
    message,
    approval,
    blocks: stops && !allow.includes(approval),
  }));
}
