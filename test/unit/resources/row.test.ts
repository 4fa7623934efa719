import { describe, expect, it } from "vitest";
import { type Properties, UNKNOWN } from "../../../provider/core/resourceType.ts";
import { bindPlannedRow, bindRow } from "../../../provider/resources/row/boundRow.ts";
import type { Column } from "../../../provider/resources/row/columns.ts";
import { inputDifference, isReplacement, withDrift } from "../../../provider/resources/row/diff.ts";
import { parseRowId, parseTableName, rowId } from "../../../provider/resources/row/identity.ts";
import { checkedRowInputs, parseRowInputs } from "../../../provider/resources/row/inputs.ts";
import { bindSecret, bindValue } from "../../../provider/resources/row/parameters.ts";
import { deleteRow, insertRow, selectRow, updateRow } from "../../../provider/resources/row/sql.ts";

function column(type: string, parts: Partial<Column> = {}): Column {
  return {
    type,
    kind: "plain",
    compareAs: undefined,
    equality: "operator(pg_catalog.=)",
    primaryKey: false,
    takesSecrets: true,
    generated: undefined,
    ...parts,
  };
}

const columns = new Map<string, Column>([
  ["id", column("uuid", { primaryKey: true, takesSecrets: false })],
  ["slug", column("text")],
  ['odd"name', column("text")],
  ["config", column("jsonb", { kind: "json" })],
  ["raw", column("json", { kind: "json", compareAs: "jsonb" })],
  ["tags", column("text[]", { kind: "array" })],
  ["secret", column("text")],
]);

const inputs: Properties = {
  table: "app.things",
  key: { slug: "a'b" },
  values: { 'odd"name': "x", config: { a: 1 }, raw: [1] },
  secretValues: { secret: "s" },
  compareWith: { secret: "app.decrypt(id)" },
  returning: ["id", "config"],
};

describe("the SQL of a row", () => {
  const row = bindRow(checkedRowInputs(inputs), columns);

  it("compares inside the database, with secrets by their expression", () => {
    expect(selectRow(row, [...row.values, ...row.secrets], { lock: true })).toEqual({
      text:
        `SELECT ARRAY[CASE WHEN ("odd""name" operator(pg_catalog.=) $1::text) IS TRUE THEN '' END, CASE WHEN ("config" operator(pg_catalog.=) $2::jsonb) IS TRUE THEN '' END, ` +
        `CASE WHEN ("raw"::pg_catalog.jsonb operator(pg_catalog.=) $3::json::pg_catalog.jsonb) IS TRUE THEN '' END, ` +
        `CASE WHEN ((app.decrypt(id))::pg_catalog.text operator(pg_catalog.=) $4::pg_catalog.text) IS TRUE THEN '' END]::pg_catalog.text[] AS answers, ` +
        `pg_catalog.jsonb_build_array("id"::pg_catalog.text, pg_catalog.to_jsonb("config")) AS returned ` +
        `FROM "app"."things" WHERE "slug" operator(pg_catalog.=) $5::text LIMIT 2 FOR UPDATE`,
      values: ["x", '{"a":1}', "[1]", "s", "a'b"],
    });
  });

  it("asks for what is accepted in the place of a value, by bind parameters", () => {
    const accepts = { raw: "app.note(id, {secret}, {raw})" };
    const { values } = bindRow(checkedRowInputs({ ...inputs, accepts }), columns);
    const statement = selectRow(row, values.slice(2), { lock: false });
    expect(statement.text).toContain(
      "THEN '' ELSE (app.note(id, $2::pg_catalog.text, $3::pg_catalog.text))::pg_catalog.text END]",
    );
    expect(statement.values).toEqual(["[1]", "s", "[1]", "a'b"]);
  });

  it("refuses an acceptance that asks for a value which is not given", () => {
    const { failures } = parseRowInputs({ ...inputs, accepts: { raw: "app.note({other})" } });
    expect(failures).toMatchObject([{ property: "accepts.raw", reason: expect.stringContaining("names other") }]);
  });

  it("binds every value and quotes every name", () => {
    expect(insertRow(row.table, [...row.key, ...row.values])).toEqual({
      text: 'INSERT INTO "app"."things" ("slug", "odd""name", "config", "raw") VALUES ($1::text, $2::text, $3::jsonb, $4::json)',
      values: ["a'b", "x", '{"a":1}', "[1]"],
    });
    expect(updateRow(row, row.secrets)).toEqual({
      text: 'UPDATE "app"."things" SET "secret" = $1::text WHERE "slug" operator(pg_catalog.=) $2::text',
      values: ["s", "a'b"],
    });
    expect(deleteRow(row)).toEqual({
      text: 'DELETE FROM "app"."things" WHERE "slug" operator(pg_catalog.=) $1::text',
      values: ["a'b"],
    });
  });

  it("never touches all rows of a table", () => {
    expect(() => deleteRow({ ...row, key: [] })).toThrow("without a key");
  });

  it("leaves out what a preview does not know, and says so", () => {
    const planned = checkedRowInputs({
      ...inputs,
      values: { slug2: 1, config: UNKNOWN },
      secretValues: { secret: UNKNOWN },
      initialSecretValues: UNKNOWN,
      initialValues: { slug3: UNKNOWN },
    });
    expect(bindPlannedRow(planned, columns)?.undetermined).toEqual([
      "values.slug2",
      "values.config",
      "secretValues.secret",
    ]);
    expect(bindPlannedRow(checkedRowInputs({ ...inputs, key: { slug: UNKNOWN } }), columns)).toBeUndefined();
    expect(() => bindRow(checkedRowInputs({ ...inputs, values: { slug2: 1 } }), columns)).toThrow(
      "no column for values.slug2",
    );
  });
});

describe("bind values", () => {
  it.each([
    [column("text"), "a", "a"],
    [column("integer", { kind: "number" }), 5, "5"],
    [column("boolean", { kind: "boolean" }), false, "false"],
    [column("text"), null, null],
    [column("jsonb", { kind: "json" }), "text", '"text"'],
    [column("jsonb", { kind: "json" }), null, null],
    [column("text[]", { kind: "array" }), ['a"b', "c\\d", null, "NULL", ""], '{"a\\"b","c\\\\d",NULL,"NULL",""}'],
    [
      column("integer[]", { kind: "array" }),
      [
        [1, 2],
        [3, 4],
      ],
      '{{"1","2"},{"3","4"}}',
    ],
  ])("for %j of %j are %j", (type, value, text) => {
    expect(bindValue("c", type, value)).toBe(text);
  });

  it("are refused where the type cannot take them or would give a secret away", () => {
    expect(() => bindValue("c", column("text"), { a: 1 })).toThrow('"c" is of type text, found an object');
    expect(() => bindValue("c", column("text"), [1])).toThrow('"c" is of type text, found a list');
    expect(() => bindSecret("c", column("integer", { takesSecrets: false }), "canary")).toThrow(
      /integer, expected text.*secret/,
    );
  });
});

describe("the identity of a row", () => {
  it("is an id that leads back to it", () => {
    const key = new Map([
      ["slug", "a&b=c/d é"],
      ["kind", "x"],
    ]);
    const id = rowId("platform.organizations", key);
    expect(id).toBe("platform.organizations/kind=x&slug=a%26b%3Dc%2Fd%20%C3%A9");
    expect(parseRowId(id)).toEqual({ table: "platform.organizations", key });
  });

  it.each(["", "platform.organizations", "organizations/slug=a", "a.b/slug", "a.b/=x", "a.b/c=%zz"])(
    "is not %j",
    (id) => expect(() => parseRowId(id)).toThrow("is not the id of a row"),
  );

  it("has a table of two parts, taken as written", () => {
    expect(parseTableName("app.Things")).toEqual({ schema: "app", name: "Things" });
    expect(parseTableName('"my.app"."say ""hi"""')).toEqual({ schema: "my.app", name: 'say "hi"' });
    for (const text of ["things", "a.b.c", "a. b", '"a"b.c', "a."]) expect(parseTableName(text)).toBeUndefined();
  });
});

describe("the difference of two inputs", () => {
  const difference = (olds: Properties, news: Properties) =>
    inputDifference(parseRowInputs(olds).inputs, parseRowInputs(news).inputs);

  it("names each column, and replaces for another identity only", () => {
    const news = {
      ...inputs,
      values: { config: { a: 2 }, raw: [1], added: null },
      secretValues: { secret: "other" },
      initialValues: { x: 1 },
    };
    expect(difference(inputs, inputs)).toEqual({});
    expect(difference(inputs, news)).toEqual({
      'values["odd\\"name"]': { kind: "delete", inputDiff: true },
      "values.config": { kind: "update", inputDiff: true },
      "values.added": { kind: "add", inputDiff: true },
      "secretValues.secret": { kind: "update", inputDiff: true },
    });
    const moved = difference(inputs, { ...inputs, key: { slug: UNKNOWN } });
    expect(moved).toEqual({ "key.slug": { kind: "update-replace", inputDiff: true } });
    expect(isReplacement(moved, checkedRowInputs(inputs))).toBe(true);
    expect(isReplacement({}, checkedRowInputs(inputs))).toBe(false);
  });

  it("keeps what the inputs say where the database differs too", () => {
    const detailed = difference(inputs, { ...inputs, secretValues: {} });
    expect(withDrift(detailed, ["secretValues.secret", "values.config"], "update")).toEqual({
      "secretValues.secret": { kind: "delete", inputDiff: true },
      "values.config": { kind: "update", inputDiff: false },
    });
  });
});
