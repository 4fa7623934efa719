/**
 * How faults of inputs are told to the engine, with their codes and without their values. Which faults there
 * are is left to the resource types.
 */
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import { withReferences } from "../core/errorCodes.ts";
import { inputFault } from "../core/errors.ts";
import type { CheckFailure, Properties } from "../core/resourceType.ts";
import type { Redactor } from "./redactor.ts";
import { encodeStruct } from "./struct.ts";

/**
 * The answer to Check and CheckConfig. The path of a fault goes into its text and not into its own field: the
 * CLI prints the value of a property that is named there, even when it is a secret. The last fault of a code
 * says where to read on.
 */
export function checkResponse(
  inputs: Properties,
  failures: readonly CheckFailure[],
  redactor: Redactor,
): InstanceType<typeof messages.CheckResponse> {
  const response = new messages.CheckResponse();
  response.setInputs(encodeStruct(inputs));
  for (const [n, fault] of failures.entries()) {
    const isLast = !failures.slice(n + 1).some(({ code }) => code === fault.code);
    const failure = new messages.CheckFailure();
    failure.setReason(redactor.redact(withReferences(inputFault(fault), isLast ? [fault.code] : [])));
    response.addFailures(failure);
  }
  return response;
}
