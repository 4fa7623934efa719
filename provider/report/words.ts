/** Figures of a plan in few words, the same in each of its forms. */
import { rowsInWords } from "../catalog/tables.ts";
import type { PlanLine } from "./planLine.ts";

/** What follows the title of a line: what it does, to how many rows, under which
 * lock, for how long. A lock on an empty table is left to the details. */
export function headlineNotes({ notes, rows, lock, estimateMs, hazards }: PlanLine): string[] {
  const codes = [...new Set(hazards.map(({ code }) => code))];
  return [
    ...(notes.length === 0 ? [] : [notes.join(", ")]),
    ...(rows === 0 ? [] : [rowsInWords(rows)]),
    ...(lock === "none" || rows === 0 ? [] : [`locks ${lock}`]),
    ...(estimateMs === undefined ? [] : [durationInWords(estimateMs)]),
    ...codes,
    ...(hazards.some(({ blocks }) => blocks) ? ["blocks"] : []),
  ];
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** An estimate of time: seconds, minutes or hours, as it deserves. */
export function durationInWords(milliseconds: number): string {
  if (milliseconds < SECOND) return "under 1 s";
  if (milliseconds < MINUTE) return `about ${Math.round(milliseconds / SECOND)} s`;
  if (milliseconds < HOUR) return `about ${Math.round(milliseconds / MINUTE)} min`;
  return `about ${Math.round(milliseconds / HOUR)} h`;
}
