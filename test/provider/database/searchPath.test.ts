import { afterAll, beforeAll, expect, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import type { ResourceState, ResourceType } from "../../../provider/core/resourceType.ts";
import { reportDrift } from "../../../provider/resources/driftReport.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession } from "../../../provider/resources/session.ts";
import { ask, createTestRole, type TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { destroy, inRun, pending, preview, project, refresh, up } from "../../support/layerHarness.ts";
import { setTraps, type Traps } from "../../support/traps.ts";

const PATH = "public, pg_catalog";

const [updater, trapper] = await Promise.all([
  createTestRole({ prefix: "updater", attributes: "superuser" }),
  createTestRole({ prefix: "trapper" }),
]);
afterAll(() => Promise.all([updater.drop(), trapper.drop()]));
const freshDatabase = freshDatabases();

const BEFORE = `
  create schema shop;
  create table shop.item (id int primary key, name varchar(20) not null, price numeric, tags text[]);
  create table shop.sale (id int primary key, item int references shop.item);
  create index item_name on shop.item (lower(name));
  create view shop.names as select name || '!' as name from shop.item;`;
const AFTER = `
  create schema shop;
  create table shop.item (id int primary key, name varchar(30) not null, tags text[], price numeric, code text not null default 'none', check (name in ('a', 'b', 'one')));
  create table shop.sale (id int primary key, item int references shop.item on delete cascade);
  create index item_code on shop.item (code);
  create view shop.names as select upper(name) || '!' as name from shop.item;
  create function shop.one() returns int language sql stable as 'select 1';`;

let database: TestDatabase;
let traps: Traps;
beforeAll(async () => {
  database = await freshDatabase();
  traps = await setTraps(database, trapper);
});

test("the traps catch a session that trusts its search path", async () => {
  await ask(
    `${database.url}?options=-c%20search_path%3Dpublic,pg_catalog`,
    "select format('%I', relname), lower('A'), 'a'::text || 'b', count(*) from pg_class where oid = 1259 group by 1",
  );
  expect(traps.caught()).toEqual(
    expect.arrayContaining([
      "aggregate count",
      "domain text",
      "function format",
      "function lower",
      "function oideq",
      "relation pg_class",
    ]),
  );
});

const rename = (table: string) => `alter ${table} set search_path = ${PATH}`;
const reset = (table: string) => `alter ${table} reset search_path`;

test.each(["the database", "the role", "the URL"])(
  "nothing of others is called by a life of layers and rows where %s sets a search path",
  async (where) => {
    const holder =
      where === "the database" ? `database ${quoteIdent(database.name)}` : `role ${quoteIdent(updater.name)}`;
    const own = database.urlFor(updater);
    const url = where === "the URL" ? `${own}?options=${encodeURIComponent("-c search_path=public,pg_catalog")}` : own;
    if (where !== "the URL") await database.query(rename(holder));
    try {
      expect(await ask(url, "show search_path")).toMatchObject([{ search_path: expect.stringMatching(/^public/) }]);
      traps.caught();
      const failure = await live(url).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(traps.caught()).toEqual([]);
      expect(failure).toBeUndefined();
    } finally {
      if (where !== "the URL") await database.query(reset(holder));
    }
  },
);

async function live(url: string): Promise<void> {
  await preview(url, [project.layer("shop", BEFORE)]);
  const made = await up(url, project.layer("shop", BEFORE));
  await ask(database.url, "insert into shop.item (id, name) select n, 'a' from pg_catalog.generate_series(2, 100) n");
  await preview(url, [project.layer("shop", AFTER)], [made]);
  const changed = await up(url, project.layer("shop", AFTER), made);
  expect(await pending(url, changed)).toEqual([]);
  await refresh(url, changed);
  await inRow(url, async (row, context) => {
    const inputs = { table: "shop.item", key: { id: 1 }, values: { name: "one", tags: ["x"] }, returning: ["price"] };
    const { id, outputs } = await row.create(context(), inputs);
    const state = { id, inputs, outputs };
    const news = { ...inputs, values: { name: "b" }, secretValues: { code: "s3cr3t" } };
    await row.diff(context(true), state, news);
    const updated: ResourceState = { id, inputs: news, outputs: await row.update(context(), state, news) };
    await row.read(context(), updated);
    expect(await reportDrift({ provider: { url }, layers: [changed], rows: [updated] })).toMatchObject({ rows: [] });
    await row.delete(context(), updated);
  });
  await ask(database.url, "truncate shop.item cascade");
  await destroy(url, changed);
}

async function inRow(
  url: string,
  work: (row: ResourceType, context: Parameters<Parameters<typeof inRun>[1]>[0]["context"]) => Promise<void>,
): Promise<void> {
  await inRun(url, async ({ context }) => {
    const limits = { lockTimeoutMs: 3000, lockLimitMs: 10_000, lockRetries: 2, statementTimeoutMs: 5000 };
    const session = createSession({ url, ...limits, longStatementTimeoutMs: 0, shadow: "auto" });
    try {
      await work(createRow(session), context);
    } finally {
      await session.close();
    }
  });
}
