import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { CheckFailure, Properties } from "../core/resourceType.ts";
import type { Redactor } from "./redactor.ts";
import { encodeStruct } from "./struct.ts";

/**
 * The answer to Check and CheckConfig. The path of a fault goes into its text and not into its own field: the
 * CLI prints the value of a property that is named there, even when it is a secret.
 */
export function checkResponse(
  inputs: Properties,
  failures: readonly CheckFailure[],
  redactor: Redactor,
): InstanceType<typeof messages.CheckResponse> {
  const response = new messages.CheckResponse();
  response.setInputs(encodeStruct(inputs));
  for (const { property, reason } of failures) {
    const failure = new messages.CheckFailure();
    failure.setReason(redactor.redact(property === "" ? reason : `${property}: ${reason}`));
    response.addFailures(failure);
  }
  return response;
}
