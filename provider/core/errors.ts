/**
 * A mistake that the user can mend. The message says what was found, what was expected and what to do, in
 * that order, and never holds a secret. Anything else that is thrown is a defect of ours.
 */
export class UserError extends Error {
  override name = "UserError";
}
