import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { extractOnTwoConnections } from "../../../provider/catalog/parallelExtract.ts";
import { encodeId, extract, type FactBase } from "../../../provider/catalog/pgDelta.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

let large: TestDatabase;
let facts: string[];
const pools: pg.Pool[] = [];

beforeAll(async () => {
  large = await createTestDatabase();
  await large.query(`do $$ begin
    for n in 1..1200 loop execute format('create table t%s (id text primary key)', n); end loop;
    create function made_up() returns text language sql as 'select ''x''';
    alter table t7 alter id set default made_up();
  end $$`);
  facts = factsOf((await extract(large.pool)).factBase);
});
afterAll(async () => {
  for (const pool of pools) await pool.end();
  await large.drop();
});

function poolOf(max: number, url = large.url): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max });
  pool.on("error", () => {});
  pools.push(pool);
  return pool;
}

/** Roles belong to the whole server, on which other tests make some. */
const factsOf = (base: FactBase): string[] =>
  base.facts().flatMap(({ id }) => (id.kind === "role" ? [] : [`${encodeId(id)} ${base.hashOf(id)}`]));

const read = async (pool: pg.Pool): Promise<string[]> =>
  factsOf((await extractOnTwoConnections(pool, "select 1", () => undefined)).factBase);

test("a large catalog is read on two connections, and is what one reads", async () => {
  const pool = poolOf(2);
  expect(await read(pool)).toEqual(facts);
  expect(pool.totalCount).toBe(2);
  expect(pool.idleCount).toBe(2);
});

test("without dependencies the facts are the same, and one connection is enough", async () => {
  const pool = poolOf(2);
  const { factBase } = await extractOnTwoConnections(pool, "select 1", () => undefined, { dependencies: false });
  expect(factsOf(factBase)).toEqual(factsOf((await extract(large.pool)).factBase));
  expect(factBase.edges.filter(({ kind }) => kind === "depends")).toEqual([]);
  expect(pool.totalCount).toBe(1);
});

test("a pool that has only one connection does without", async () => {
  const pool = poolOf(1);
  expect(await read(pool)).toEqual(facts);
  expect(pool.totalCount).toBe(1);
});

test("a small catalog is read on one", async () => {
  const small = await createTestDatabase();
  const pool = poolOf(2, small.url);
  await read(pool);
  expect(pool.totalCount).toBe(1);
  await pool.end();
  pools.splice(pools.indexOf(pool), 1);
  await small.drop();
});

test("sessions that read again share the questions of a small catalog as well, have them prepared, and read the same", async () => {
  const small = await createTestDatabase();
  await small.query("create table t (id text primary key default 'x'); create view v as select id from t");
  const pool = poolOf(2, small.url);
  const again = async (dependencies: boolean): Promise<string[]> =>
    factsOf(
      (await extractOnTwoConnections(pool, "select 1", () => undefined, { dependencies, isRepeated: true })).factBase,
    );
  const known = await read(poolOf(1, small.url));
  expect([await again(true), await again(true)]).toEqual([known, known]);
  expect(await again(false)).toEqual(await again(false));
  const clients = await Promise.all([pool.connect(), pool.connect()]);
  for (const client of clients) {
    const { rows } = await client.query("select count(*)::int > 1 as has from pg_prepared_statements");
    expect(rows).toEqual([{ has: true }]);
    client.release();
  }
  await Promise.all(pools.splice(-2).map((each) => each.end()));
  await small.drop();
});

/** A pool of two; something happens before the second is given out. */
function poolWith(happens: () => Promise<unknown>): { pool: pg.Pool; asked: () => number } {
  const pool = poolOf(2);
  const connect = pool.connect.bind(pool);
  let connections = 0;
  const interrupted = async (): Promise<pg.PoolClient> => {
    if (++connections === 2) await happens();
    return connect();
  };
  Object.assign(pool, { connect: interrupted });
  return { pool, asked: () => connections };
}

test("both connections see the same moment", async () => {
  const { pool, asked } = poolWith(() => large.query("alter table t7 alter id drop default"));
  const seen = await read(pool);
  await large.query("alter table t7 alter id set default made_up()");
  expect(asked()).toBe(2);
  expect(seen).toEqual(facts);
});

test("what fails on the second connection is asked on the first", async () => {
  const { pool, asked } = poolWith(() => Promise.reject(new Error("sorry, too many clients already")));
  expect(await read(pool)).toEqual(facts);
  expect(asked()).toBe(2);
});
