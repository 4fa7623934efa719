/**
 * From which facts to which a plan leads, as a value. `resources/layer/transition.ts` makes it; `plan.ts`
 * turns it into statements.
 */
import type { FactBase } from "../catalog/pgDelta.ts";
import type { Conversions } from "./conversions.ts";
import type { Keeping } from "./kept/retire.ts";
import type { TakenBack } from "./kept/takeBack.ts";
import { type Rename, renameStatements } from "./renames/renames.ts";
import type { Statement } from "./statement.ts";

/** Where an update of the database is to lead. */
export interface Transition<Kept> {
  /** The database as it is once the renames are made. */
  live: FactBase;
  desired: FactBase;
  /** In the order in which they are made; columns and parts come before their tables. */
  renames: readonly Rename[];
  /** What was kept and comes back, after the renames; `live` has it. */
  takenBack?: TakenBack | undefined;
  /** How what is dropped with rows is kept; undefined where it is not. */
  keeping?: Keeping | undefined;
  /** Drops what has been kept until its date. */
  expired?: readonly Statement[];
  /** How columns get their values where no cast says it. */
  conversions?: Conversions;
  /** What the state will keep of it. */
  record: Kept;
}

/** Statements that give objects their new names, and back what was kept, before all others. */
export const namesFirst = ({ renames, takenBack }: Transition<unknown>): Statement[] => [
  ...renameStatements(renames),
  ...(takenBack?.list.statements ?? []),
];
