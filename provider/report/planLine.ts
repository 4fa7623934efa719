/**
 * One line of a plan as people read it, as a value: `planReport.ts` creates it, everything else prints it.
 */
import type { Hazard } from "../plan/hazards.ts";
import type { Lock, Statement } from "../plan/statement.ts";

export interface PlanLine {
  op: Statement["op"];
  /** Such as `table platform.users`, or `policy tenant on 26 tables`. */
  title: string;
  /** What is said of it in few words: `12 columns`, `SET NOT NULL`, `4 steps`. */
  notes: string[];
  /** The objects that change alike, where the line stands for several. */
  objects: string[];
  /** In the order of their execution. */
  statements: PlanStatement[];
  /** The strongest on an existing table. */
  lock: Lock;
  /** Of the table, an estimate; 0 for a new or empty one. */
  rows: number;
  /** Milliseconds of work on rows; undefined where none is touched. */
  estimateMs: number | undefined;
  hazards: ReportedHazard[];
}

export interface PlanStatement {
  /** In the whole plan of the layer, from 1. */
  position: number;
  sql: string;
  /** The `search_path` that it needs, where that is not the plan's. */
  searchPath?: string;
}

export interface ReportedHazard extends Pick<Hazard, "message" | "approval"> {
  /** `PS2…`, see {@link Hazard}. */
  code: string;
  /** It stops the update: no approval for it was given. */
  blocks: boolean;
}
