/**
 * What the engine is told when a call fails: a user's mistake in full, a defect only as such, its stack on
 * stderr.
 */
import grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import anything from "google-protobuf/google/protobuf/any_pb.js";
import { inSources } from "../core/bundledStack.ts";
import { PartialFailure, type PartialState, shownError, UserError } from "../core/errors.ts";
import type { Redactor } from "./redactor.ts";
import { encodeStruct } from "./struct.ts";

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
    process.stderr.write(`${redactor.redact(inSources(text))}\n`);
  }
  const details = shown(shownError(error), redactor);
  const metadata = error instanceof PartialFailure ? { metadata: partialState(error.state, details) } : {};
  return { code: grpc.status.UNKNOWN, details, ...metadata };
}

/**
 * What the engine keeps of a resource whose create or update has failed, as Go's gRPC packs the details of a
 * status. It shows the reasons in place of the message.
 */
function partialState({ id, inputs, outputs }: PartialState, reason: string): grpc.Metadata {
  const failed = new messages.ErrorResourceInitFailed();
  failed.setId(id);
  failed.setInputs(encodeStruct(inputs));
  failed.setProperties(encodeStruct(outputs));
  failed.setReasonsList([reason]);
  const detail = new anything.Any();
  detail.pack(failed.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new statuses.Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(reason);
  status.addDetails(detail);
  const metadata = new grpc.Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return metadata;
}

/** What is too long loses its middle: the end says where to read on. */
function shown(text: string, redactor: Redactor): string {
  const redacted = redactor.redact(text);
  if (redacted.length <= LONGEST_MESSAGE) return redacted;
  return `${redacted.slice(0, LONGEST_MESSAGE - KEPT_AT_END)} …\n… ${redacted.slice(-KEPT_AT_END)}`;
}
