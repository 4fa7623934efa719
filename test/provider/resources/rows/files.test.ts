import { rm } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { failureOfCall } from "../../../support/providerClient.ts";
import { ROWS, type RowsFixture, startRowsFixture } from "./rowsFixture.ts";

let fixture: RowsFixture;

beforeAll(async () => {
  fixture = await startRowsFixture();
});
afterAll(() => fixture.stop());
beforeEach(() => fixture.empty());

const countries = (file: string, more: Properties = {}): Properties => ({
  table: "app.countries",
  key: ["code"],
  file,
  ...more,
});
const stored = (): Promise<Properties[]> =>
  fixture.database.query("SELECT code, name, area::text, tags FROM app.countries ORDER BY code");

const ITALY = { code: "IT", name: 'It, "a"\nly', area: "302.07", tags: ["eu", "nato"] };
const FRANCE = { code: "FR", name: "", area: null, tags: null };
const CSV = 'code,name,area,tags\nIT,"It, ""a""\nly",302.07,"{eu,nato}"\nFR,"",,\n';

describe("a file", () => {
  it.each([
    ["of CSV, its fields as COPY reads them", "c.csv", CSV],
    [
      "of CSV with a byte order mark and the line ends of Windows",
      "w.csv",
      `\ufeff${CSV.replaceAll("\n", "\r\n").replace('"a""\r\nly', '"a""\nly')}`,
    ],
    ["with a list of objects", "c.json", JSON.stringify([ITALY, FRANCE], null, 2)],
    ["with an object a line", "c.ndjson", `${JSON.stringify(ITALY)}\n\n${JSON.stringify(FRANCE)}`],
  ])("%s, holds the rows, and the next diff is empty", async (_case, name, content) => {
    const inputs = countries(await fixture.file(name, content));
    const state = await fixture.provider.create(ROWS, "c", inputs);
    expect(await stored()).toEqual([FRANCE, ITALY]);
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
  });

  it("may say NULL in another way", async () => {
    const file = await fixture.file("n.csv", 'code,name,area\nIT,"NULL",NULL\nFR,,1\n');
    await fixture.provider.create(ROWS, "c", countries(file, { nullText: "NULL" }));
    expect(await stored()).toMatchObject([
      { name: "", area: "1.00" },
      { name: "NULL", area: null },
    ]);
  });

  it("is a change when its content is another one; the state has a digest and keys, and no other value", async () => {
    const file = await fixture.file("d.csv", "code,name\nIT,Italy\n");
    const state = await fixture.provider.create(ROWS, "c", countries(file));
    expect(JSON.stringify([state.inputs, state.outputs])).not.toContain("Italy");
    const made = Buffer.from(String(state.outputs.made).slice(2), "base64");
    expect(gunzipSync(made).toString()).toBe('["code"]\n["IT"]');
    await fixture.file("d.csv", "code,name\nIT,Italia\nFR,France\n");
    expect((await fixture.provider.diff(state, countries(file))).detailed).toEqual({ file: "UPDATE" });
    const updated = await fixture.provider.update(state, countries(file));
    expect(updated.outputs).toMatchObject({ rowCount: 2, adopted: 0 });
    expect(updated.outputs.digest).not.toBe(state.outputs.digest);
    // A destroy needs no file.
    await rm(file);
    await fixture.provider.delete(updated);
    expect(await stored()).toEqual([]);
  });

  it.each([
    ["c1.csv", "code,name\nIT,a\nFR\n", /c1\.csv, line 3: found 1 fields, expected 2/],
    ["c2.csv", 'code,name\nIT,"a\n', /c2\.csv, line 2: a quote is opened and not closed/],
    ["c3.csv", 'code,name\nIT,a"b\n', /c3\.csv, line 2: a quote stands within a field/],
    ["c4.csv", "code,code\nIT,a\n", /c4\.csv, line 1: found column "code" twice/],
    ["c5.csv", "name\na\n", /c5\.csv, line 1: found columns "name", expected the key "code"/],
    ["c6.csv", Buffer.from([...Buffer.from("code,name\nIT,"), 0xff, 0x0a]), /c6\.csv, line 2: is not UTF-8/],
    ["c7.csv", 'code,name,area\n"IT","a\nb",1\nFR,c,much\n', /c7\.csv, line 4, column "area": invalid input syntax/],
    [
      "c8.csv",
      "code,name\nIT,a\nFR,b\nIT,c\n",
      /the same key \(code\) in more than one row: .*c8\.csv, line 2 and .*c8\.csv, line 4/,
    ],
    ["c9.csv", "code,name\nIT,a\n,b\n", /c9\.csv, line 3, column "code": found no value/],
    ["c1.json", '[{"code": "IT", "name": "a"},\n{"code": "FR", "name": b}]', /c1\.json, line 2: is not JSON/],
    ["c2.json", '[{"code": "IT", "name": "a"}\n', /c2\.json, line 2: the file ends within a value/],
    [
      "c3.json",
      '[{"code": "IT", "name": "a"}\n{"code": "FR", "name": "a"}]',
      /c3\.json, line 2: found something else than an object/,
    ],
    [
      "c4.json",
      '{"code": "IT", "name": "a", "area": 1.23456789012345678}',
      /c4\.json, line 1: a number has more digits/,
    ],
    ["c5.json", '{"code": "IT", "name": "a"}\n{"code": "FR"}', /c5\.json, line 2: found no column "name"/],
  ])("is refused for a mistake, with its line: %s", async (name, content, message) => {
    const file = await fixture.file(name, content);
    expect((await failureOfCall(fixture.provider.create(ROWS, "c", countries(file)))).details).toMatch(message);
    expect(
      (await failureOfCall(fixture.provider.create(ROWS, "c", countries(file), { preview: true }))).details,
    ).toMatch(message);
    expect(await stored()).toEqual([]);
  });

  it("is refused where it is not there, and where it is empty and the set exclusive", async () => {
    const { details } = await failureOfCall(fixture.provider.create(ROWS, "c", countries("nowhere.csv")));
    expect(details).toContain("nowhere.csv: found nothing there");
    const empty = await fixture.file("e.csv", "code,name\n");
    const refused = await failureOfCall(fixture.provider.create(ROWS, "c", countries(empty, { exclusive: true })));
    expect(refused.details).toContain("all rows of app.countries would be deleted");
    expect((await fixture.provider.create(ROWS, "c", countries(empty))).outputs.rowCount).toBe(0);
  });

  it("is read in parts, and a fault in a later one is found", async () => {
    const lines = Array.from({ length: 12_000 }, (_line, n) => `${n},note ${n}`);
    const file = await fixture.file("large.csv", `id,note\n${lines.join("\n")}\n`);
    const inputs = { table: "app.kinds", key: ["id"], file, exclusive: true };
    const state = await fixture.provider.create(ROWS, "k", inputs);
    expect(state.outputs).toMatchObject({ rowCount: 12_000, adopted: 0 });
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
    await fixture.file("large.csv", `id,note\n${[...lines, "x,y"].join("\n")}\n`);
    expect((await failureOfCall(fixture.provider.update(state, inputs))).details).toContain(
      'large.csv, line 12002, column "id": invalid input syntax for type integer: "x"',
    );
    await fixture.provider.delete(state);
    expect(await fixture.database.query("SELECT id FROM app.kinds")).toEqual([]);
  });
});
