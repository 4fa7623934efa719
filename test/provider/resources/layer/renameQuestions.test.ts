import { expect, test } from "vitest";
import type { Properties } from "../../../../provider/core/resourceType.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { inRun, pending, preview, project, put, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

const shop = (sql: string, more: Properties = {}): Properties =>
  project.layer("shop", `create schema shop;\n${sql}`, more);

const ITEM = "create table shop.item (id int primary key, name text, price int);";
const TITLED = ITEM.replace("name", "title");
const THINGS = ITEM.replace("item", "things");

const refusal = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "not refused",
    (error: Error) => error.message,
  );

test("a column with rows that goes while one of its type comes stops preview and update with a question and both its answers", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const question = [
    "Stopped before the first statement with a question:",
    "  Is column shop.item.title the column shop.item.name under a new name? Column shop.item.name holds values of 1 row.",
    "    If it is, write above the line that declares column shop.item.title in the layer's files:",
    "      -- renamed from: name",
    "    or give the layer the input",
    '      renames: {"shop.item.title":"name"}',
    "    If it is not and the values may be lost, add to the layer's `allow`:",
    "      drop-column:shop.item.name",
    "Nothing was changed.",
  ].join("\n");
  expect(await refusal(preview(database.url, [shop(TITLED)], [state]))).toBe(question);
  expect(await refusal(up(database.url, shop(TITLED), state))).toBe(question);
  expect(await database.query("select name from shop.item")).toEqual([{ name: "pen" }]);

  const kept = await up(database.url, shop(TITLED, { renames: { "shop.item.title": "name" } }), state);
  expect(await database.query("select title from shop.item")).toEqual([{ title: "pen" }]);
  const dropped = await up(database.url, shop(ITEM, { allow: ["drop-column:shop.item.title"] }), kept);
  expect(await database.query("select * from shop.item")).toEqual([{ id: 1, price: 3, name: null }]);
  expect(await pending(database.url, dropped)).toEqual([]);
});

test("a table with rows that goes while one of its shape comes stops with a question, and approval drops it", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const message = await refusal(up(database.url, shop(THINGS), state));
  expect(message).toContain("Is table shop.things the table shop.item under a new name?");
  expect(message).toContain("-- renamed from: item\n");
  expect(message).toContain('renames: {"shop.things":"item"}');
  expect(message).toContain("drop-table:shop.item");
  const updated = await up(database.url, shop(THINGS, { allow: ["drop-table:shop.item"] }), state);
  expect(await relationsIn(database, "shop")).toEqual(["things", "things_pkey"]);
  expect(await database.query("select * from shop.things")).toEqual([]);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("each possible answer is asked for, and other hazards are told along with the question", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(`${ITEM} create table shop.tag (id int primary key);`));
  await database.query("insert into shop.item values (1, 'pen', 3); insert into shop.tag values (1)");
  const message = await refusal(
    up(database.url, shop('create table shop.item (id int primary key, title text, "Label" text);'), state),
  );
  expect(message).toContain("Is column shop.item.title the column shop.item.name");
  expect(message).toContain('renames: {"shop.item.\\"Label\\"":"name"}');
  expect(message).toMatch(/PS202: drops column shop\.item\.price[\s\S]*`allow`:[\s\S]*drop-column:shop\.item\.price/);
  expect(message).toContain("drop-table:shop.tag");
});

test("what holds no rows is dropped and made without a question, and so is what has another shape", async () => {
  const database = await freshDatabase();
  const empty = await up(database.url, shop(ITEM));
  const titled = await up(database.url, shop(TITLED), empty);
  expect(await pending(database.url, titled)).toEqual([]);
  await database.query("insert into shop.item (id, title) values (1, 'pen')");
  const other = ITEM.replace("name text", "named date");
  expect(await refusal(up(database.url, shop(other), titled))).not.toContain("under a new name");
  expect(await refusal(up(database.url, shop(`${THINGS.replace("price", "cost")}`), titled))).toMatch(
    /^Stopped before the first statement, because/,
  );
});

test("only a new partition of the same bound may be the one that goes", async () => {
  const database = await freshDatabase();
  const parts = (of: Record<string, string>): Properties => {
    const made = Object.entries(of).map(
      ([name, bound]) => `create table shop.${name} partition of shop.item ${bound};`,
    );
    return shop(`create table shop.item (id int, day date) partition by range (day); ${made.join(" ")}`);
  };
  const may = "for values from ('2026-05-01') to ('2026-06-01')";
  const june = "for values from ('2026-06-01') to ('2026-07-01')";
  const state = await up(database.url, parts({ rest: "default", may }));
  await database.query("insert into shop.item values (1, '2026-05-05'), (2, '2027-01-01')");
  const message = await refusal(preview(database.url, [parts({ others: "default", june })], [state]));
  expect(message.match(/Is table .* under a new name/g)).toEqual([
    "Is table shop.others the table shop.rest under a new name",
  ]);
  expect(message).toContain("PS201: drops table shop.may");
});

test("a misspelt old name does not lose the rows: the question comes nevertheless", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  await database.query("insert into shop.item values (1, 'pen', 3)");
  const misspelt = shop(ITEM.replace("name text,", "title text, -- renamed from: nmae\n"));
  expect(await refusal(up(database.url, misspelt, state))).toContain("-- renamed from: name\n");
});

test.each([
  [
    "-- renamed form: name\ncreate table shop.a (id int);",
    'shop.sql:2: found the comment "renamed form: name", expected',
  ],
  [
    "create table shop.a (id int); -- renamed from: b, c",
    'shop.sql:2: found the comment "renamed from: b, c", expected',
  ],
  ["create table shop.a (\n  id int -- renamed from: other.column\n);", "shop.sql:3: found the comment"],
  ["create table shop.a (id int);\n-- renamed from: b\ncreate index on shop.a (id);", "shop.sql:3: found the comment"],
  ["create table shop.a (id int,\n  check (id > 0) -- renamed from: b\n);", "where no table or column is"],
  [
    "create temporary table a (id int); -- renamed from: b",
    "shop.sql:2: found a rename of the table a, which the layer does not declare",
  ],
  [
    "create table shop.a (id int, -- renamed from: x\n x int -- renamed from: id\n);",
    "shop.sql:2: found renames in a cycle",
  ],
  [
    "create table shop.a (id int, -- renamed from: x\n y int -- renamed from: x\n);",
    "shop.sql:3: found a rename that contradicts the one at shop.sql:2",
  ],
])("a comment about a rename that means nothing is refused with its place: %s", async (sql, message) => {
  const database = await freshDatabase();
  expect(await refusal(up(database.url, shop(sql)))).toContain(message);
});

test.each([
  [{ a: "b" }, 'renames.a: found {"a":"b"}, expected the new name with its schema and the old one'],
  [{ "shop.item.name": "old.title" }, "renames.shop.item.name: found"],
  [{ "shop.item.nope": "name" }, 'renames["shop.item.nope"]: found a rename of the column shop.item.nope'],
  [{ "shop.nope": "item" }, 'renames["shop.nope"]: found a rename of the table shop.nope'],
])("the input %j is refused", async (renames, message) => {
  const database = await freshDatabase();
  expect(await refusal(up(database.url, shop(ITEM, { renames })))).toContain(message);
});

test("a rename is refused when both are there, also when the layer adopts them", async () => {
  const database = await freshDatabase();
  await database.query(`create schema shop; ${ITEM} alter table shop.item add title text`);
  const titled = ITEM.replace("name text,", "title text, -- renamed from: name\n");
  expect(await refusal(up(database.url, shop(titled)))).toContain(
    "shop.sql:2: found both column shop.item.name and column shop.item.title in the database, expected only one of them",
  );
  const both = await up(database.url, shop(titled.replace("price int", "name text, price int")));
  expect(await pending(database.url, both)).toEqual([]);
});

test("an old name that somebody else uses later is no matter of the layer", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  const next = shop(`-- renamed from: item\n${THINGS}`);
  const updated = await up(database.url, next, state);
  await database.query("create table shop.item (other date)");
  const more = await up(
    database.url,
    shop(`-- renamed from: item\n${THINGS} create table shop.tag (id int);`),
    updated,
  );
  expect(await pending(database.url, more)).toEqual([]);
  expect(await relationsIn(database, "shop")).toEqual(["item", "tag", "things", "things_pkey"]);
});

test("a table that has hardly a column of the old one is refused, until its columns are renamed too", async () => {
  const database = await freshDatabase();
  const state = await up(database.url, shop(ITEM));
  const strange =
    "create table shop.things ( -- renamed from: item\n  number int primary key,\n  title text,\n  price int);";
  expect(await refusal(up(database.url, shop(strange), state))).toContain(
    "Found table shop.item, which shares 1 of 3 columns with table shop.things",
  );
  const known = strange.replace("title text,", "title text, -- renamed from: name\n");
  const updated = await up(database.url, shop(known, { renames: { "shop.things.number": "id" } }), state);
  expect(await pending(database.url, updated)).toEqual([]);
});

test("a table of the base, or of another layer, is not renamed by the way", async () => {
  const database = await freshDatabase();
  const base = [{ name: "below", files: [project.write("below.sql", `create schema shop; ${ITEM}`)] }];
  const below = await up(database.url, { name: "below", files: ["below.sql"] });
  const above = project.layer("above", `-- renamed from: item\n${THINGS}`, { base });
  const message = await refusal(
    inRun(database.url, async (run) => {
      await put(run, { name: "below", files: ["below.sql"] }, below);
      await put(run, above);
    }),
  );
  expect(message).toContain("Found a rename of table shop.item, which");
  expect(await refusal(up(database.url, above))).toContain("which a layer of the base declares");
  expect(await relationsIn(database, "shop")).toEqual(["item", "item_pkey"]);
});
