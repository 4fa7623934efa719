import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { createTestRole } from "../../../support/database.ts";
import { failureOfCall, startProvider } from "../../../support/providerClient.ts";
import { ServerLog } from "../../../support/serverLog.ts";
import { ROWS, type RowsFixture, startRowsFixture } from "./rowsFixture.ts";

const serverLog = new ServerLog();
let fixture: RowsFixture;

beforeAll(async () => {
  fixture = await startRowsFixture();
});
afterAll(() => fixture.stop());
beforeEach(() => fixture.empty());

const countries = { table: "app.countries", key: ["code"] };

describe("a set is refused as a whole, in a preview already, with the place of the row,", () => {
  it.each<[string, Properties, RegExp]>([
    [
      "for a value that its type cannot take",
      {
        ...countries,
        rows: [
          { code: "IT", name: "a", area: 1 },
          { code: "FR", name: "b", area: "x1" },
        ],
      },
      /rows\[1\], column "area": invalid input syntax for type numeric: "x1"/,
    ],
    [
      "for a value that is too long",
      {
        ...countries,
        rows: [
          { code: "IT", name: "a" },
          { code: "FR", name: "b" },
          { code: "ESP", name: "c" },
        ],
      },
      /rows\[2\], app\.countries code=ESP: .*value too long for type character varying\(2\)/,
    ],
    [
      "for a violated check, with what it demands",
      {
        ...countries,
        rows: [
          { code: "IT", name: "a", area: 1 },
          { code: "FR", name: "b", area: -5 },
        ],
      },
      /rows\[1\], app\.countries code=FR: check constraint "countries_area_check".* rejects column "area" = "-5".*requires CHECK/s,
    ],
    [
      "for a missing value",
      {
        ...countries,
        rows: [
          { code: "IT", name: "a" },
          { code: "FR", name: null },
        ],
      },
      /rows\[1\], app\.countries code=FR: column "name".* has no value/,
    ],
    [
      "for a second row with a unique value",
      {
        ...countries,
        rows: [
          { code: "IT", name: "a" },
          { code: "FR", name: "b" },
          { code: "ES", name: "a" },
        ],
      },
      /rows\[2\], app\.countries code=ES: unique constraint "countries_name_key"/,
    ],
    [
      "for a row that refers to none",
      {
        table: "app.tree",
        key: ["id"],
        rows: [
          { id: 1, parent: 2 },
          { id: 2, parent: 9 },
        ],
      },
      /foreign key "tree_parent_fkey" is violated: .*do(es)? not exist: rows\[1\]\. Create it first/,
    ],
    [
      "for a key that is there twice, as its type compares",
      { table: "app.kinds", key: ["id"], rows: [{ id: 1 }, { id: 2 }, { id: "01" }] },
      /found the same key \(id\) in more than one row: rows\[0\] and rows\[2\]/,
    ],
    [
      "for a key without a value",
      { ...countries, rows: [{ code: null, name: "a" }] },
      /rows\[0\], column "code": found no value/,
    ],
    [
      "for a key that it lacks",
      { ...countries, rows: [{ name: "a" }] },
      /rows\[0\]: found columns "name", expected the key "code"/,
    ],
    [
      "for other columns than the first row has",
      { ...countries, rows: [{ code: "IT", name: "a" }, { code: "FR" }] },
      /rows\[1\]: found no column "name"/,
    ],
    [
      "for a column that the table lacks",
      { ...countries, rows: [{ code: "IT", nope: 1 }] },
      /no column for nope\. It has code, name/,
    ],
    [
      "for a table that is not there",
      { ...countries, table: "app.nothing", rows: [{ code: "IT" }] },
      /table app\.nothing does not exist.*dependsOn/s,
    ],
    [
      "for a generated column",
      { table: "app.numbered", key: ["id"], rows: [{ id: 1, upper: "A" }] },
      /"upper" of app\.numbered is generated/,
    ],
    [
      "for an object in a text column",
      { ...countries, rows: [{ code: "IT", name: { a: 1 } }] },
      /rows\[0\]: column "name" is of type text, found an object/,
    ],
  ])("%s", async (_case, inputs, message) => {
    for (const preview of [true, false]) {
      const failure = await failureOfCall(fixture.provider.create(ROWS, "c", inputs, { preview }));
      expect(failure.details).toMatch(message);
    }
    for (const table of ["countries", "tree", "kinds"])
      expect(await fixture.database.query(`SELECT * FROM app.${table}`)).toEqual([]);
  });

  it("for what a trigger changes, with the columns, or keeps from being written", async () => {
    const shouting = {
      table: "app.shouting",
      key: ["code"],
      rows: [
        { code: "a", name: "QUIET" },
        { code: "b", name: "quiet" },
      ],
    };
    const { details } = await failureOfCall(fixture.provider.create(ROWS, "s", shouting));
    expect(details).toContain("does not hold what was written in 1 row (code=b: name); nothing was changed");
    expect(await fixture.database.query("SELECT * FROM app.shouting")).toEqual([]);
    await fixture.database.query("INSERT INTO app.stubborn VALUES ('x')");
    const stubborn = { table: "app.stubborn", key: ["code"], rows: [{ code: "a" }], exclusive: true };
    const kept = await failureOfCall(fixture.provider.create(ROWS, "s", stubborn));
    expect(kept.details).toContain("the deletion removed 0 rows, expected 1");
    expect(await fixture.database.query("SELECT * FROM app.stubborn")).toEqual([{ code: "x" }]);
  });

  it("for a key that more than one row of a view has", async () => {
    await fixture.database.query(
      "CREATE VIEW app.loosely AS SELECT * FROM app.loose; INSERT INTO app.loose VALUES ('a', '1'), ('a', '2')",
    );
    const inputs = { table: "app.loosely", key: ["code"], rows: [{ code: "a", name: "3" }] };
    const { details } = await failureOfCall(fixture.provider.create(ROWS, "l", inputs));
    expect(details).toContain("app.loosely has more than one row for code=a");
  });

  it("where policies may hide rows from an exclusive set", async () => {
    const owner = await createTestRole();
    const provider = await startProvider();
    await fixture.database.query(
      `GRANT USAGE ON SCHEMA app TO ${owner.name}; GRANT ALL ON app.countries TO ${owner.name}; ALTER TABLE app.countries ENABLE ROW LEVEL SECURITY`,
    );
    try {
      await provider.configure({ url: fixture.database.urlFor(owner) });
      const inputs = { ...countries, rows: [{ code: "IT", name: "a" }], exclusive: true };
      expect((await failureOfCall(provider.create(ROWS, "c", inputs))).details).toContain(
        "Rows may be hidden from this role",
      );
    } finally {
      await provider.stop();
      await fixture.database.query(`ALTER TABLE app.countries DISABLE ROW LEVEL SECURITY; DROP OWNED BY ${owner.name}`);
      await owner.drop();
    }
  });
});

describe("check", () => {
  it("finds all faults at once, each with its path", async () => {
    const { failures } = await fixture.provider.check(ROWS, {
      table: "countries",
      key: [],
      rows: [{ a: 1 }, 2],
      file: "a.txt",
      exclusive: "yes",
      secretColumns: [""],
      compareWith: { other: "1" },
      tabel: "typo",
    });
    expect(failures.map(({ property }) => property).sort()).toEqual(
      ["tabel", "table", "key", "rows[1]", "file", "file", "exclusive", "secretColumns[0]", "compareWith.other"].sort(),
    );
    const neither = await fixture.provider.check(ROWS, { ...countries, secretColumns: ["code"] });
    expect(neither.failures.map(({ property }) => property).sort()).toEqual(["rows", "secretColumns"]);
  });
});

describe("secrets", () => {
  const canary = (): string => `canary-${randomBytes(8).toString("hex")}`;
  const tokens = (token: string, more: Properties = {}): Properties => ({
    table: "app.tokens",
    key: ["name"],
    rows: [{ name: "a", token, ...more }],
    secretColumns: ["token"],
    compareWith: { token: "app.decrypt(stored)" },
  });
  const stored = async (): Promise<string> => {
    const [row] = await fixture.database.query<{ text: string }>(
      "SELECT stored::text AS text FROM app.tokens WHERE name = 'a'",
    );
    return row?.text ?? "";
  };

  it("are compared in their plain form, and not written again while they match", async () => {
    const inputs = tokens("first", { health: "ok" });
    const state = await fixture.provider.create(ROWS, "t", inputs);
    const before = await stored();
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
    await fixture.provider.update(state, tokens("first", { health: "bad" }));
    expect(await stored()).toBe(before);
    const both = (one: string, other: string, health: string): Properties => ({
      ...inputs,
      rows: [
        { name: "a", token: one, health },
        { name: "b", token: other, health: "ok" },
      ],
    });
    await fixture.provider.update(state, both("first", "other", "bad"));
    await fixture.provider.update(state, both("first", "changed", "worse"));
    expect(await stored()).toBe(before);
    await fixture.provider.update(state, { ...tokens("second", { health: "bad" }), exclusive: true });
    expect(await fixture.database.query("SELECT app.decrypt(stored) AS text FROM app.tokens")).toEqual([
      { text: "second" },
    ]);
    await fixture.database.query("UPDATE app.tokens SET stored = pgp_sym_encrypt('x', 'another key')");
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(true);
    await fixture.provider.update(state, inputs);
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
  });

  it("are in no output, message, child line or log, whatever fails", async () => {
    // What a trigger prints is in the server's log, with each role that writes.
    const [secret, printed] = [canary(), canary()];
    const seen: unknown[] = [];
    const inputs = tokens(secret, { health: "ok" });
    seen.push((await fixture.provider.create(ROWS, "t", inputs, { preview: true })).outputs);
    const state = await fixture.provider.create(ROWS, "t", inputs);
    seen.push(state.outputs);
    await fixture.database.query("UPDATE app.tokens SET health = 'bad', stored = pgp_sym_encrypt('x', 'key')");
    const read = await fixture.provider.read(state);
    expect(read?.outputs.drift).toEqual(["name=a: health, token"]);
    seen.push(read?.outputs);
    // A trigger that prints what it refuses, a check, and a type that would print it.
    const raised = { ...tokens("raise", { health: printed }), secretColumns: ["token", "health"] };
    const refusals: Properties[] = [
      raised,
      { ...countries, rows: [{ code: "IT", name: secret, area: -1 }], secretColumns: ["name"] },
      { ...countries, rows: [{ code: "IT", name: "a", area: secret }], secretColumns: ["area"] },
      { table: "app.kinds", key: ["id"], rows: [{ id: 1, raw: secret }], secretColumns: ["raw"] },
    ];
    for (const refused of refusals) seen.push(await failureOfCall(fixture.provider.create(ROWS, "t", refused)));
    const told = JSON.stringify([
      seen,
      seen.filter((one) => one instanceof Error).map(String),
      fixture.provider.logs,
      fixture.provider.steps,
    ]);
    expect(told).not.toContain(secret);
    expect(told).not.toContain(printed);
    expect(told).toContain("may hold a secret");
    expect(told).toContain("the secret is no value of type json");
    expect(serverLog.read()).not.toContain(secret);
  });
});
