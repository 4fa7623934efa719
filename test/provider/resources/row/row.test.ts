import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { failureOfCall } from "../../../support/providerClient.ts";
import { ROW, type RowFixture, startRowFixture } from "./rowFixture.ts";

let fixture: RowFixture;

beforeAll(async () => {
  fixture = await startRowFixture();
});
afterAll(() => fixture.stop());
beforeEach(async () => {
  await fixture.database.query("TRUNCATE app.organizations, app.plain, app.databases, app.shouting CASCADE");
  fixture.provider.logs.length = 0;
  fixture.provider.steps.length = 0;
});

const organization = { table: "app.organizations", key: { slug: "lancio" }, values: { name: "Lancio" } };

async function organizations(): Promise<{ slug: string; name: string }[]> {
  return fixture.database.query("SELECT slug, name FROM app.organizations ORDER BY slug");
}

describe("create", () => {
  it("inserts a row that is missing and gives out the columns that are asked for", async () => {
    const state = await fixture.provider.create(ROW, "o", { ...organization, returning: ["id", "active", "settings"] });
    expect(state.id).toBe("app.organizations/slug=lancio");
    expect(state.outputs).toMatchObject({ adopted: false, drift: [], columns: { active: true, settings: {} } });
    const [row] = await fixture.database.query<{ id: string }>("SELECT id FROM app.organizations");
    expect(state.outputs.columns).toMatchObject({ id: row?.id });
  });

  it("adopts a row that is there, sets only what differs and leaves initial values alone", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug, name, seats) VALUES ('lancio', 'old', 7)");
    const state = await fixture.provider.create(ROW, "o", { ...organization, initialValues: { seats: 1 } });
    expect(state.outputs.adopted).toBe(true);
    expect(await fixture.database.query("SELECT name, seats FROM app.organizations")).toEqual([
      { name: "Lancio", seats: 7 },
    ]);
    expect(fixture.provider.logs.map(({ text }) => text)).toContain(
      "adopted the row that was there already; set values.name",
    );
  });

  it("writes values of every kind so that the next diff is empty", async () => {
    const inputs = {
      table: "app.organizations",
      key: { slug: "kinds" },
      values: {
        name: 'O\'Neil \\ "quoted" ünï',
        settings: { b: [1, null, "x"], a: { c: true } },
        raw: { z: 1, a: "text" },
        tags: ["plain", 'with "quotes", commas', "back\\slash", ""],
        seats: 3,
        quota: "9007199254740993",
        price: 12.5,
        active: false,
        code: null,
        blob: "\\xdeadbeef",
        since: "2024-05-06T07:08:09Z",
      },
      returning: ["quota", "price", "tags", "raw"],
    };
    const state = await fixture.provider.create(ROW, "o", inputs);
    expect(state.outputs.columns).toEqual({
      quota: "9007199254740993",
      price: "12.50",
      tags: inputs.values.tags,
      raw: { z: 1, a: "text" },
    });
    expect(await fixture.provider.diff(state, inputs)).toEqual({ changed: false, detailed: {}, replaces: [] });
  });

  it("refuses a value that the column would cut", async () => {
    const failure = await failureOfCall(
      fixture.provider.create(ROW, "o", { ...organization, values: { code: "too long" } }),
    );
    expect(failure.details).toContain("value too long for type character varying(4)");
    expect(await organizations()).toEqual([]);
  });

  it("refuses a key that more than one row has", async () => {
    await fixture.database.query("INSERT INTO app.plain VALUES ('a', '1'), ('a', '2')");
    const inputs = { table: "app.plain", key: { name: "a" }, values: { value: "3" } };
    const failure = await failureOfCall(fixture.provider.create(ROW, "p", inputs));
    expect(failure.details).toContain("app.plain name=a is more than one row");
  });

  it("makes one row when many runs create it at once, even without a unique constraint", async () => {
    const inputs = { table: "app.slow", key: { name: "once" } };
    const states = await Promise.all([1, 2, 3].map(() => fixture.provider.create(ROW, "p", inputs)));
    expect(await fixture.database.query("SELECT name FROM app.slow")).toHaveLength(1);
    expect(states.filter(({ outputs }) => outputs.adopted === false)).toHaveLength(1);
  });

  it("rolls back and names the column when a trigger changes what was written", async () => {
    const inputs = { table: "app.shouting", key: { name: "a" }, values: { value: "quiet" } };
    const failure = await failureOfCall(fixture.provider.create(ROW, "s", inputs));
    expect(failure.details).toContain("does not hold what was written in values.value");
    expect(await fixture.database.query("SELECT name FROM app.shouting")).toEqual([]);
  });

  it("names table, constraint, column, value and demand when a check is violated", async () => {
    const inputs = {
      table: "app.databases",
      key: { name: "x" },
      values: { type: "oracle" },
      secretValues: { connection_string: "oracle://secret" },
      compareWith: { connection_string: "app.decrypt(id)" },
    };
    const { details } = await failureOfCall(fixture.provider.create(ROW, "d", inputs));
    expect(details).toContain(
      'check constraint "databases_type_check" of table app.databases rejects column "type" = "oracle"',
    );
    expect(details).toContain("'mongodb'");
    expect(details).not.toContain("oracle://secret");
  });

  it.each([
    [
      "a table that is missing",
      { ...organization, table: "app.nothing" },
      /table app\.nothing does not exist.*dependsOn/s,
    ],
    [
      "a column that is missing",
      { ...organization, values: { nope: 1 } },
      /no column for values\.nope\. It has id, slug/,
    ],
    [
      "an object for a text column",
      { ...organization, values: { name: { a: 1 } } },
      /"name" is of type text, found an object/,
    ],
    [
      "a value of another type",
      { ...organization, values: { seats: "many" } },
      /invalid input syntax for type integer/,
    ],
    ["a missing value", { ...organization, values: { name: null } }, /column "name".*has no value/],
    ["a value that is too long", { ...organization, values: { code: "abcde" } }, /value too long for type/],
    [
      "a violated check",
      { ...organization, values: { seats: 0 } },
      /rejects column "seats" = "?0"?\. It requires CHECK/,
    ],
    [
      "a row that refers to none",
      {
        table: "app.projects",
        key: { slug: "p" },
        values: { organization_id: "00000000-0000-0000-0000-000000000001" },
      },
      /foreign key "projects_organization_id_fkey".* is violated/,
    ],
  ])("refuses %s, in a preview as well", async (_case, inputs, message) => {
    for (const preview of [true, false]) {
      const failure = await failureOfCall(fixture.provider.create(ROW, "o", inputs, { preview }));
      expect(failure.details).toMatch(message);
    }
    expect(await organizations()).toEqual([]);
  });

  it("succeeds once another session lets go of the row", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug) VALUES ('lancio')");
    const holder = await fixture.database.pool.connect();
    await holder.query("BEGIN; SELECT 1 FROM app.organizations FOR UPDATE");
    const creation = fixture.provider.create(ROW, "o", organization);
    await new Promise((resolve) => setTimeout(resolve, 250));
    await holder.query("COMMIT");
    holder.release();
    expect((await creation).outputs.adopted).toBe(true);
    expect(await organizations()).toEqual([{ slug: "lancio", name: "Lancio" }]);
  });

  it("tries again while another session holds the row, and gives up with the numbers", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug) VALUES ('lancio')");
    const holder = await fixture.database.pool.connect();
    try {
      await holder.query("BEGIN; SELECT 1 FROM app.organizations FOR UPDATE");
      const failure = await failureOfCall(fixture.provider.create(ROW, "o", organization));
      expect(failure.details).toContain("each waiting at most 200 ms");
    } finally {
      await holder.query("ROLLBACK");
      holder.release();
    }
    expect(fixture.provider.logs).toContainEqual(
      expect.objectContaining({
        ephemeral: true,
        text: expect.stringMatching(/^another session holds a lock \(process \d+ .*\): try 2 follows$/),
      }),
    );
  });
});

describe("diff and update", () => {
  it("finds nothing to do right after the creation", async () => {
    const state = await fixture.provider.create(ROW, "o", organization);
    expect((await fixture.provider.diff(state, organization)).changed).toBe(false);
  });

  it("shows and writes a changed value and leaves columns that are no longer named", async () => {
    const state = await fixture.provider.create(ROW, "o", { ...organization, values: { name: "Lancio", seats: 5 } });
    const news = { ...organization, values: { name: "New" } };
    expect((await fixture.provider.diff(state, news)).detailed).toEqual({
      "values.name": "UPDATE",
      "values.seats": "DELETE",
    });
    await fixture.provider.update(state, news);
    expect(await fixture.database.query("SELECT name, seats FROM app.organizations")).toEqual([
      { name: "New", seats: 5 },
    ]);
  });

  it("sees that the row was made again by others, and gives out its new number", async () => {
    const inputs = { ...organization, returning: ["id", "seats"] };
    const state = await fixture.provider.create(ROW, "o", inputs);
    await fixture.database.query("UPDATE app.organizations SET seats = 2");
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
    await fixture.database.query("DELETE FROM app.organizations");
    await fixture.database.query("INSERT INTO app.organizations (slug, name) VALUES ('lancio', 'Lancio')");
    const diff = await fixture.provider.diff(state, inputs);
    expect(diff).toMatchObject({ changed: true, detailed: { "columns.id": "UPDATE" } });
    const next = await fixture.provider.update(state, inputs);
    const [row] = await fixture.database.query<{ id: string }>("SELECT id FROM app.organizations");
    expect(next.outputs.columns).toMatchObject({ id: row?.id });
    expect((await fixture.provider.diff(next, inputs)).changed).toBe(false);
  });

  it("knows a number that is a list, or an object, by what it holds", async () => {
    await fixture.database.query(
      `CREATE TABLE app.spans (name text UNIQUE, span int[] DEFAULT '{1,2}', about jsonb DEFAULT '{"a": 1}', PRIMARY KEY (span, about))`,
    );
    const inputs = { table: "app.spans", key: { name: "one" }, returning: ["span", "about"] };
    const state = await fixture.provider.create(ROW, "o", inputs);
    expect((await fixture.provider.diff(state, inputs)).detailed).toEqual({});
    await fixture.database.query("UPDATE app.spans SET span = '{1,3}'");
    expect((await fixture.provider.diff(state, inputs)).detailed).toEqual({ "columns.span": "UPDATE" });
  });

  it("sees drift in the database and repairs it", async () => {
    const state = await fixture.provider.create(ROW, "o", organization);
    await fixture.database.query("UPDATE app.organizations SET name = 'drifted'");
    expect((await fixture.provider.diff(state, organization)).detailed).toEqual({ "values.name": "UPDATE" });
    await fixture.provider.update(state, organization);
    expect(await organizations()).toEqual([{ slug: "lancio", name: "Lancio" }]);
  });

  it("inserts a row again that somebody deleted, and no longer takes it as adopted", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug) VALUES ('lancio')");
    const state = await fixture.provider.create(ROW, "o", organization);
    await fixture.database.query("DELETE FROM app.organizations");
    const diff = await fixture.provider.diff(state, organization);
    expect(diff).toMatchObject({ changed: true, replaces: [], detailed: { key: "ADD", values: "ADD" } });
    const updated = await fixture.provider.update(state, organization);
    expect(updated.outputs.adopted).toBe(false);
    expect(await organizations()).toHaveLength(1);
  });

  it("replaces for another table or key, but not when a number becomes its text", async () => {
    const state = await fixture.provider.create(ROW, "o", { table: "app.organizations", key: { slug: 5 } });
    expect((await fixture.provider.diff(state, { table: "app.organizations", key: { slug: "5" } })).changed).toBe(
      false,
    );
    const other = await fixture.provider.diff(state, { table: "app.organizations", key: { slug: "6" } });
    expect(other).toMatchObject({ detailed: { "key.slug": "UPDATE_REPLACE" }, replaces: ["key"] });
    const moved = await fixture.provider.diff(state, { table: "app.plain", key: { slug: "5" } });
    expect(moved.replaces).toEqual(["table"]);
  });

  it("takes no notice of initial values after the creation", async () => {
    const inputs = { ...organization, initialValues: { seats: 1 } };
    const state = await fixture.provider.create(ROW, "o", inputs);
    await fixture.database.query("UPDATE app.organizations SET seats = 9");
    expect((await fixture.provider.diff(state, { ...organization, initialValues: { seats: 2 } })).changed).toBe(false);
  });
});

describe("delete", () => {
  it("deletes its row, and is content when row or table are gone already", async () => {
    const state = await fixture.provider.create(ROW, "o", organization);
    await fixture.provider.delete(state);
    expect(await organizations()).toEqual([]);
    await fixture.provider.delete(state);
    await fixture.provider.delete({ ...state, inputs: { ...organization, table: "app.gone" } });
  });

  it("leaves an adopted row and says so", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug) VALUES ('lancio')");
    const state = await fixture.provider.create(ROW, "o", organization);
    await fixture.provider.delete(state);
    expect(await organizations()).toHaveLength(1);
    expect(fixture.provider.logs.at(-1)?.text).toContain("it stays in the database");
  });

  it("refuses while rows that are not ours would go or change with it, and names each table and number", async () => {
    const state = await fixture.provider.create(ROW, "o", organization);
    await fixture.database.query(`
      WITH o AS (SELECT id FROM app.organizations),
           p AS (INSERT INTO app.projects (slug, organization_id) SELECT 'p', id FROM o RETURNING id)
      INSERT INTO app.files (project_id) SELECT id FROM p, generate_series(1, 3)`);
    await fixture.database.query("INSERT INTO app.notes (organization_id) SELECT id FROM app.organizations");
    await fixture.database.query("INSERT INTO app.invoices (organization_id) SELECT id FROM app.organizations");
    const { details } = await failureOfCall(fixture.provider.delete(state));
    expect(details).toContain("1 row of app.projects: would be deleted");
    expect(details).toContain("3 rows of app.files: would be deleted");
    expect(details).toContain("1 row of app.notes: would be changed (set null)");
    expect(details).toContain("1 row of app.invoices: forbids the deletion");
    expect(await organizations()).toHaveLength(1);
    expect(await fixture.database.query("SELECT id FROM app.files")).toHaveLength(3);
    await fixture.database.query("TRUNCATE app.projects, app.notes, app.invoices CASCADE");
    await fixture.provider.delete(state);
    expect(await organizations()).toEqual([]);
  });

  it("deletes a row that refers to itself, and refuses when another one of the table refers to it", async () => {
    const state = await fixture.provider.create(ROW, "o", organization);
    await fixture.database.query("UPDATE app.organizations SET parent_id = id");
    await fixture.database.query(
      "INSERT INTO app.organizations (slug, parent_id) SELECT 'child', id FROM app.organizations",
    );
    const { details } = await failureOfCall(fixture.provider.delete(state));
    expect(details).toContain("1 row of app.organizations: would be deleted");
    await fixture.database.query("DELETE FROM app.organizations WHERE slug = 'child'");
    await fixture.provider.delete(state);
    expect(await organizations()).toEqual([]);
  });

  it("fails when a trigger keeps the row", async () => {
    const state = await fixture.provider.create(ROW, "s", { table: "app.stubborn", key: { name: "a" } });
    const { details } = await failureOfCall(fixture.provider.delete(state));
    expect(details).toContain("removed 0 rows, expected 1");
  });
});

describe("read", () => {
  it("reports drift by name, and a row that is gone as gone", async () => {
    const state = await fixture.provider.create(ROW, "o", { ...organization, returning: ["seats"] });
    await fixture.database.query("UPDATE app.organizations SET name = 'x', seats = 4");
    const read = await fixture.provider.read(state);
    expect(read?.inputs).toEqual(state.inputs);
    expect(read?.outputs).toMatchObject({ drift: ["values.name"], columns: { seats: 4 } });
    await fixture.database.query("DELETE FROM app.organizations");
    expect(await fixture.provider.read(state)).toBeUndefined();
  });

  it("imports table and key by the id, and then leaves the row at a deletion", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug, name) VALUES ('a b&c', 'secretive')");
    const id = "app.organizations/slug=a%20b%26c";
    const read = await fixture.provider.read({ type: ROW, name: "o", id, inputs: {}, outputs: {} });
    expect(read?.inputs).toEqual({ table: "app.organizations", key: { slug: "a b&c" }, values: {}, returning: [] });
    expect(JSON.stringify(read)).not.toContain("secretive");
    if (read) await fixture.provider.delete(read);
    expect(await organizations()).toHaveLength(1);
  });

  it("refuses an id of another form", async () => {
    const state = { type: ROW, name: "o", id: "lancio", inputs: {}, outputs: {} };
    expect((await failureOfCall(fixture.provider.read(state))).details).toContain('"lancio" is not the id of a row');
  });
});
