import { describe, expect, it } from "vitest";
import { type Properties, UNKNOWN } from "../../../provider/core/resourceType.ts";
import { allNew } from "../../../provider/resources/rows/compare.ts";
import { csvRecords } from "../../../provider/resources/rows/csv.ts";
import { inputDifference } from "../../../provider/resources/rows/diff.ts";
import { importedInputs, rowsId } from "../../../provider/resources/rows/identity.ts";
import { parseRowsInputs } from "../../../provider/resources/rows/inputs.ts";
import { jsonRecords } from "../../../provider/resources/rows/json.ts";
import { unpackMade } from "../../../provider/resources/rows/made.ts";
import { driftOf, plannedChanges, summaryOf } from "../../../provider/resources/rows/words.ts";

/** A text in parts of some length, as a file arrives. */
async function* inParts(text: string, length: number): AsyncGenerator<string> {
  for (let at = 0; at < text.length; at += length) yield text.slice(at, at + length);
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

describe.each([1, 3, 1000])("in parts of %i characters", (length) => {
  const csv = (text: string, nullText = "") => all(csvRecords(inParts(text, length), nullText));
  const json = (text: string) => all(jsonRecords(inParts(text, length)));

  it("CSV is read as COPY reads it", async () => {
    expect(await csv('a,b\n1,\n"","x ""y"", z"\n\n"l1\nl2", 2 \r\n')).toEqual([
      { line: 1, fields: ["a", "b"] },
      { line: 2, fields: ["1", null] },
      { line: 3, fields: ["", 'x "y", z'] },
      { line: 5, fields: ["l1\nl2", " 2 "] },
    ]);
    expect(await csv('\\N,"\\N",', "\\N")).toEqual([{ line: 1, fields: [null, "\\N", ""] }]);
  });

  it("JSON is split into its objects, whatever is in their texts", async () => {
    const rows = [{ a: "}],[{" }, { a: '\\"}' }, { a: { b: [1, [2]] } }];
    const list = `\ufeff [${rows.map((row) => JSON.stringify(row, null, 1)).join(" ,\n")} ]\n`;
    expect((await json(list)).map(({ row }) => row)).toEqual(rows);
    const lines = rows.map((row) => JSON.stringify(row)).join("\n\n");
    expect(await json(lines)).toEqual(rows.map((row, n) => ({ line: 2 * n + 1, row })));
    expect([await json("[]"), await json(" "), await json("")]).toEqual([[], [], []]);
  });

  it.each([
    ["[1]", "found something else than an object"],
    ["[{}] {}", "found something else than an object"],
    ["[{},]", "found something else than an object"],
    ["{},{}", "found something else than an object"],
    ["[{}", "the file ends within a value"],
    ['{"a": "', "the file ends within a value"],
    ["{'a': 1}", "is not JSON"],
    ['{"a": 12345678901234567890}', "a number has more digits"],
  ])("refuses %s", async (text, message) => {
    await expect(json(text)).rejects.toThrow(message);
  });
});

it("numbers that JSON keeps are taken in any form", async () => {
  const text = '{"a": 1.10, "b": 1e3, "c": -0.5, "d": 9007199254740991, "e": 123456789.012345}';
  expect((await all(jsonRecords(inParts(text, 9))))[0]?.row).toMatchObject({ a: 1.1, b: 1000, d: 9007199254740991 });
});

describe("the inputs of a set", () => {
  const parsed = (properties: Properties) => parseRowsInputs(properties).inputs;
  const set: Properties = { table: "app.t", key: ["a"], rows: [{ a: 1 }] };

  it("replace it for another table only", () => {
    const change = (news: Properties) => inputDifference(parsed(set), parsed({ ...set, ...news }));
    expect(change({})).toEqual({});
    expect(change({ table: "app.u" })).toEqual({ table: { kind: "update-replace", inputDiff: true } });
    for (const [name, value] of Object.entries({ key: ["b"], rows: [], exclusive: true, nullText: "x" }))
      expect(change({ [name]: value })).toEqual({ [name]: { kind: "update", inputDiff: true } });
    expect(change({ rows: UNKNOWN })).toEqual({ rows: { kind: "update", inputDiff: true } });
  });

  it("make its id, and an id gives them back without a row", () => {
    const id = rowsId({ tableText: '"a.b".c', key: ["x&y", "z"] });
    expect(importedInputs(id)).toEqual({ table: '"a.b".c', key: ["x&y", "z"], rows: [] });
    for (const wrong of ["t/a", "app.t", "app.t/", "app.t/%"])
      expect(() => importedInputs(wrong)).toThrow("not the id of a set of rows");
  });
});

it("what is said of changes names the first rows and counts the others", () => {
  const named = (key: string) => ({ key, columns: ["name"] });
  const first = { added: [1, 2, 3, 4].map((n) => named(`id=${n}`)), changed: [named("id=9")], deleted: [] };
  const changes = { ...allNew(10_000), added: 1200, changed: 1, first };
  const { inputs } = parseRowsInputs({ table: "app.t", key: ["id"], rows: [] });
  expect(summaryOf(changes)).toBe("+1,200 ~1 −0 of 10,000 rows");
  expect(plannedChanges(changes, inputs).map(({ name }) => name)).toEqual([
    "insert 1,200 of 10,000 rows into app.t: id=1, id=2, id=3, …",
    "update 1 of 10,000 rows of app.t: id=9",
  ]);
  expect(driftOf(changes).at(-1)).toBe("1,196 more");
});

it("a state of another form is refused", () => {
  expect(() => unpackMade("2:x")).toThrow("written by a newer one");
  expect(unpackMade(undefined)).toEqual({ columns: [], keys: [] });
});
