/**
 * From which facts to which a plan leads, as a value. `resources/layer/transition.ts` makes it; `plan.ts`
 * turns it into statements.
 */
import type { FactBase } from "../catalog/pgDelta.ts";
import type { Conversions } from "./conversions.ts";
import type { Rename } from "./renames/renames.ts";

/** Where an update of the database is to lead. */
export interface Transition<Kept> {
  /** The database as it is once the renames are made. */
  live: FactBase;
  desired: FactBase;
  /** In the order in which they are made; columns and parts come before their tables. */
  renames: readonly Rename[];
  /** How columns get their values where no cast says it. */
  conversions?: Conversions;
  /** What the state will keep of it. */
  record: Kept;
}
