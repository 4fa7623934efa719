import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, expectTypeOf, test } from "vitest";
import { PROGRAM_ERROR_CODES } from "../../../components/program/errorCodes.ts";
import { linkTo, pageOf, reportTo } from "../../../project.ts";
import { areaOf, ERROR_CODES, type ErrorCode, withReferences } from "../../../provider/core/errorCodes.ts";
import { InputError, shownError, UserError } from "../../../provider/core/errors.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const PAGES = readdirSync(join(ROOT, "docs", "errors")).filter((name) => name !== "README.md");
const TABLES = [
  { codes: ERROR_CODES, folders: ["provider", "tools"], path: join("provider", "core", "errorCodes.ts") },
  { codes: PROGRAM_ERROR_CODES, folders: ["components"], path: join("components", "program", "errorCodes.ts") },
];
const ALL = TABLES.flatMap(({ codes }) => Object.entries(codes));

const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

/** Codes that stand as a value in the code outside of the table. */
function usedIn(texts: readonly string[]): Set<string> {
  return new Set(texts.flatMap((text) => [...text.matchAll(/"(PS\d+)"/g)].map(([, code = ""]) => code)));
}

const sourcesIn = (folders: readonly string[], table: string): string[] =>
  folders.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((path) => path.endsWith(".ts") && path !== table),
  );

describe.each(ALL)("%s", (code, title) => {
  test("has a page with its title, what to do, an example and related codes", () => {
    const page = read(join("docs", "errors", `${code}.md`));
    expect(page.split("\n")[0]).toBe(`# ${code}: ${title}`);
    expect(page).toMatch(/\n## What to do\n\n1\. .*\n## Example\n\n {4}\S.*\nRelated: \[PS/s);
    expect(page.trimEnd().split("\n").length).toBeLessThanOrEqual(25);
    for (const [, other = ""] of page.matchAll(/\]\((.+?)\.md\)/g))
      expect([...ALL.map(([known]) => known), "README"]).toContain(other);
  });

  test("has an area, and a line in the list of all", () => {
    const list = read(join("docs", "errors", "README.md"));
    const section = list.split("\n## ").find((part) => part.startsWith(`${code.slice(0, 3)}xx: `));
    expect(section).toContain(`| [${code}](${code}.md) | ${title} |`);
    expect(section?.split("\n")[0]).toBe(`${code.slice(0, 3)}xx: ${areaOf(code)}`);
  });
});

test("no code is twice, and each page is of one", () => {
  const codes = ALL.map(([code]) => code);
  expect(new Set(codes).size).toBe(codes.length);
  expect(PAGES.map((name) => name.replace(".md", "")).sort()).toEqual(codes.sort());
});

test.each(TABLES)("each code of $path is used, and no other is", ({ codes, folders, path }) => {
  const used = usedIn(sourcesIn(folders, path).map(read));
  expect(Object.keys(codes).filter((code) => !used.has(code))).toEqual([]);
  expect([...used].filter((code) => !(code in codes))).toEqual([]);
});

test("the check of uses sees a code as a value, and not one in a sentence", () => {
  expect([...usedIn(['new UserError("PS101", "see PS102")', "// PS103"])]).toEqual(["PS101"]);
});

test("a code that is not in the table does not compile", () => {
  expectTypeOf<"PS999">().not.toExtend<ErrorCode>();
  expectTypeOf<"PS900">().toExtend<ErrorCode>();
});

test("a message ends with its codes, each once, and never with what a library said", () => {
  const cause = new Error("canary");
  expect(shownError(new UserError("PS103", "found a mistake", { cause, others: ["PS601", "PS103"] }))).toBe(
    "found a mistake\nPS103 · docs/errors/PS103.md\nPS601 · docs/errors/PS601.md",
  );
  expect(shownError(new UserError("PS406", "found a list", { property: "values.size" }))).toMatch(
    /^values\.size: found a list\n/,
  );
  expect(new UserError("PS103", "found a mistake").message).toBe("found a mistake");
});

test("faults of inputs are one error, with each path and each code once", () => {
  const error = new InputError([
    { code: "PS601", property: "name", reason: "found nothing" },
    { code: "PS108", property: "files[0]", reason: "found no file" },
    { code: "PS601", property: "", reason: "found too much" },
  ]);
  expect(shownError(error).split("\n")).toEqual([
    "name: found nothing",
    "files[0]: found no file",
    "found too much",
    `PS601 · ${pageOf("PS601")}`,
    `PS108 · ${pageOf("PS108")}`,
  ]);
  expect(error.failures()).toHaveLength(3);
});

test("anything else is a defect, of which nothing is said but what to report to whom", () => {
  for (const error of [new Error("canary"), "canary", undefined]) {
    const text = shownError(error);
    expect(text).toMatch(/^This is a defect in pgstrata \d+\.\d+\.\d+, not a mistake in your files/);
    expect(text).toMatch(
      /Report it to the maintainers of pgstrata: .*stderr.*select version\(\).*\nPS900 · docs\/errors\/PS900\.md$/s,
    );
    expect(text).not.toContain("canary");
  }
});

test("pages are links, and defects go to the tracker, where the project is published", () => {
  expect(linkTo("docs/x.md", { repository: "git+https://example.org/team/pgstrata.git" })).toBe(
    "https://example.org/team/pgstrata/blob/main/docs/x.md",
  );
  expect(linkTo("docs/x.md", { repository: "git@example.org:team/pgstrata.git" })).toBe("docs/x.md");
  expect(reportTo({ bugs: "https://example.org/team/pgstrata/issues" })).toBe(
    "https://example.org/team/pgstrata/issues",
  );
  expect(withReferences("found", [])).toBe("found");
});
