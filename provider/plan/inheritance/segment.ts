/**
 * One part of a plan: statements with the states that they lead from and to. `segments.ts` divides a plan
 * into them.
 */
import type { FactBase } from "../../catalog/pgDelta.ts";
import type { TableId } from "../../catalog/tables.ts";
import type { StatementList } from "../statement.ts";

/** Statements that lead from one state of the database to the next. */
export interface Segment {
  live: FactBase;
  desired: FactBase;
  list: StatementList;
  /** Statements that part tables or join them, and no others. */
  isLinking: boolean;
  /** Whether all segments are one transaction: rows would be missing in between. */
  isTogether: boolean;
  /** Tables that it fills or recreates: what is built on them costs no more than their copy does. */
  fresh?: readonly TableId[];
  /** Tables parted from their parents before it, with their partitions: a parent has no rows in them. */
  parted?: readonly TableId[];
  /** Nothing may run ahead of the others. */
  inOrder?: boolean;
}

/** Plans what has nothing to do with who is a part of whom. */
export type Planner = (live: FactBase, desired: FactBase) => StatementList;
