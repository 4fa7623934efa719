import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Properties, UNKNOWN } from "../../../../provider/core/resourceType.ts";
import { ROW, type RowFixture, startRowFixture } from "./rowFixture.ts";

let fixture: RowFixture;

beforeAll(async () => {
  fixture = await startRowFixture();
});
afterAll(() => fixture.stop());
beforeEach(async () => {
  await fixture.database.query("TRUNCATE app.organizations CASCADE");
  fixture.provider.steps.length = 0;
});

const organization = { table: "app.organizations", key: { slug: "lancio" }, values: { name: "Lancio" } };

describe("preview", () => {
  it("plans an insert as one child line, changes nothing and gives unknown columns", async () => {
    const inputs = { ...organization, secretValues: { code: "s3cr" }, returning: ["id"] };
    const state = await fixture.provider.create(ROW, "o", inputs, { preview: true });
    expect(state.outputs).toMatchObject({ columns: { id: UNKNOWN }, adopted: false });
    expect(fixture.provider.steps).toEqual([
      {
        op: "create",
        type: "pgstrata:index:Change",
        name: "insert app.organizations slug=lancio",
        details: { table: "app.organizations", columns: { slug: "lancio", name: "Lancio", code: "[secret]" } },
      },
    ]);
    expect(await fixture.database.query("SELECT slug FROM app.organizations")).toEqual([]);
  });

  it("plans only what differs of a row that is there, and knows its id", async () => {
    await fixture.database.query("INSERT INTO app.organizations (slug, name, seats) VALUES ('lancio', 'old', 1)");
    const [row] = await fixture.database.query<{ id: string }>("SELECT id FROM app.organizations");
    const inputs = { ...organization, values: { name: "Lancio", seats: 1 }, returning: ["id", "since"] };
    const state = await fixture.provider.create(ROW, "o", inputs, { preview: true });
    expect(state.outputs.columns).toEqual({ id: row?.id, since: UNKNOWN });
    expect(fixture.provider.steps).toMatchObject([
      { op: "update", details: { table: "app.organizations", columns: { name: "Lancio" } } },
    ]);
  });

  it("takes a key that is not there yet as a row to be inserted", async () => {
    const unknown: Properties = {
      table: "app.projects",
      key: { organization_id: UNKNOWN, slug: "p" },
      returning: ["id"],
    };
    const state = await fixture.provider.create(ROW, "o", unknown, { preview: true });
    expect(state.outputs.columns).toEqual({ id: UNKNOWN });
    expect(fixture.provider.steps.map(({ name }) => name)).toEqual(["insert app.projects organization_id=? slug=p"]);
  });

  it("publishes no child lines in a real update", async () => {
    await fixture.provider.create(ROW, "o", organization);
    expect(fixture.provider.steps).toEqual([]);
  });
});

describe("check", () => {
  it("finds all faults at once, each with its path", async () => {
    const { failures } = await fixture.provider.check(ROW, {
      table: "organizations",
      key: {},
      values: { name: "x", "odd name": 1 },
      secretValues: { name: "y", count: 5 },
      compareWith: { other: "1" },
      initialValues: { "odd name": 2 },
      returning: ["name"],
      tabel: "typo",
    });
    expect(failures.map(({ property }) => property).sort()).toEqual([
      "compareWith.other",
      'initialValues["odd name"]',
      "key",
      "returning",
      "secretValues.count",
      "secretValues.name",
      "tabel",
      "table",
    ]);
  });

  it("accepts values that are not known yet", async () => {
    const news: Properties = {
      table: "app.projects",
      key: { slug: UNKNOWN },
      values: UNKNOWN,
      secretValues: { a: UNKNOWN },
    };
    const { failures, inputs } = await fixture.provider.check(ROW, news);
    expect(failures).toEqual([]);
    expect(inputs).toEqual(news);
  });
});
