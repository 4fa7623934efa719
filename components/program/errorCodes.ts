/**
 * The codes of faults that the program itself finds, with titles: PS611 to PS629. Each has a page,
 * `docs/errors/PS###.md`. All other codes are in `provider/core/errorCodes.ts`.
 */
import { withPages } from "../../project.ts";

/** A number that was published once keeps its meaning; one that is given up is not used again. */
export const PROGRAM_ERROR_CODES = {
  PS611: "A setting of the stack is missing",
  PS612: "A setting of the stack is invalid",
  PS613: "A setting of the stack is unknown",
  PS614: "A secret setting is stored in plain text",
  PS615: "A connection string cannot be used",
  PS616: "A registration is invalid or contradicts its connection string",
  PS617: "An argument of a component is missing or contradicts another",
} as const;

export type ProgramErrorCode = keyof typeof PROGRAM_ERROR_CODES;

/** One thing that is wrong, and the kind of thing to do about it. */
export interface Fault {
  code: ProgramErrorCode;
  reason: string;
}

/** A message with the page of each of its codes. */
export const withReferences = (message: string, codes: Iterable<ProgramErrorCode>): string => withPages(message, codes);

/** All faults of one thing as one message: a line each, what to do, and the pages of their codes. */
export function faultsOf(subject: string, faults: readonly Fault[], advice: readonly string[] = []): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = [`${subject} has ${count}:`, ...faults.map(({ reason }) => `  - ${reason}`), ...advice];
  return withReferences(
    lines.join("\n"),
    faults.map(({ code }) => code),
  );
}
