/**
 * What the engine is told when a call fails: a user's mistake in full, a defect only as such, its stack on
 * stderr.
 */
import grpc from "@grpc/grpc-js";
import { shownError, UserError } from "../core/errors.ts";
import type { Redactor } from "./redactor.ts";

/** Headers carry the text, and a client refuses too long ones. */
const LONGEST_MESSAGE = 16_000;
const KEPT_AT_END = 500;

/** A call that this provider does not answer; the engine knows what to do without it. */
export class UnimplementedError extends Error {
  override name = "UnimplementedError";
}

/** What the engine is told about a failed call. The stack of a defect goes to stderr only. */
export function toStatus(error: unknown, redactor: Redactor): grpc.ServerErrorResponse | Partial<grpc.StatusObject> {
  if (error instanceof UnimplementedError) return { code: grpc.status.UNIMPLEMENTED, details: error.message };
  if (!(error instanceof UserError)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`${redactor.redact(text)}\n`);
  }
  return { code: grpc.status.UNKNOWN, details: shown(shownError(error), redactor) };
}

/** What is too long loses its middle: the end says where to read on. */
function shown(text: string, redactor: Redactor): string {
  const redacted = redactor.redact(text);
  if (redacted.length <= LONGEST_MESSAGE) return redacted;
  return `${redacted.slice(0, LONGEST_MESSAGE - KEPT_AT_END)} …\n… ${redacted.slice(-KEPT_AT_END)}`;
}
