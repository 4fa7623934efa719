import { expect, test } from "vitest";
import { type ContributionRecord, holdsAnything, mergeRecords } from "../../../provider/contribution/record.ts";

const NONE: ContributionRecord = { added: {}, adopted: [], said: [], owners: {}, removed: [], changed: [] };
const table = (name: string) => `table:s.${name}`;
const change = (id: string, to: boolean) => ({ id, attribute: "rowSecurity", from: false, to, adopted: false });

test("one record alone is what two of which one is missing say", () => {
  expect(mergeRecords(NONE, undefined)).toBe(NONE);
  expect(mergeRecords(undefined, NONE)).toBe(NONE);
  expect(mergeRecords(undefined, undefined)).toBeUndefined();
});

test("two records say together what either says, and the first is right where both do", () => {
  const first = { ...NONE, added: { [table("a")]: "1" }, adopted: [table("a")], changed: [change("x", true)] };
  const second = {
    ...NONE,
    added: { [table("a")]: "2", [table("b")]: "3", [table("c")]: "4" },
    adopted: [table("c")],
    changed: [change("x", false), change("y", true)],
  };
  expect(mergeRecords(first, second)).toEqual({
    ...NONE,
    added: { [table("a")]: "1", [table("b")]: "3", [table("c")]: "4" },
    adopted: [table("a"), table("c")],
    changed: [change("x", true), change("y", true)],
  });
});

test("a record of which all is adopted holds nothing that a destroy would take back", () => {
  const key = `table:["s","a"]`;
  expect(holdsAnything(NONE)).toBe(false);
  expect(holdsAnything({ ...NONE, added: { [key]: "1" }, adopted: [key] })).toBe(false);
  expect(holdsAnything({ ...NONE, added: { [key]: "1" } })).toBe(true);
});
