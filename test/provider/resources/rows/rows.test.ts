import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Properties, UNKNOWN } from "../../../../provider/core/resourceType.ts";
import { failureOfCall, startProvider } from "../../../support/providerClient.ts";
import { ROWS, type RowsFixture, startRowsFixture } from "./rowsFixture.ts";

let fixture: RowsFixture;

beforeAll(async () => {
  fixture = await startRowsFixture();
});
afterAll(() => fixture.stop());
beforeEach(() => fixture.empty());

const countries = (rows: Properties[], more: Properties = {}): Properties => ({
  table: "app.countries",
  key: ["code"],
  rows,
  ...more,
});
const italy = { code: "IT", name: "Italy" };
const france = { code: "FR", name: "France" };
const spain = { code: "ES", name: "Spain" };

const stored = (): Promise<Properties[]> =>
  fixture.database.query("SELECT code, name FROM app.countries ORDER BY code");
const said = (): string[] => fixture.provider.logs.map(({ text }) => text);

describe("create", () => {
  it("inserts what is missing, changes what differs, leaves the rest alone, and tells the numbers", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('IT', 'old'), ('DE', 'Germany')");
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france]));
    expect(state.id).toBe("app.countries/code");
    expect(state.outputs).toMatchObject({ rowCount: 2, adopted: 1, drift: [] });
    expect(await stored()).toEqual([{ code: "DE", name: "Germany" }, france, italy]);
    expect(said()).toEqual(["+1 ~1 −0 of 2 rows", "adopted 1 row that were there already"]);
  });

  it("writes values of every kind, by the types of their columns, so that the next diff is empty", async () => {
    const inputs = {
      table: "app.kinds",
      key: ["id"],
      rows: [
        {
          id: 1,
          at: "2024-05-06T07:08:09+02:00",
          amount: "1.50",
          doc: { b: [1, null, "x"], a: { c: true } },
          raw: { z: 1, a: "text" },
          tags: [1, 2],
          flag: false,
          blob: "\\xdeadbeef",
          note: 'O\'Neil \\ "quoted" {ünï}, \n',
        },
        { id: "2", at: null, amount: 2, doc: "text", raw: null, tags: [], flag: true, blob: null, note: "" },
      ],
    };
    const state = await fixture.provider.create(ROWS, "k", inputs);
    expect(await fixture.provider.diff(state, inputs)).toEqual({ changed: false, detailed: {}, replaces: [] });
    expect(await fixture.database.query("SELECT amount::text, doc, tags, note FROM app.kinds ORDER BY id")).toEqual([
      { amount: "1.50", doc: { b: [1, null, "x"], a: { c: true } }, tags: [1, 2], note: inputs.rows[0]?.note },
      { amount: "2", doc: "text", tags: [], note: "" },
    ]);
  });

  it("takes rows that refer to one another in any order", async () => {
    const rows = [
      { id: 3, parent: 2 },
      { id: 2, parent: 1 },
      { id: 1, parent: null },
    ];
    const state = await fixture.provider.create(ROWS, "t", { table: "app.tree", key: ["id"], rows, exclusive: true });
    const moved = {
      table: "app.tree",
      key: ["id"],
      rows: [
        { id: 3, parent: 4 },
        { id: 4, parent: null },
      ],
      exclusive: true,
    };
    await fixture.provider.update(state, moved);
    expect(await fixture.database.query("SELECT id, parent FROM app.tree ORDER BY id")).toEqual(moved.rows);
  });

  it("takes partitioned tables, odd names, and values of identity columns", async () => {
    const sets = [
      {
        table: "app.parts",
        key: ["region", "id"],
        rows: [
          { region: "eu", id: 1, name: "a" },
          { region: "us", id: 1, name: "b" },
        ],
      },
      { table: '"app"."Odd ""name"""', key: ["Key"], rows: [{ Key: "k", "a.b": 'v"' }] },
      { table: "app.numbered", key: ["id"], rows: [{ id: 7, name: "seven" }] },
    ];
    for (const inputs of sets) {
      const state = await fixture.provider.create(ROWS, "s", inputs);
      expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
    }
    expect(await fixture.database.query('SELECT "a.b" FROM app."Odd ""name"""')).toEqual([{ "a.b": 'v"' }]);
    expect(await fixture.database.query("SELECT region FROM app.parts_eu")).toEqual([{ region: "eu" }]);
    expect(await fixture.database.query("SELECT id, upper FROM app.numbered")).toEqual([{ id: 7, upper: "SEVEN" }]);
  });

  it("writes initial columns with new rows only", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('IT', 'theirs')");
    const inputs = countries([italy, france], { initialColumns: ["name"] });
    const state = await fixture.provider.create(ROWS, "c", inputs);
    expect(await stored()).toEqual([france, { code: "IT", name: "theirs" }]);
    await fixture.database.query("UPDATE app.countries SET name = 'other' WHERE code = 'FR'");
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
  });

  it("gives up where another session holds a row, with nothing written", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('IT', 'old')");
    const holder = await fixture.database.pool.connect();
    try {
      await holder.query("BEGIN; SELECT 1 FROM app.countries FOR UPDATE");
      const failure = await failureOfCall(fixture.provider.create(ROWS, "c", countries([france, italy])));
      expect(failure.details).toContain("each waiting at most 200 ms");
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
    }
    expect(await stored()).toEqual([{ code: "IT", name: "old" }]);
  });

  it("makes each row once when two runs create the set at the same time", async () => {
    const providers = [await startProvider(), await startProvider()];
    try {
      for (const provider of providers) await provider.configure({ url: fixture.database.url, lockTimeoutMs: 20_000 });
      const inputs = { table: "app.slow", key: ["code"], rows: [{ code: "a" }] };
      const states = await Promise.all(providers.map((provider) => provider.create(ROWS, "s", inputs)));
      expect(states.map(({ outputs }) => outputs.adopted).sort()).toEqual([0, 1]);
    } finally {
      for (const provider of providers) await provider.stop();
    }
  });
});

describe("diff and update", () => {
  it("shows and writes a change, and deletes nothing where the set is not exclusive", async () => {
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france]));
    const news = countries([{ ...italy, name: "Italia" }, spain]);
    expect((await fixture.provider.diff(state, news)).detailed).toEqual({ rows: "UPDATE" });
    const updated = await fixture.provider.update(state, news);
    expect(await stored()).toEqual([spain, france, { code: "IT", name: "Italia" }]);
    expect(updated.outputs).toMatchObject({ rowCount: 2, adopted: 0 });
    await fixture.provider.delete(updated);
    expect(await stored()).toEqual([]);
  });

  it("sees drift in the database and repairs it", async () => {
    const inputs = countries([italy, france]);
    const state = await fixture.provider.create(ROWS, "c", inputs);
    await fixture.database.query("UPDATE app.countries SET name = 'x' WHERE code = 'IT'");
    await fixture.database.query("DELETE FROM app.countries WHERE code = 'FR'");
    expect((await fixture.provider.diff(state, inputs)).detailed).toEqual({ rows: "UPDATE" });
    expect(said()).toContain("drift: +1 ~1 −0 of 2 rows differ in the database");
    expect((await fixture.provider.read(state))?.outputs.drift).toEqual(["code=IT: name", "code=FR: missing"]);
    await fixture.provider.update(state, inputs);
    expect(await stored()).toEqual([france, italy]);
  });

  it("deletes what an exclusive set does not have, also what it did not make, and its unique values can be used again", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('UK', 'Britain'), ('XX', 'x')");
    const inputs = countries([{ code: "GB", name: "Britain" }], { exclusive: true });
    const state = await fixture.provider.create(ROWS, "c", inputs);
    expect(await stored()).toEqual([{ code: "GB", name: "Britain" }]);
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('YY', 'y')");
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(true);
    expect((await fixture.provider.read(state))?.outputs.drift).toEqual(["code=YY: not in the set"]);
  });

  it("refuses to delete rows that others refer to, and names table and number", async () => {
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france]));
    await fixture.database.query("INSERT INTO app.cities VALUES ('Rome', 'IT'), ('Milan', 'IT')");
    const inputs = countries([france], { exclusive: true });
    for (const preview of [true, false]) {
      const { details } = await failureOfCall(fixture.provider.update(state, inputs, { preview }));
      expect(details).toContain("1 row of app.countries not in the set (code=IT) cannot be deleted");
      expect(details).toContain("2 rows of app.cities: would be deleted");
    }
    expect(await stored()).toEqual([france, italy]);
  });

  it("refuses an exclusive set without rows, in a preview as well", async () => {
    const empty = countries([], { exclusive: true });
    for (const preview of [true, false]) {
      const { details } = await failureOfCall(fixture.provider.create(ROWS, "c", empty, { preview }));
      expect(details).toContain("all rows of app.countries would be deleted");
    }
  });

  it("replaces for another table, and for another key changes no row and deletes none", async () => {
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france]));
    const other = await fixture.provider.diff(state, countries([], { table: "app.cities" }));
    expect(other.replaces).toEqual(["table"]);
    const byName = countries([italy, france], { key: ["name"] });
    expect(await fixture.provider.diff(state, byName)).toMatchObject({ detailed: { key: "UPDATE" }, replaces: [] });
    const updated = await fixture.provider.update(state, byName);
    expect(updated.outputs.adopted).toBe(0);
    expect(await stored()).toEqual([france, italy]);
    await fixture.provider.delete(updated);
    expect(await stored()).toEqual([]);
  });
});

describe("delete", () => {
  it("deletes the rows that it made and leaves those that it adopted, and says so", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('IT', 'Italy')");
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france]));
    await fixture.provider.delete(state);
    expect(await stored()).toEqual([italy]);
    expect(said().at(-1)).toContain("1 row of app.countries/code stay in the database");
    await fixture.provider.delete({ ...state, inputs: countries([italy], { table: "app.gone" }) });
  });

  it("refuses while rows that are not ours would go with them", async () => {
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france]));
    await fixture.database.query("INSERT INTO app.cities VALUES ('Rome', 'IT')");
    const { details } = await failureOfCall(fixture.provider.delete(state));
    expect(details).toContain("1 row of app.cities: would be deleted");
    expect(await stored()).toEqual([france, italy]);
  });

  it("deletes rows that refer to one another, and fails when a trigger keeps one", async () => {
    const rows = [
      { id: 2, parent: 1 },
      { id: 1, parent: 1 },
    ];
    const tree = await fixture.provider.create(ROWS, "t", { table: "app.tree", key: ["id"], rows });
    await fixture.provider.delete(tree);
    expect(await fixture.database.query("SELECT id FROM app.tree")).toEqual([]);
    const kept = await fixture.provider.create(ROWS, "s", {
      table: "app.stubborn",
      key: ["code"],
      rows: [{ code: "a" }],
    });
    expect((await failureOfCall(fixture.provider.delete(kept))).details).toContain("removed 0 rows, expected 1");
  });
});

describe("read", () => {
  it("reports a table that is gone as gone, and imports table and key without a row", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('IT', 'Italy')");
    const gone = { type: ROWS, name: "c", id: "app.gone/code", inputs: {}, outputs: {} };
    expect(await fixture.provider.read(gone)).toBeUndefined();
    const imported = await fixture.provider.read({ ...gone, id: "app.countries/code" });
    expect(imported?.inputs).toEqual({ table: "app.countries", key: ["code"], rows: [] });
    if (imported === undefined) return;
    const updated = await fixture.provider.update(imported, countries([italy, france]));
    expect(updated.outputs.adopted).toBe(1);
    await fixture.provider.delete(updated);
    expect(await stored()).toEqual([italy]);
    expect((await failureOfCall(fixture.provider.read({ ...gone, id: "x" }))).details).toContain(
      '"x" is not the id of a set of rows',
    );
  });
});

describe("preview", () => {
  it("shows the numbers and the first rows by key, no values, and changes nothing", async () => {
    await fixture.database.query("INSERT INTO app.countries (code, name) VALUES ('IT', 'old'), ('DE', 'Germany')");
    const state = await fixture.provider.create(ROWS, "c", countries([italy, france, spain], { exclusive: true }), {
      preview: true,
    });
    expect(state.outputs).toMatchObject({ rowCount: 3, made: UNKNOWN });
    expect(fixture.provider.steps.map(({ op, name, details }) => ({ op, name, details }))).toEqual([
      {
        op: "create",
        name: "insert 2 of 3 rows into app.countries: code=FR, code=ES",
        details: { table: "app.countries", count: 2, rows: ["code=FR", "code=ES"] },
      },
      {
        op: "update",
        name: "update 1 of 3 rows of app.countries: code=IT",
        details: { table: "app.countries", count: 1, columns: { "code=IT": "name" } },
      },
      {
        op: "delete",
        name: "delete 1 row of app.countries not in the set: code=DE",
        details: { table: "app.countries", count: 1, rows: ["code=DE"] },
      },
    ]);
    expect(said()).toContain("+2 ~1 −1 of 3 rows");
    expect(await stored()).toHaveLength(2);
  });

  it("leaves nothing of what event triggers do for its temporary table", async () => {
    await fixture.database.query(`
      CREATE TABLE public.seen (tag text);
      CREATE FUNCTION public.see() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.seen VALUES (tg_tag); END $$;
      CREATE EVENT TRIGGER see ON ddl_command_end EXECUTE FUNCTION public.see()`);
    await fixture.provider.create(ROWS, "c", countries([italy]), { preview: true });
    expect(await fixture.database.query("SELECT tag FROM public.seen")).toEqual([]);
    await fixture.database.query("DROP EVENT TRIGGER see; DROP FUNCTION public.see(); DROP TABLE public.seen");
  });

  it("takes a value that is not there yet as to come", async () => {
    await fixture.provider.create(ROWS, "c", countries([italy]));
    const sets: [Properties, string][] = [
      [countries([italy, { code: "FR", name: UNKNOWN }]), "+1 ~0 −0 of 2 rows"],
      [countries([italy, { code: UNKNOWN, name: "x" }]), "+0 ~0 −0 of 2 rows, 1 with a key that is not known yet"],
    ];
    for (const [inputs, summary] of sets) {
      fixture.provider.logs.length = 0;
      await fixture.provider.create(ROWS, "c", inputs, { preview: true });
      expect(said()).toEqual([summary]);
    }
    const unknown = countries([], { rows: UNKNOWN, exclusive: true });
    expect((await fixture.provider.check(ROWS, unknown)).failures).toEqual([]);
    await fixture.provider.create(ROWS, "c", unknown, { preview: true });
  });

  it("refuses a key on which no unique constraint stands, as an update does", async () => {
    const inputs = { table: "app.loose", key: ["code"], rows: [{ code: "a", name: "b" }] };
    for (const preview of [true, false]) {
      const { details } = await failureOfCall(fixture.provider.create(ROWS, "l", inputs, { preview }));
      expect(details).toContain("no unique constraint or index of app.loose holds for its key (code)");
      expect(details).toContain("PS412");
    }
  });
});
