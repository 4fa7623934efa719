/**
 * A plan as child lines of a preview, and back from what the CLI prints of them. `--diff` shows the details:
 * all SQL, each statement under its position in the order of execution.
 */
import type { PlannedChange, Properties, Value } from "../core/resourceType.ts";
import { isObject } from "../core/values.ts";
import { STRENGTHS } from "../plan/requiredLocks.ts";
import type { PlanLine, PlanStatement, ReportedHazard } from "./planLine.ts";
import { headlineNotes } from "./words.ts";

const SEPARATOR = " · ";
const SEARCH_PATH = "-- search_path: ";

/** Lines in their order, numbered so that they keep it. */
export function asPreviewLines(lines: readonly PlanLine[]): PlannedChange[] {
  const width = String(lines.length).length;
  const positions = lines.flatMap(({ statements }) => statements.map(({ position }) => position));
  const positionWidth = String(Math.max(0, ...positions)).length;
  return lines.map((line, n) => ({
    name: `${String(n + 1).padStart(width, "0")} ${[line.title, ...headlineNotes(line)].join(SEPARATOR)}`,
    op: line.op,
    details: detailsOf(line, positionWidth),
  }));
}

function detailsOf(
  { notes, objects, statements, lock, rows, estimateMs, hazards }: PlanLine,
  width: number,
): Properties {
  const blocked = hazards.filter(({ blocks }) => blocks).map(({ approval }) => approval);
  const sql = statements.map(({ position, sql, searchPath }): [string, Value] => [
    String(position).padStart(width, "0"),
    [...(searchPath === undefined ? [] : [`${SEARCH_PATH}${searchPath}`]), ...sql.split("\n")],
  ]);
  return {
    ...(notes.length === 0 ? {} : { notes }),
    ...(objects.length === 0 ? {} : { objects }),
    ...(lock === "none" ? {} : { lock }),
    ...(rows === 0 ? {} : { rows }),
    ...(estimateMs === undefined ? {} : { estimateMs: Math.round(estimateMs) }),
    ...(hazards.length === 0 ? {} : { hazards: hazards.map(({ code, message }) => `${code}: ${message}`) }),
    ...(hazards.length === 0 ? {} : { approvals: hazards.map(({ approval }) => approval) }),
    ...(blocked.length === 0 ? {} : { needsApproval: [...new Set(blocked)] }),
    sql: Object.fromEntries(sql),
  };
}

/** The line that a child line of a preview was made from; undefined for one of another resource type. */
export function fromPreviewLine(name: string, op: PlanLine["op"], details: Properties): PlanLine | undefined {
  const { sql } = details;
  if (!isObject(sql)) return undefined;
  const line: PlanLine = {
    op,
    title: "",
    notes: texts(details.notes),
    objects: texts(details.objects),
    statements: Object.entries(sql)
      .map(([position, lines]) => statementFrom(Number(position), texts(lines)))
      .sort((one, other) => one.position - other.position),
    lock: STRENGTHS.find((lock) => lock === details.lock) ?? "none",
    rows: typeof details.rows === "number" ? details.rows : 0,
    estimateMs: typeof details.estimateMs === "number" ? details.estimateMs : undefined,
    hazards: hazardsFrom(details),
  };
  const tail = headlineNotes(line)
    .map((note) => `${SEPARATOR}${note}`)
    .join("");
  const title = name.replace(/^\d+ /, "").replace(/ \(\d+\)$/, "");
  return { ...line, title: title.endsWith(tail) ? title.slice(0, title.length - tail.length) : title };
}

function statementFrom(position: number, lines: readonly string[]): PlanStatement {
  const [first, ...others] = lines;
  return first?.startsWith(SEARCH_PATH) === true
    ? { position, sql: others.join("\n"), searchPath: first.slice(SEARCH_PATH.length) }
    : { position, sql: lines.join("\n") };
}

function hazardsFrom({ hazards, approvals, needsApproval }: Properties): ReportedHazard[] {
  const [names, blocking] = [texts(approvals), texts(needsApproval)];
  return texts(hazards).map((hazard, n) => {
    const [code = "", ...message] = hazard.split(": ");
    const approval = names[n] ?? "";
    return { code, message: message.join(": "), approval, blocks: blocking.includes(approval) };
  });
}

/** A list of texts; one that was a single text is a list of one. */
function texts(value: Value | undefined): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value)
    ? value.flatMap((each) => (typeof each === "string" ? each : texts(each).join("\n")))
    : [];
}
