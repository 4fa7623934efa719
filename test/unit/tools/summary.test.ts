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

const url = "postgresql://ann:secret@127.0.0.1:5432/studio";

it("lists counts and databases in columns", () => {
  const text = formatSummary({ summary, url, changed: true, stages, next: [] });
  expect(text).toContain("26 tables · 52 indexes · 26 policies · 17 functions · 7 views");
  expect(text).toContain(
    "  Railway MongoDB  mongodb  mongodb://host:27017  active\n  Redis            redis    redis://host:6379",
  );
});

it("ends with the address of the database, the next commands, and how long it took", () => {
  const text = formatSummary({ summary, url, changed: true, stages, next: [["npm stop", "stops it"]] });
  expect(text.split("\n").slice(-6)).toEqual([
    "Local database: postgresql://ann@127.0.0.1:5432/studio (with its password: npm run -s url)",
    "",
    "Next:",
    "  npm stop  stops it",
    "",
    "Took 3.2 s: preview 1.2 s, update 2.0 s.",
  ]);
});

it("says so when nothing had to be changed", () => {
  expect(formatSummary({ summary, url, changed: false, stages, next: [] })).toContain("Nothing had to be changed");
});
