/**
 * Errors that a user can fix, and how every thrown error is shown. Codes and their pages are in
 * `errorCodes.ts`.
 */
import { publication, reportTo } from "../../project.ts";
import { type ErrorCode, withReferences } from "./errorCodes.ts";
import type { CheckFailure, Properties } from "./resourceType.ts";

interface ErrorContext {
  /** Path of the input that is at fault, such as `values.name`. */
  property?: string | undefined;
  /** What a library or the server said. Kept for a debugger and never shown: it may hold values of rows. */
  cause?: unknown;
  /** Of further reasons that the message tells of. */
  others?: readonly ErrorCode[];
}

/**
 * A mistake that the user can fix. The message says what was found, what was expected and what to do, in
 * that order, and never holds a secret. Anything else that is thrown is a defect of ours.
 */
export class UserError extends Error {
  override name = "UserError";
  /** The reason, and where to read on. Not a part of the message: the place that prints it adds it. */
  readonly code: ErrorCode;
  readonly property: string | undefined;
  readonly others: readonly ErrorCode[];

  constructor(code: ErrorCode, message: string, { property, cause, others = [] }: ErrorContext = {}) {
    super(message, cause === undefined ? {} : { cause });
    this.code = code;
    this.property = property;
    this.others = [...new Set(others)].filter((other) => other !== code);
  }

  /** One fault an input; most errors are one. */
  failures(): readonly CheckFailure[] {
    return [{ code: this.code, property: this.property ?? "", reason: this.message }];
  }
}

/** What a resource is although its create or update has failed. */
export interface PartialState {
  id: string;
  inputs: Properties;
  outputs: Properties;
}

/**
 * A create or update that has failed after it had an effect. The state keeps the resource as it is now, and
 * the next update is asked to finish it.
 */
export class PartialFailure extends UserError {
  override name = "PartialFailure";
  readonly state: PartialState;

  constructor(code: ErrorCode, message: string, state: PartialState) {
    super(code, message);
    this.state = state;
  }
}

/** Faults of inputs, all of them together. */
export class InputError extends UserError {
  override name = "InputError";
  private readonly faults: readonly CheckFailure[];

  constructor(faults: readonly CheckFailure[]) {
    const [code = "PS601", ...others] = faults.map((fault) => fault.code);
    super(code, faults.map(inputFault).join("\n"), { others });
    this.faults = faults;
  }

  override failures(): readonly CheckFailure[] {
    return this.faults;
  }
}

/** A fault as it is shown: behind the path of its input. */
export function inputFault({ property, reason }: Pick<CheckFailure, "property" | "reason">): string {
  return property === "" ? reason : `${property}: ${reason}`;
}

/** What a user reads of anything that is thrown. Of a defect it says nothing but that it is one. */
export function shownError(error: unknown): string {
  return error instanceof UserError
    ? withReferences(inputFault({ property: error.property ?? "", reason: error.message }), [
        error.code,
        ...error.others,
      ])
    : withReferences(defect(), ["PS900"]);
}

/** What a library said of it goes to stderr, which belongs to the report. */
function defect(): string {
  return (
    `This is a defect in pgstrata ${publication().version ?? ""}, not a mistake in your files or settings. ` +
    `Report it to ${reportTo()}: with this message, what was written to stderr beside it, the SQL files of the layer, and the server's version (\`select version()\`).`
  );
}
