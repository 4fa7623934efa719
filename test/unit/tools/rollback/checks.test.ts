import { expect, it } from "vitest";
import { type AuditLog, auditCheck } from "../../../../tools/rollback/checks.ts";

const BEFORE: AuditLog = { rows: "20", checksum: "123" };

const statusOf = (after: AuditLog | undefined): string | undefined => auditCheck(BEFORE, after)[0]?.status;

it("passes an audit log that is as it was, and fails one that has lost or changed a row", () => {
  expect(statusOf({ ...BEFORE })).toBe("PASS");
  expect(statusOf({ rows: "19", checksum: "7" })).toBe("FAIL");
  expect(statusOf({ rows: "20", checksum: "7" })).toBe("FAIL");
  expect(statusOf(undefined)).toBe("FAIL");
});

it("warns where other sessions have written, or where no checksum could be had", () => {
  expect(statusOf({ rows: "21", checksum: "7" })).toBe("WARNING");
  expect(statusOf({ rows: "20", checksum: undefined })).toBe("WARNING");
});
