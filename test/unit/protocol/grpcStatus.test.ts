import grpc from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
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
