import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { inRun, preview, project, put, ROWS_UNASKED, up } from "../../../support/layerHarness.ts";
import { majorVersion } from "../../../support/majorVersion.ts";
import { byIndex, changed, REBUILT, type Shop, updatedUnasked } from "../../../support/storedResults.ts";

const freshDatabase = freshDatabases();

/** Small enough for the transaction, and too many for it. */
const FEW = 100;
const MANY = 12_000;

const ITEMS = "create table shop.item (id int primary key, price int not null);";
const grade = (by: number, more = "immutable"): string =>
  `create function shop.grade(n int) returns int language sql ${more} as $$ select n / ${by} $$;`;
const shop = (by: number, more: string): string => `create schema shop; ${grade(by)} ${ITEMS} ${more}`;

async function stocked(sql: string, rows: number): Promise<Shop> {
  const database = await freshDatabase();
  const state = await up(database.url, project.layer("shop", sql));
  await database.query(`insert into shop.item (id, price) select n, n from generate_series(1, ${rows}) as n`);
  await database.query("analyze shop.item");
  return { database, state };
}

/** How an index may come to hold results of `shop.grade`, and what is found by it. */
const INDEXES: { how: string; sql: string; condition: string }[] = [
  {
    how: "in its expression",
    sql: "create index graded on shop.item (shop.grade(price));",
    condition: "shop.grade(price) = 2",
  },
  {
    how: "in its predicate",
    sql: "create index graded on shop.item (id) where shop.grade(price) = 2;",
    condition: "shop.grade(price) = 2",
  },
  {
    how: "through a function that calls it by name",
    sql: `create function shop.outer_grade(n int) returns int language plpgsql immutable as $$ begin return shop.GRADE(n) * 1; end $$;
      create index graded on shop.item (shop.outer_grade(price));`,
    condition: "shop.outer_grade(price) = 2",
  },
  {
    how: "through a function with an SQL body",
    sql: `create function shop.outer_grade(n int) returns int language sql immutable begin atomic select shop.grade(n); end;
      create index graded on shop.item (shop.outer_grade(price));`,
    condition: "shop.outer_grade(price) = 2",
  },
];

for (const { how, sql, condition } of INDEXES) {
  test(`an index that holds results of a changed function ${how} finds rows by the new ones`, async () => {
    const shown = await stocked(shop(10, sql), FEW);
    expect(await byIndex(shown.database, condition)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29]);
    expect((await changed(shown, shop(5, sql))).sql).toEqual(REBUILT);
    expect(await byIndex(shown.database, condition)).toEqual([10, 11, 12, 13, 14]);
  });
}

test("an index that nobody declared is rebuilt too, and one on a large table after the transaction, once approved", async () => {
  const shown = await stocked(shop(10, ""), MANY);
  await shown.database.query("create index graded on shop.item (shop.grade(price))");
  await expect(changed(shown, shop(5, ""))).rejects.toThrow(
    /PS221: index shop\.graded holds results of a changed function for about 12,000 rows: queries [\s\S]*rebuild-index:shop\.graded/,
  );
  const done = await changed(shown, shop(5, ""), ["rebuild-index:shop.graded"]);
  expect(done.sql).toEqual(['REINDEX INDEX CONCURRENTLY "shop"."graded"']);
  expect(await byIndex(shown.database, "shop.grade(price) = 2")).toEqual([10, 11, 12, 13, 14]);
});

test("where a unique index or an exclusion does not fit the new results, the function stays as it was", async () => {
  const unique = "create unique index graded on shop.item (shop.grade(price));";
  const shown = await stocked(shop(1, unique), FEW);
  await expect(changed(shown, shop(5, unique))).rejects.toThrow(
    /PS310: found 20 values of \(shop\.grade\(price\)\) in more than one row of shop\.item by the changed function, expected none for: the change of function shop\.grade\(integer\)/,
  );
  await expect(updatedUnasked(shown, shop(5, unique))).rejects.toThrow(
    /could not create unique index[\s\S]*nothing was changed/,
  );
  expect(await shown.database.query("select shop.grade(10) as grade")).toEqual([{ grade: 10 }]);

  const exclusion = "alter table shop.item add constraint graded exclude using btree (shop.grade(price) with =);";
  const other = await stocked(shop(1, exclusion), FEW);
  await expect(changed(other, shop(5, exclusion))).rejects.toThrow(/PS310: found 99 rows of shop\.item in conflict/);
  await expect(updatedUnasked(other, shop(5, exclusion))).rejects.toThrow(
    /could not create exclusion[\s\S]*nothing was changed/,
  );
  const reversed = shop(1, exclusion).replace("n / 1", "- n");
  const done = await changed(other, reversed);
  expect(done.sql).toEqual(REBUILT);
  expect(done.warnings).toEqual([]);
});

const STORED = "alter table shop.item add column grade int generated always as (shop.grade(price)) stored;";
const isOld = "select count(*)::int as old from shop.item where grade is distinct from shop.grade(price)";

test("a stored column is computed again, of a large table in batches", async () => {
  const few = await stocked(shop(10, STORED), FEW);
  const again =
    majorVersion >= 17
      ? 'ALTER TABLE "shop"."item" ALTER COLUMN "grade" SET EXPRESSION AS (shop.grade(price))'
      : 'UPDATE ONLY "shop"."item" SET "price" = "price"';
  expect((await changed(few, shop(5, STORED))).sql).toEqual([again]);
  expect(await few.database.query(isOld)).toEqual([{ old: 0 }]);

  const many = await stocked(shop(10, STORED), MANY);
  await expect(changed(many, shop(5, STORED))).rejects.toThrow("recompute-column:shop.item.grade");
  const done = await changed(many, shop(5, STORED), ["recompute-column:shop.item.grade"]);
  expect(done.sql).toEqual([expect.stringMatching(/^UPDATE ONLY "shop"\."item" SET "price" = "price" WHERE /)]);
  expect(await many.database.query(isOld)).toEqual([{ old: 0 }]);
});

test("what is made on a stored column is made from its new values", async () => {
  const shown = await stocked(shop(10, STORED), FEW);
  const more = `${STORED} create index graded on shop.item (grade); alter table shop.item add constraint low check (grade < 50);`;
  const { sql } = await changed(shown, shop(5, more));
  const order = sql.flatMap((each) => /SET EXPRESSION|^UPDATE|^CREATE INDEX|VALIDATE/.exec(each)?.[0] ?? []);
  expect(order.slice(1).sort()).toEqual(["CREATE INDEX", "VALIDATE"]);
  expect(await byIndex(shown.database, "grade = 2")).toEqual([10, 11, 12, 13, 14]);
});

/** The same results, of another text. */
const rewritten = (sql: string): string => sql.replace("select n / 10", "select div(n, 10)::int");

test("where the new results are equal on all rows, a large table needs no approval, and rows in between are still done", async () => {
  const all = `${STORED} create index graded on shop.item (shop.grade(price)) where shop.grade(price) > 1;
    alter table shop.item add constraint low check (shop.grade(price) < 5000);`;
  const shown = await stocked(shop(10, all), MANY);
  const before = await shown.database.query("select oid, xmin::text, prosrc from pg_proc where proname = 'grade'");
  const layer = project.layer("shop", rewritten(shop(10, all)));
  const [plan] = await preview(shown.database.url, [layer], [shown.state]);
  const hazards = (plan ?? []).flatMap(({ details }) => (Array.isArray(details.hazards) ? details.hazards : []));
  expect(hazards.map(String).sort()).toEqual([
    expect.stringMatching(/^PS221: index shop\.graded .* equal on 12,000 rows: /),
    expect.stringMatching(/^PS222: column shop\.item\.grade .* equal on 12,000 rows: /),
    expect.stringMatching(/^PS223: constraint low on shop\.item .* equal on 12,000 rows: /),
  ]);
  // What was made for the comparison is undone, to the version of the row.
  expect(await shown.database.query("select oid, xmin::text, prosrc from pg_proc where proname = 'grade'")).toEqual(
    before,
  );
  const done = await changed(shown, rewritten(shop(10, all)));
  expect(done.sql.map((sql) => /^UPDATE|VALIDATE|^REINDEX INDEX CONCURRENTLY/.exec(sql)?.[0] ?? "").sort()).toEqual([
    "",
    "",
    "REINDEX INDEX CONCURRENTLY",
    "UPDATE",
    "VALIDATE",
  ]);
});

test("where one row has another result, or the rows cannot be compared in time, the approval is asked for", async () => {
  const index = "create index graded on shop.item (shop.grade(price));";
  const shown = await stocked(shop(10, index), MANY);
  const needed = /rebuild-index:shop\.graded/;
  const almost = shop(10, index).replace("n / 10", "case n when 777 then 0 else n / 10 end");
  await expect(changed(shown, almost)).rejects.toThrow(needed);
  const same = project.layer("shop", rewritten(shop(10, index)));
  const unasked = inRun(shown.database.url, (run) => put(run, same, shown.state), ROWS_UNASKED);
  await expect(unasked).rejects.toThrow(needed);
  const slow = shop(10, index).replace("n / 10", "n / 10 + 0 * length(pg_sleep(0.01)::text)");
  await expect(changed(shown, slow)).rejects.toThrow(needed);
  const stable = rewritten(shop(10, index)).replace("immutable", "immutable set work_mem = '4MB'");
  await changed(shown, stable);
});

test("a comparison lets no caller of a function write", async () => {
  const check = `create sequence shop.calls;
    create function shop.noted(n int) returns int language plpgsql as $$ begin perform nextval('shop.calls'); return shop.grade(n); end $$;
    alter table shop.item add constraint low check (shop.noted(price) < 5000);`;
  const shown = await stocked(shop(10, check), MANY);
  const calls = () => shown.database.query("select last_value::int as calls from shop.calls");
  const before = await calls();
  const layer = project.layer("shop", rewritten(shop(10, check)));
  await expect(preview(shown.database.url, [layer], [shown.state])).rejects.toThrow("recheck-constraint:shop.item.low");
  expect(await calls()).toEqual(before);
});

test("a comparison looks past an index and a check that hold the old results", async () => {
  const all = `create index graded on shop.item (shop.grade(price)) where shop.grade(price) < 5000;
    alter table shop.item add constraint low check (shop.grade(price) < 5000);`;
  const shown = await stocked(shop(10, all), MANY);
  const higher = shop(10, all).replace("n / 10", "n / 10 + 4000");
  await expect(changed(shown, higher)).rejects.toThrow(
    /rebuild-index:shop\.graded\s+recheck-constraint:shop\.item\.low|recheck-constraint:shop\.item\.low\s+rebuild-index:shop\.graded/,
  );
});

test("nothing is made for a comparison where an event trigger would run", async () => {
  const index = "create index graded on shop.item (shop.grade(price));";
  const shown = await stocked(shop(10, index), MANY);
  await shown.database.query(`create function public.told() returns event_trigger language plpgsql as $$ begin end $$;
    create event trigger told on ddl_command_end execute function public.told();`);
  await expect(changed(shown, rewritten(shop(10, index)))).rejects.toThrow(/rebuild-index:shop\.graded/);
});

const order = (sign: string): string =>
  `create function shop.ordered(a int, b int) returns int language sql immutable as $$ select ${sign}pg_catalog.btint4cmp(a, b) $$;`;
const OPERATOR_CLASS = `create operator class shop.int_order for type int using btree as
  operator 1 pg_catalog.<, operator 2 pg_catalog.<=, operator 3 pg_catalog.=, operator 4 pg_catalog.>=, operator 5 pg_catalog.>,
  function 1 shop.ordered(int, int)`;

test("an index is rebuilt when a support function of its operator class changes, and never compared", async () => {
  const sql = (sign: string): string => `create schema shop; ${order(sign)} ${ITEMS}`;
  const shown = await stocked(sql(""), FEW);
  await shown.database.query(OPERATOR_CLASS);
  await shown.database.query("create index graded on shop.item (price shop.int_order)");
  expect((await changed(shown, sql("-"))).sql).toEqual(REBUILT);

  const many = await stocked(sql(""), MANY);
  await many.database.query(OPERATOR_CLASS);
  // The expression has the same results; their order has not.
  await many.database.query("create index graded on shop.item ((price + 1) shop.int_order)");
  await expect(changed(many, sql("-"))).rejects.toThrow("rebuild-index:shop.graded");
});

test("a changed support function that orders the rows of partitions is refused while there are any", async () => {
  const sql = (sign: string): string => `create schema shop; ${order(sign)} ${ITEMS}`;
  const shown = await stocked(sql(""), FEW);
  await shown.database.query(OPERATOR_CLASS);
  await shown.database.query(`create table shop.parted (n int) partition by range (n shop.int_order);
    create table shop.low partition of shop.parted for values from (0) to (50); insert into shop.parted values (7)`);
  await expect(changed(shown, sql("-"))).rejects.toThrow(
    /PS310: found 1 row of shop\.low that may belong to another partition by the changed function/,
  );
  await expect(updatedUnasked(shown, sql("-"))).rejects.toThrow(/rows of shop\.low belong to another partition/);
  await shown.database.query("truncate shop.parted");
  await changed(shown, sql("-"));
});

test("the index of a partition is rebuilt", async () => {
  const parts = `create schema shop; ${grade(10)} create table shop.item (id int, price int) partition by range (id);
    create table shop.low partition of shop.item for values from (0) to (500);
    create index graded on shop.item (shop.grade(price));`;
  const shown = await stocked(parts, FEW);
  await shown.database.query("alter index shop.low_grade_idx rename to by_hand");
  expect((await changed(shown, parts.replace("n / 10", "n / 5"))).sql).toEqual([expect.stringMatching(/^DO /)]);
  expect(await byIndex(shown.database, "shop.grade(price) = 2")).toEqual([10, 11, 12, 13, 14]);
});

test("a stored column of a partitioned table is computed again in each partition", async () => {
  const parts = `create schema shop; ${grade(10)}
    create table shop.item (id int, price int, grade int generated always as (shop.grade(price)) stored) partition by range (id);
    create table shop.low partition of shop.item for values from (0) to (50);
    create table shop.high partition of shop.item for values from (50) to (1000);`;
  const shown = await stocked(parts, FEW);
  expect((await changed(shown, parts.replace("n / 10", "n / 5"))).sql).toHaveLength(2);
  expect(await shown.database.query(isOld)).toEqual([{ old: 0 }]);
});

test("a check holds for the rows by the changed function, or the function stays as it was", async () => {
  const check = "alter table shop.item add constraint graded check (shop.grade(price) < 50);";
  const shown = await stocked(shop(10, check), FEW);
  await expect(changed(shown, shop(1, check))).rejects.toThrow(
    /PS310: found 51 rows of shop\.item that CHECK \(\(shop\.grade\(price\) < 50\)\) refuses by the changed function/,
  );
  const error: unknown = await updatedUnasked(shown, shop(1, check)).catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(
    /refused constraint graded on shop\.item: there are rows that it refuses by the changed function \(SQLSTATE 23514\)[\s\S]*nothing was changed/,
  );
  expect(String(error)).not.toMatch(/pgstrata_recheck|Give a value/);
  expect(await shown.database.query("select shop.grade(10) as grade")).toEqual([{ grade: 1 }]);
  expect((await changed(shown, shop(5, check))).sql).toEqual([
    'ALTER TABLE "shop"."item" ADD CONSTRAINT "pgstrata_recheck_graded" CHECK ((shop.grade(price) < 50))',
    'ALTER TABLE "shop"."item" DROP CONSTRAINT "pgstrata_recheck_graded"',
  ]);
});

test("the check of a domain holds for the rows of its tables as well", async () => {
  const domain =
    "create domain shop.low as int check (shop.grade(value) < 50); alter table shop.item add column low shop.low;";
  const shown = await stocked(shop(10, domain), FEW);
  await shown.database.query("update shop.item set low = price");
  await expect(changed(shown, shop(1, domain))).rejects.toThrow(/PS310: found 51 rows of shop\.item whose low CHECK/);
  await expect(updatedUnasked(shown, shop(1, domain))).rejects.toThrow(
    /refused constraint low_check on shop\.low: there are rows that it refuses[\s\S]*nothing was changed/,
  );
  expect((await changed(shown, shop(5, domain))).sql).toHaveLength(2);
});

test("the check of a large table is validated beside it, so that nobody waits", async () => {
  const check = "alter table shop.item add constraint graded check (shop.grade(price) < 5000);";
  const shown = await stocked(shop(10, check), MANY);
  const done = await changed(shown, shop(5, check), ["recheck-constraint:shop.item.graded"]);
  expect(done.sql).toEqual([
    'ALTER TABLE "shop"."item" ADD CONSTRAINT "pgstrata_recheck_graded" CHECK ((shop.grade(price) < 5000)) NOT VALID',
    'ALTER TABLE "shop"."item" VALIDATE CONSTRAINT "pgstrata_recheck_graded"',
    'ALTER TABLE "shop"."item" DROP CONSTRAINT "pgstrata_recheck_graded"',
  ]);
});

test("a function that would send rows to another partition is refused, and one that does not is changed", async () => {
  const parts = (half: number): string => `create schema shop;
    create function shop.half(n int) returns int language sql immutable as $$ select case when n < ${half} then 0 else 1 end $$;
    create table shop.item (id int, price int) partition by list (shop.half(id));
    create table shop.low partition of shop.item for values in (0);
    create table shop.high partition of shop.item for values in (1);`;
  const shown = await stocked(parts(50), FEW);
  await expect(changed(shown, parts(20))).rejects.toThrow(
    /PS310: found 30 rows of shop\.low that belong to another partition by the changed function/,
  );
  const error: unknown = await updatedUnasked(shown, parts(20)).catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(/rows of shop\.low belong to another partition[\s\S]*nothing was changed/);
  expect(String(error)).not.toContain("Give a value");
  await shown.database.query("delete from shop.item where id between 20 and 50");
  await changed(shown, parts(20));
});

test("extended statistics are gathered and materialized views refreshed", async () => {
  const view = "create materialized view shop.graded as select shop.grade(price) as grade from shop.item;";
  const shown = await stocked(shop(10, view), FEW);
  await shown.database.query("refresh materialized view shop.graded");
  await shown.database.query("create statistics shop.graded_items on (shop.grade(price)), id from shop.item");
  expect((await changed(shown, shop(50, view))).sql).toEqual([
    'REFRESH MATERIALIZED VIEW "shop"."graded"',
    'ANALYZE "shop"."item"',
  ]);
  expect(await shown.database.query("select max(grade) as top from shop.graded")).toEqual([{ top: 2 }]);
});

test("a large materialized view with a unique index is refreshed while others read it", async () => {
  const view = `create view shop.graded as select id, shop.grade(price) as grade from shop.item;
    create materialized view shop.top as select * from shop.graded; create unique index top_id on shop.top (id);`;
  const shown = await stocked(shop(10, view), MANY);
  await shown.database.query("refresh materialized view shop.top");
  expect((await changed(shown, shop(5, view))).sql).toEqual(['REFRESH MATERIALIZED VIEW CONCURRENTLY "shop"."top"']);
  expect(await shown.database.query("select max(grade) as top from shop.top")).toEqual([{ top: MANY / 5 }]);
});

test("a materialized view that is recreated with the view below it tells its rows, and stops where there are many", async () => {
  const views = (
    factor: number,
  ): string => `create view shop.graded as select id, price * ${factor} as price from shop.item;
    create materialized view shop.top as select id, price as best from shop.graded;`;
  const text = (factor: number): string =>
    views(factor).replace("as price from", factor === 1 ? "as price from" : "::bigint as price from");
  const shown = await stocked(shop(10, text(1)), MANY);
  await shown.database.query("refresh materialized view shop.top; analyze shop.top");
  await expect(changed(shown, shop(10, text(2)))).rejects.toThrow(
    /PS228: drops materialized view shop\.top with about 12,000 rows[\s\S]*refresh-view:shop\.top/,
  );
  await changed(shown, shop(10, text(2)), ["refresh-view:shop.top"]);
  expect(await shown.database.query("select max(best)::int as top from shop.top")).toEqual([{ top: 2 * MANY }]);
});

test("what has no influence on the results of a function brings nothing up to date", async () => {
  const index = "create index graded on shop.item (shop.grade(price));";
  const shown = await stocked(shop(10, index), FEW);
  const faster = shop(10, index).replace(grade(10), () => grade(10, "immutable cost 7 parallel safe"));
  expect((await changed(shown, `${faster} comment on function shop.grade(int) is 'of an item';`)).sql).toEqual([
    expect.stringMatching(/^COMMENT/),
  ]);
  const strict = shop(10, index).replace(grade(10), () => grade(10, "immutable strict"));
  expect((await changed(await stocked(shop(10, index), FEW), strict)).sql).toEqual(REBUILT);
});
