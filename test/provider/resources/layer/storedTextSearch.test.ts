import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { inRun, pending, project, put, up } from "../../../support/layerHarness.ts";
import { majorVersion } from "../../../support/majorVersion.ts";
import { type StatementProxy, startStatementProxy } from "../../../support/statementProxy.ts";
import { byIndex, changed, REBUILT, type Shop } from "../../../support/storedResults.ts";

const freshDatabase = freshDatabases();
let proxy: StatementProxy;
beforeAll(async () => {
  proxy = await startStatementProxy({ host: "127.0.0.1", port: Number(new URL(inject("serverUrl")).port) });
});
afterAll(() => proxy?.close());

/** Small enough for the transaction, and too many for it. */
const FEW = 20;
const MANY = 12_000;

const ITEMS = "create table shop.item (id int primary key, body text not null, lang regconfig not null);";
const ENGLISH = "(template = snowball, language = english, stopwords = english)";
const GERMAN = "(template = snowball, language = german)";
const SIMPLE = "(template = simple)";
const texts = (words: string, more = "", tokens = "asciiword, word, int"): string => `create schema shop;
  create text search dictionary shop.words ${words};
  create text search configuration shop.texts (parser = default);
  alter text search configuration shop.texts add mapping for ${tokens} with shop.words;
  ${ITEMS} ${more}`;

async function stocked(sql: string, rows: number): Promise<Shop> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", sql));
  await database.query(`insert into shop.item (id, body, lang)
    select n, case when n in (3, 7) then 'the running man' else 'nothing ' || n end, 'shop.texts' from generate_series(1, ${rows}) as n`);
  await database.query("analyze shop.item");
  return { database, state };
}

const INDEX = "create index graded on shop.item using gin (to_tsvector('shop.texts', body));";

/** How an index may come to hold results of `shop.texts`, and what is found by it. */
const INDEXES: { how: string; sql: string; vector: string }[] = [
  { how: "in its expression", sql: INDEX, vector: "to_tsvector('shop.texts', body)" },
  {
    how: "through a column that names configurations",
    sql: "create index graded on shop.item using gin (to_tsvector(lang, body)); create index langs on shop.item (lang);",
    vector: "to_tsvector(lang, body)",
  },
  {
    how: "through a function that names it in a text",
    sql: `create function shop.vector(words text) returns tsvector language plpgsql immutable as $$ begin return to_tsvector('shop.TEXTS', words); end $$;
      create index graded on shop.item using gin (shop.vector(body));`,
    vector: "shop.vector(body)",
  },
  {
    how: "through a function with an SQL body",
    sql: `create function shop.vector(words text) returns tsvector language sql immutable begin atomic select to_tsvector('shop.texts', words); end;
      create index graded on shop.item using gin (shop.vector(body));`,
    vector: "shop.vector(body)",
  },
];

for (const { how, sql, vector } of INDEXES) {
  test(`an index that holds results of a changed dictionary ${how} finds rows by the new ones`, async () => {
    const shown = await stocked(texts(ENGLISH, sql), FEW);
    const finds = (word: string): Promise<number[]> => byIndex(shown.database, `${vector} @@ '${word}'::tsquery`);
    expect([await finds("run"), await finds("running")]).toEqual([[3, 7], []]);
    expect((await changed(shown, texts(GERMAN, sql))).sql).toEqual(REBUILT);
    expect([await finds("run"), await finds("running")]).toEqual([[], [3, 7]]);
  });
}

/** Changes of text search, and the word that is found from then on only. */
const CHANGES: { what: string; before: string; after: string; word: string }[] = [
  {
    what: "an option of a dictionary that is dropped",
    before: texts("(template = simple, stopwords = english)", INDEX),
    after: texts(SIMPLE, INDEX),
    word: "the",
  },
  {
    what: "a dictionary of another template",
    before: texts(ENGLISH, INDEX),
    after: texts(SIMPLE, INDEX),
    word: "running",
  },
  {
    what: "a configuration that gets another dictionary",
    before: texts(ENGLISH, INDEX),
    after: texts(ENGLISH, INDEX).replace("with shop.words", "with simple"),
    word: "running",
  },
  {
    what: "a configuration that gets a mapping",
    before: texts(SIMPLE, INDEX, "word, int"),
    after: texts(SIMPLE, INDEX),
    word: "running",
  },
];

for (const { what, before, after, word } of CHANGES) {
  test(`an index finds rows by the new results after ${what}`, async () => {
    const shown = await stocked(before, FEW);
    const found = () => byIndex(shown.database, `to_tsvector('shop.texts', body) @@ '${word}'::tsquery`);
    expect(await found()).toEqual([]);
    await changed(shown, after);
    expect(await found()).toEqual([3, 7]);
  });
}

const STORED =
  "alter table shop.item add column words tsvector generated always as (to_tsvector('shop.texts', body)) stored;";
const isOld = "select count(*)::int as old from shop.item where words is distinct from to_tsvector('shop.texts', body)";

test("a stored column of a changed dictionary is computed again, of a large table in batches, once approved", async () => {
  const few = await stocked(texts(ENGLISH, STORED), FEW);
  const again =
    majorVersion >= 17
      ? `ALTER TABLE "shop"."item" ALTER COLUMN "words" SET EXPRESSION AS (to_tsvector('shop.texts'::regconfig, body))`
      : 'UPDATE ONLY "shop"."item" SET "body" = "body"';
  expect((await changed(few, texts(GERMAN, STORED))).sql).toEqual([again]);
  expect(await few.database.query(isOld)).toEqual([{ old: 0 }]);

  const many = await stocked(texts(ENGLISH, STORED), MANY);
  await expect(changed(many, texts(GERMAN, STORED))).rejects.toThrow(
    /PS222: column shop\.item\.words holds results of a changed text search dictionary for about 12,000 rows: [\s\S]*recompute-column:shop\.item\.words/,
  );
  await changed(many, texts(GERMAN, STORED), ["recompute-column:shop.item.words"]);
  expect(await many.database.query(isOld)).toEqual([{ old: 0 }]);
});

test("what a dictionary of another template stands in is computed again, though the dictionary is recreated", async () => {
  const vector = `create function shop.vector(words text) returns tsvector language plpgsql immutable as $$ begin return to_tsvector('shop.texts', words); end $$;
    create index graded on shop.item using gin (shop.vector(body)); ${STORED}`;
  const shown = await stocked(texts(ENGLISH, vector), FEW);
  const { sql } = await changed(shown, texts(SIMPLE, vector), ["rewrite-table:shop.item"]);
  expect(sql).toEqual(expect.arrayContaining(REBUILT));
  expect(await byIndex(shown.database, "shop.vector(body) @@ 'running'::tsquery")).toEqual([3, 7]);
  expect(await shown.database.query(isOld)).toEqual([{ old: 0 }]);
});

test("a dictionary that names a changed one in its options counts as changed", async () => {
  const thesaurus = (words: string): string => `create schema shop; create text search dictionary shop.words ${words};
    create text search dictionary shop.synonyms (template = thesaurus, dictfile = thesaurus_sample, dictionary = 'shop.words');
    create text search configuration shop.texts (parser = default);
    alter text search configuration shop.texts add mapping for asciiword with shop.synonyms, simple; ${ITEMS} ${INDEX}`;
  const danish = "(template = snowball, language = danish)";
  const english = "(template = snowball, language = english)";
  const shown = await stocked(thesaurus(danish), FEW);
  await shown.database.query("update shop.item set body = 'ones' where id = 5");
  const found = () => byIndex(shown.database, "to_tsvector('shop.texts', body) @@ '''1'''::tsquery");
  // The thesaurus of the server says `one : *1`, and the plural is one of English.
  expect(await found()).toEqual([]);
  expect((await changed(shown, thesaurus(english))).sql).toEqual(REBUILT);
  expect(await found()).toEqual([5]);
});

test("a check holds for the rows by the changed configuration, or the configuration stays as it was", async () => {
  const check = "alter table shop.item add constraint brief check (length(to_tsvector('shop.texts', body)) < 3);";
  const shown = await stocked(texts("(template = simple, stopwords = english)", check), FEW);
  await expect(changed(shown, texts(SIMPLE, check))).rejects.toThrow(
    /PS310: found \d+ rows of shop\.item that CHECK .* refuses by the changed text search dictionary/,
  );
  expect((await changed(shown, texts(ENGLISH, check))).warnings).toEqual([]);
});

test("materialized views are refreshed and extended statistics gathered", async () => {
  const view =
    "create materialized view shop.graded as select id, to_tsvector('shop.texts', body) as words from shop.item;";
  const shown = await stocked(texts(ENGLISH, view), FEW);
  await shown.database.query("refresh materialized view shop.graded");
  await shown.database.query(
    "create statistics shop.sizes on (length(to_tsvector('shop.texts', body))), id from shop.item",
  );
  const found = "select id from shop.graded where words @@ 'running'::tsquery order by id";
  expect(await shown.database.query(found)).toEqual([]);
  expect((await changed(shown, texts(GERMAN, view))).sql).toEqual([
    'REFRESH MATERIALIZED VIEW "shop"."graded"',
    'ANALYZE "shop"."item"',
  ]);
  expect(await shown.database.query(found)).toEqual([{ id: 3 }, { id: 7 }]);
});

test("what a comment or another configuration changes brings nothing up to date", async () => {
  const shown = await stocked(texts(ENGLISH, INDEX), FEW);
  const other = "create text search configuration shop.other (copy = simple);";
  const { sql } = await changed(
    shown,
    `${texts(ENGLISH, INDEX)} ${other} comment on text search dictionary shop.words is 'x';`,
  );
  expect(sql.filter((each) => each.includes("graded"))).toEqual([]);
});

test("a large index of a changed dictionary is rebuilt in the end, though a run is cut before that", async () => {
  const shown = await stocked(texts(ENGLISH, INDEX), MANY);
  const next = project.layer("shop", texts(GERMAN, INDEX), { allow: ["rebuild-index:shop.graded"] });
  let killed = false;
  proxy.restart(({ sql, side, connection }) => {
    if (killed || side !== "before" || !sql.startsWith("REINDEX INDEX CONCURRENTLY")) return;
    killed = true;
    connection.cut();
  });
  await inRun(proxy.url(shown.database.url), (run) => put(run, next, shown.state)).catch(() => {});
  proxy.restart();
  const found = () => byIndex(shown.database, "to_tsvector('shop.texts', body) @@ 'running'::tsquery");
  expect({ killed, found: await found() }).toEqual({ killed: true, found: [] });
  const done = await up(shown.database.url, next, shown.state);
  expect(await found()).toEqual([3, 7]);
  expect(await pending(shown.database.url, done)).toEqual([]);
});
