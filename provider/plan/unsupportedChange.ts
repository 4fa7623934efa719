import { UserError } from "../core/errors.ts";

/**
 * A change that takes a detour which the planner does not know: of a type in use, or of an object into one of
 * another kind.
 */
export class UnsupportedChangeError extends UserError {
  override name = "UnsupportedChangeError";

  constructor(reason: string) {
    super(
      `This change cannot be planned: ${reason}\nNothing was changed. Make it in two updates: first take away the object or what uses it, then make the change.`,
    );
  }
}

/** As the planner words what it does not support; any other error of it is a defect. */
const KNOWN = [
  /^(domain|range type|enum|composite type|subscription) .*(: cannot |: changing two_phase )/s,
  // Such as a table with a policy that becomes a partition of the same name.
  /^dependency cycle among /,
];

/**
 * Runs the planner.
 *
 * @throws {UnsupportedChangeError} for a change that it does not support.
 */
export function planned<T>(plan: () => T): T {
  try {
    return plan();
  } catch (error) {
    if (error instanceof Error && KNOWN.some((known) => known.test(error.message)))
      throw new UnsupportedChangeError(error.message);
    throw error;
  }
}
