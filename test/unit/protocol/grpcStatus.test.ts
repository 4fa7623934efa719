import grpc from "@grpc/grpc-js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import statuses from "@pulumi/pulumi/proto/status_pb.js";
import { afterEach, expect, test, vi } from "vitest";
import { PartialFailure, UserError } from "../../../provider/core/errors.ts";
import { toStatus } from "../../../provider/protocol/grpcStatus.ts";
import { createRedactor } from "../../../provider/protocol/redactor.ts";

const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
afterEach(() => written.mockClear());

test("a defect is told without a library's words, which go to stderr with their stack and without secrets", () => {
  const redactor = createRedactor();
  redactor.add("very-secret-password");
  const { code, details } = toStatus(new Error("rule table: very-secret-password"), redactor);
  expect(code).toBe(grpc.status.UNKNOWN);
  expect(details).toMatch(/^This is a defect in pgstrata .*\nPS900 · docs\/errors\/PS900\.md$/s);
  expect(details).not.toContain("rule table");
  const text = written.mock.calls.map(([chunk]) => String(chunk)).join("");
  expect(text).toMatch(/^Error: rule table: .*\n {4}at /);
  expect(text).not.toContain("very-secret-password");
});

test("what a user can mend ends with its code, however long it is, and says nothing on stderr", () => {
  const cause = new Error("canary");
  const { details } = toStatus(new UserError("PS301", "found ".repeat(5000), { cause }), createRedactor());
  expect(details?.length).toBeLessThan(16_100);
  expect(details).toMatch(/^found .* …\n… .*\nPS301 · docs\/errors\/PS301\.md$/s);
  expect(written).not.toHaveBeenCalled();
});

test("what has failed half-way is packed for the engine, which keeps its state, and without a secret in the reason", () => {
  const redactor = createRedactor();
  redactor.add("very-secret-password");
  const state = { id: "it", inputs: { checks: ["a"] }, outputs: { result: "FAIL" } };
  const { code, metadata } = toStatus(new PartialFailure("PS822", "found very-secret-password", state), redactor);
  expect(code).toBe(grpc.status.UNKNOWN);
  const [packed] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!Buffer.isBuffer(packed)) throw new Error("no details");
  const [detail] = statuses.Status.deserializeBinary(packed).getDetailsList();
  expect(detail?.getTypeName()).toBe("pulumirpc.ErrorResourceInitFailed");
  const failed = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  expect(failed.getId()).toBe("it");
  expect(failed.getProperties()?.toJavaScript()).toEqual({ result: "FAIL" });
  expect(failed.getInputs()?.toJavaScript()).toEqual({ checks: ["a"] });
  expect(failed.getReasonsList()).toEqual(["found [secret]\nPS822 · docs/errors/PS822.md"]);
});
