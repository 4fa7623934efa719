import { describe, expect, test } from "vitest";
import { networkFailure, ProbeFailure } from "../../../provider/services/failures.ts";

const where = { host: "::1", port: 6379 };

describe("a failed probe", () => {
  test("shows a short code of a service, and nothing that is none", () => {
    expect(new ProbeFailure("login", where, { code: "28P01" }).message).toContain("(28P01)");
    for (const code of ["password hunter2", "redis://:hunter2@h", "x".repeat(60), undefined, {}]) {
      expect(new ProbeFailure("login", where, { code }).message).toBe(new ProbeFailure("login", where).message);
    }
  });

  test("names the host as an address is written, and keeps no cause", () => {
    const failure = new ProbeFailure("refused", where);
    expect(failure.message).toMatch(/^\[::1\]:6379: nothing listens/);
    expect(failure.cause).toBeUndefined();
  });

  test("is told from the code of a wrapped error", () => {
    const inner = Object.assign(new Error("connect to redis://:hunter2@h"), { code: "ECONNREFUSED" });
    expect(networkFailure(new Error("hunter2", { cause: inner }), where)?.kind).toBe("refused");
    expect(networkFailure(new Error("hunter2"), where)).toBeUndefined();
  });
});
