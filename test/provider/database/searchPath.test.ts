import { afterAll, beforeAll, expect, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import type { ResourceState, ResourceType } from "../../../provider/core/resourceType.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { reportDrift } from "../../../provider/resources/driftReport.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession } from "../../../provider/resources/session.ts";
import { ask, createTestRole, type TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { defaults, destroy, inRun, pending, preview, project, put, refresh, up } from "../../support/layerHarness.ts";
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

const alter = (holder: string, path: string) => `alter ${holder} set search_path = ${path}`;
const reset = (holder: string) => `alter ${holder} reset search_path`;

test.each(["the database", "the role", "the URL"])(
  "nothing of others is called by a life of layers and rows where %s sets a search path",
  async (where) => {
    const holder =
      where === "the database" ? `database ${quoteIdent(database.name)}` : `role ${quoteIdent(updater.name)}`;
    const own = database.urlFor(updater);
    const url = where === "the URL" ? `${own}?options=${encodeURIComponent("-c search_path=public,pg_catalog")}` : own;
    if (where !== "the URL") await database.query(alter(holder, PATH));
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

test("a file means the same in a shadow on the target's server, whatever path the role has there", async () => {
  const { url, urlFor, query } = await freshDatabase();
  await query(alter(`role ${quoteIdent(updater.name)}`, "elsewhere"));
  try {
    const sql =
      "create table item (id int primary key); set search_path = public; create view seen as select id from item;";
    const state = await up(urlFor(updater), project.layer("plain", sql), undefined, { shadow: "colocated" });
    expect(state.outputs.objects).toEqual(["table public.item", "view public.seen"]);
    await up(url, project.layer("plain", "create table item (id int primary key);"), state);
  } finally {
    await query(reset(`role ${quoteIdent(updater.name)}`));
  }
});

test("a temporary table by the name of one of the catalog's is not read in its place", async () => {
  const { url } = await freshDatabase();
  const database = openDatabase({ url });
  const client = await database?.connect();
  if (database === undefined || client === undefined) throw new Error("a URL was given");
  await client.query("create temporary table pg_class (oid oid); create temporary table pg_namespace (oid oid)");
  client.release();
  const { role } = await database.facts();
  const { facts } = await readCatalog(await database.pool(), role);
  expect(facts.has({ kind: "schema", name: "public" })).toBe(true);
  await database.close();
});

test("a check whose function relies on the path of the session is told what the function needs", async () => {
  const { url, query } = await freshDatabase();
  const sql = `
    create schema shop; create table shop.item (name text);
    create function shop.helper(name text) returns boolean language sql as 'select true';
    create function shop.fits(name text) returns boolean language plpgsql as 'begin return helper(name); end';`;
  const state = await up(url, project.layer("shop", sql));
  await query("insert into shop.item values ('a')");
  const checked = `${sql} alter table shop.item add constraint fits check (shop.fits(name));`;
  await expect(up(url, project.layer("shop", checked), state)).rejects.toThrow(
    /function helper\(text\) does not exist[\s\S]*The function shop\.fits names it.*ALTER FUNCTION … SET search_path/,
  );
});

test("event triggers are named once where a plan makes them run, and not where nothing is planned", async () => {
  const { url, query } = await freshDatabase();
  await query(`
    create function public.watch() returns event_trigger language plpgsql as 'begin end';
    create event trigger watch on ddl_command_end execute function public.watch();
    create event trigger asleep on sql_drop execute function public.watch();
    alter event trigger asleep disable;`);
  const layers = ["one", "two"].map((name) => project.layer(name, `create schema ${name};`));
  const told = await inRun(url, async (run) => {
    const states = [];
    for (const layer of layers) states.push(await put(run, layer));
    const infos = run.said.infos.filter((info) => info.includes("event trigger"));
    return { states, infos };
  });
  expect(told.infos).toEqual([expect.stringMatching(/ watch \(ddl_command_end\)$/)]);
  await inRun(url, async (run) => {
    for (const [n, layer] of layers.entries()) await put(run, layer, told.states[n]);
    expect(run.said.infos).toEqual([]);
  });
});

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
    expect(await reportDrift({ provider: { url }, layers: [changed], rows: [updated], sets: [] })).toMatchObject({
      rows: [],
    });
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
    const session = createSession(defaults({ url, lockLimitMs: 10_000, lockRetries: 2, rowQuestionTimeoutMs: 0 }));
    try {
      await work(createRow(session), context);
    } finally {
      await session.close();
    }
  });
}
