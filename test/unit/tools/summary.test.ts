import { expect, it } from "vitest";
import { formatSummary } from "../../../tools/lib/summary.ts";

const summary = {
  tables: 26,
  indexes: 52,
  policies: 26,
  functions: 17,
  views: 7,
  databases: [
    { name: "Railway MongoDB", type: "mongodb", connection: "mongodb://host:27017", status: "active" },
    { name: "Redis", type: "redis", connection: "redis://host:6379", status: "active" },
  ],
};
const stages = [
  { name: "preview", elapsedMs: 1234 },
  { name: "update", elapsedMs: 2000 },
];

it("lists counts, databases, times and next commands in columns", () => {
  const text = formatSummary({ summary, changed: true, stages, next: [["npm stop", "stops it"]] });
  expect(text).toContain("26 tables · 52 indexes · 26 policies · 17 functions · 7 views");
  expect(text).toContain(
    "  Railway MongoDB  mongodb  mongodb://host:27017  active\n  Redis            redis    redis://host:6379",
  );
  expect(text).toContain("  preview  1.2 s\n  update   2.0 s\n  all      3.2 s");
  expect(text).toContain("  npm stop  stops it");
});

it("says so when nothing had to be changed", () => {
  expect(formatSummary({ summary, changed: false, stages, next: [] })).toContain("Nothing had to be changed");
});
