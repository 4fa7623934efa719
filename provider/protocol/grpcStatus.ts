import grpc from "@grpc/grpc-js";
import { UserError } from "../core/errors.ts";
import type { Redactor } from "./redactor.ts";

/** Headers carry the text, and a client refuses too long ones. */
const LONGEST_MESSAGE = 16_000;

/** A call that this provider does not answer; the engine knows what to do without it. */
export class UnimplementedError extends Error {
  override name = "UnimplementedError";
}

/** What the engine is told about a failed call. The stack of a defect goes to stderr only. */
export function toStatus(error: unknown, redactor: Redactor): grpc.ServerErrorResponse | Partial<grpc.StatusObject> {
  if (error instanceof UserError) return { code: grpc.status.UNKNOWN, details: shown(error.message, redactor) };
  if (error instanceof UnimplementedError) return { code: grpc.status.UNIMPLEMENTED, details: error.message };
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${redactor.redact(error instanceof Error ? (error.stack ?? text) : text)}\n`);
  return { code: grpc.status.UNKNOWN, details: shown(`internal error: ${text}`, redactor) };
}

function shown(text: string, redactor: Redactor): string {
  const redacted = redactor.redact(text);
  return redacted.length > LONGEST_MESSAGE ? `${redacted.slice(0, LONGEST_MESSAGE)} …` : redacted;
}
