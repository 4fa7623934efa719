import { describe, expect, it } from "vitest";
import { findEarlier, parseHistory, returnTo, type Update } from "../../../../tools/rollback/history.ts";

/** An update at a minute, with files of a letter. */
function update(minute: number, files: string, more: Partial<Update> = {}): Update {
  return {
    kind: "update",
    startTime: `2026-01-01T00:0${minute}:00.000Z`,
    endTime: "",
    message: "",
    environment: { "git.head": files },
    result: "succeeded",
    resourceChanges: { update: 1 },
    ...more,
  };
}

const isSame = (one: Update, other: Update): boolean => one.environment["git.head"] === other.environment["git.head"];

/** @param updates oldest first. */
const earlier = (...updates: Update[]): string | undefined =>
  findEarlier(updates.toReversed(), isSame)?.target.environment["git.head"];

describe("the update to go back to", () => {
  it("is the one before the present one", () => {
    expect(earlier(update(1, "a"), update(2, "b"), update(3, "c"))).toBe("b");
  });

  it("is none where there was one state only", () => {
    expect(earlier(update(1, "a"))).toBeUndefined();
    expect(earlier(update(1, "a"), update(2, "a"))).toBeUndefined();
    expect(earlier()).toBeUndefined();
  });

  it("passes over updates that failed, and over those of the same files", () => {
    expect(earlier(update(1, "a"), update(2, "b", { result: "failed" }), update(3, "c"))).toBe("a");
    expect(earlier(update(1, "a"), update(2, "b"), update(3, "b"))).toBe("a");
  });

  it("is the last one that ended well where the present one failed", () => {
    expect(earlier(update(1, "a"), update(2, "b", { result: "failed" }))).toBe("a");
  });

  it("does not take an update that changed nothing, or a destroy, for what the stack has", () => {
    const idle = update(3, "c", { resourceChanges: { same: 4 } });
    expect(earlier(update(1, "a"), update(2, "b"), idle)).toBe("a");
    expect(earlier(update(1, "a"), update(2, "b"), update(3, "b", { kind: "destroy" }))).toBe("a");
  });

  it("goes further each time, and to where it was going after a failure", () => {
    const [a, b, c] = [update(1, "a"), update(2, "b"), update(3, "c")] as const;
    const back = update(4, "of a worktree", { message: returnTo(b) });
    expect(earlier(a, b, c, back)).toBe("a");
    expect(earlier(a, b, c, { ...back, result: "failed" })).toBe("b");
    expect(earlier(a, b, c, back, update(5, "d"))).toBe("c");
    expect(earlier(a, b, c, back, update(5, "x", { message: returnTo(a) }))).toBeUndefined();
  });
});

it("refuses a text that is no history", () => {
  expect(() => parseHistory("{}")).toThrow("gave nothing that this version of pgstrata can read");
});
