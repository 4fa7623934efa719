import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Properties, UNKNOWN } from "../../../../provider/core/resourceType.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { checked, inRun, type LayerRun, project, up } from "../../../support/layerHarness.ts";

const TABLES = `
  CREATE SCHEMA app;
  CREATE DOMAIN app.short AS text CHECK (length(VALUE) < 4);
  CREATE TABLE app.kinds (code text PRIMARY KEY, label text NOT NULL UNIQUE);
  CREATE TABLE app.items (
    id integer PRIMARY KEY, kind text REFERENCES app.kinds, size varchar(3), level integer NOT NULL DEFAULT 1, low integer, high integer,
    short app.short, place text COLLATE "C" UNIQUE, CHECK (low < high));
  CREATE SEQUENCE app.numbers;
  CREATE TABLE app.defaults (
    id integer PRIMARY KEY, n bigint NOT NULL DEFAULT nextval('app.numbers'), twice bigint GENERATED ALWAYS AS (id * 2) STORED NOT NULL,
    made timestamptz NOT NULL DEFAULT now(), CHECK (n IS NOT NULL));
  CREATE TABLE app.tree (id integer PRIMARY KEY, parent integer REFERENCES app.tree ON DELETE CASCADE);
  CREATE TABLE app.twigs (id integer PRIMARY KEY, parent integer REFERENCES app.twigs);
  CREATE TABLE app.mended (id integer PRIMARY KEY, name text NOT NULL, kind text REFERENCES app.kinds);
  CREATE FUNCTION app.mend() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.name := 'given'; NEW.kind := NULL; RETURN NEW; END $$;
  CREATE TRIGGER mend BEFORE INSERT OR UPDATE ON app.mended FOR EACH ROW EXECUTE FUNCTION app.mend();
  CREATE TABLE app.counted (id integer PRIMARY KEY);
  CREATE FUNCTION app.follows(integer) RETURNS boolean LANGUAGE sql AS $$ SELECT $1 = 1 OR EXISTS (SELECT FROM app.counted WHERE id = $1 - 1) $$;
  ALTER TABLE app.counted ADD CHECK (app.follows(id));
  CREATE TABLE app.rounded (id integer PRIMARY KEY, price numeric(6,2), at timestamp(0), name varchar(3), note text);
  CREATE VIEW app.seen AS SELECT * FROM app.kinds`;

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query(TABLES);
});
afterAll(() => database.drop());
beforeEach(() =>
  database.query(
    `TRUNCATE app.kinds, app.items, app.tree, app.twigs, app.mended, app.rounded CASCADE; INSERT INTO app.kinds VALUES ('a', 'A')`,
  ),
);

const set = (table: string, key: string, rows: Properties[], more: Properties = {}): Properties => ({
  table: `app.${table}`,
  key: [key],
  rows,
  ...more,
});
const items = (...rows: Properties[]): Properties => set("items", "id", rows);

const previewRows = async (run: LayerRun, inputs: Properties): Promise<void> =>
  void (await run.rows.create(run.context(true), inputs));

async function previewLayer(run: LayerRun, inputs: Properties): Promise<void> {
  await run.layer.create(run.context(true), await checked(run, inputs));
}

describe("a preview of a set stops with what the update stops with,", () => {
  it.each<[string, string, Properties, RegExp]>([
    [
      "for a value that is too long for a column that changes",
      "INSERT INTO app.items (id, size) VALUES (1, 'a')",
      items({ id: 1, size: "long" }),
      /rows\[0\], app\.items id=1: .*too long for type character varying\(3\)/,
    ],
    [
      "for values that the types of their columns round or cut, in new rows",
      "",
      set("rounded", "id", [
        { id: 1, price: "1.23", at: "2026-01-01 10:00:00", name: "abc" },
        { id: 2, price: "1.239", at: "2026-01-01 10:00:00.6", name: "abc  " },
      ]),
      /app\.rounded: after the write the database .* not hold what .*\(id=2: price, at, name\)/,
    ],
    [
      "for values that the types of their columns round, in rows that change",
      "INSERT INTO app.rounded VALUES (1, 1.5, NULL, NULL, 'old'), (2, 2.5, NULL, NULL, 'old')",
      set("rounded", "id", [
        { id: 1, price: "1.5", note: "new" },
        { id: 2, price: "2.501", note: "new" },
      ]),
      /after the write the database .* not hold what .*\(id=2: price\)/,
    ],
    [
      "for a domain",
      "",
      items({ id: 1, short: "a" }, { id: 2, short: "long" }),
      /rows\[1\], column "short": .*short_check/,
    ],
    [
      "for a check over a column that the set leaves alone",
      "INSERT INTO app.items (id, low, high) VALUES (1, 1, 5)",
      items({ id: 1, low: 9 }),
      /rows\[0\], app\.items id=1: check constraint "items_check" of table app\.items/,
    ],
    [
      "for a unique value that a row has which stays",
      "INSERT INTO app.items (id, place) VALUES (1, 'x')",
      items({ id: 2, place: "y" }, { id: 3, place: "x" }),
      /rows\[1\], app\.items id=3: unique constraint "items_place_key" of table app\.items is violated/,
    ],
    [
      "for a required column that the set does not have",
      "",
      set("kinds", "code", [{ code: "b" }]),
      /rows\[0\], app\.kinds code=b: column "label" of table app\.kinds has no value but requires one/,
    ],
    [
      "for rows that refer to none, with their number",
      "INSERT INTO app.items (id, kind) VALUES (1, 'a')",
      items(...[1, 2, 3, 4, 5, 6, 7].map((id) => ({ id, kind: id === 1 ? "a" : "b" }))),
      /of app\.kinds that these refer to does not exist: rows\[1\]; rows\[2\]; rows\[3\]; rows\[4\]; rows\[5\]; … 1 more\. Create it first/,
    ],
    [
      "for a row of the set that refers to one that the set deletes",
      "INSERT INTO app.twigs VALUES (1), (2)",
      set("twigs", "id", [{ id: 2, parent: 1 }], { exclusive: true }),
      /foreign key "twigs_parent_fkey".*: rows\[0\]/,
    ],
    [
      "for a table that is not there",
      "",
      set("nowhere", "id", [{ id: 1 }]),
      /table app\.nowhere does not exist.*dependsOn/s,
    ],
    ["for a column that the table lacks", "", items({ id: 1, nope: 1 }), /table app\.items has no column for nope/],
  ])("%s", async (_case, before, inputs, message) => {
    if (before !== "") await database.query(before);
    await inRun(database.url, async (run) => {
      await expect(previewRows(run, inputs)).rejects.toThrow(message);
      await expect(run.rows.create(run.context(), inputs)).rejects.toThrow(message);
    });
  });
});

describe("a preview of a set passes what the update does,", () => {
  it.each<[string, string, Properties]>([
    ["where defaults give what is left out", "", set("defaults", "id", [{ id: 1 }])],
    [
      "where a trigger gives what is missing",
      "",
      set("mended", "id", [{ id: 1, name: null, kind: "none" }], { initialColumns: ["name", "kind"] }),
    ],
    ["where a check reads other rows", "", set("counted", "id", [{ id: 1 }, { id: 2 }])],
    [
      "where rows refer to one another",
      "",
      set("tree", "id", [
        { id: 2, parent: 1 },
        { id: 1, parent: 1 },
      ]),
    ],
    [
      "where a unique value comes free",
      "INSERT INTO app.items (id, place) VALUES (1, 'x')",
      set("items", "id", [{ id: 2, place: "x" }], { exclusive: true }),
    ],
    ["for a view", "", set("seen", "code", [{ code: "b", label: "B" }])],
  ])("%s, and uses no number of a sequence", async (_case, before, inputs) => {
    if (before !== "") await database.query(before);
    await database.query("SELECT setval('app.numbers', 10)");
    await inRun(database.url, (run) => previewRows(run, inputs));
    expect(await database.query("SELECT last_value::int AS n FROM app.numbers")).toEqual([{ n: 10 }]);
    await inRun(database.url, (run) => run.rows.create(run.context(), inputs));
  });

  it("where a layer of the same preview makes the table or the column, or lets go what stands in the way", async () => {
    const layer = (more: string): Properties =>
      project.layer("base", `CREATE SCHEMA held; CREATE TABLE held.rows (id integer PRIMARY KEY, name text ${more})`);
    const held = (table: string, row: Properties): Properties => ({ table: `held.${table}`, key: ["id"], rows: [row] });
    await inRun(database.url, async (run) => {
      await expect(previewRows(run, held("rows", { id: 1 }))).rejects.toThrow("held.rows does not exist");
      await previewLayer(run, layer("NOT NULL"));
      await previewRows(run, held("rows", { id: 1, name: "x" }));
      await expect(previewRows(run, held("other", { id: 1 }))).rejects.toThrow("held.other does not exist");
    });
    const state = await up(database.url, layer("NOT NULL"));
    const nameless = held("rows", { id: 1, name: null });
    await inRun(database.url, async (run) => {
      await expect(previewRows(run, nameless)).rejects.toThrow("has no value");
      const inputs = await checked(run, layer(", more text"), state.inputs);
      await run.layer.update(run.context(true), state, inputs);
      await previewRows(run, nameless);
      await previewRows(run, held("rows", { id: 1, more: "x" }));
      await expect(previewRows(run, held("rows", { id: 1, most: "x" }))).rejects.toThrow("has no column for most");
    });
  });

  it("where another resource of the same preview brings the row that it refers to", async () => {
    await inRun(database.url, async (run) => {
      const item = items({ id: 1, kind: "b" });
      await expect(previewRows(run, item)).rejects.toThrow("does not exist: rows[0]");
      await previewRows(run, set("kinds", "code", [{ code: "b", label: "B" }]));
      await previewRows(run, item);
    });
    await inRun(database.url, async (run) => {
      await run.row.create(run.context(true), { table: "app.kinds", key: { code: "b" }, values: { label: "B" } });
      await previewRows(run, items({ id: 1, kind: "b" }));
    });
  });

  it("for rows with values that are not known yet", async () => {
    await inRun(database.url, async (run) => {
      await previewRows(run, items({ id: 1, kind: UNKNOWN, size: "long" }));
      await previewRows(
        run,
        set("tree", "id", [
          { id: UNKNOWN, parent: null },
          { id: 2, parent: 9 },
        ]),
      );
    });
  });
});

describe("the number of rows that a deletion would take along", () => {
  it("counts a chain within one table to its end, and a table that two ways lead to", async () => {
    await database.query(`
      CREATE TABLE app.leaves (id integer PRIMARY KEY, tree integer REFERENCES app.tree ON DELETE CASCADE, other integer REFERENCES app.tree);
      CREATE TABLE app.drops (leaf integer REFERENCES app.leaves)`);
    const tree = { table: "app.tree", key: { id: 1 }, values: {} };
    const state = await inRun(database.url, (run) => run.row.create(run.context(), tree));
    await database.query(`
      INSERT INTO app.tree VALUES (2, 1), (3, 2), (4, 3);
      INSERT INTO app.leaves VALUES (1, 1, NULL), (2, 4, NULL), (3, NULL, 4), (4, 2, 2);
      INSERT INTO app.drops VALUES (1), (2), (3)`);
    await inRun(database.url, (run) =>
      expect(run.row.delete(run.context(), { ...state, inputs: tree })).rejects.toThrow(
        /1 row of app\.leaves: forbids.*3 rows of app\.leaves: would be deleted.*2 rows of app\.drops: forbids.*3 rows of app\.tree: would be deleted/s,
      ),
    );
  });
});
