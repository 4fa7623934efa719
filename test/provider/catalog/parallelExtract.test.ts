import { readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { extractOnTwoConnections } from "../../../provider/catalog/parallelExtract.ts";
import { encodeId, extract, type FactBase } from "../../../provider/catalog/pgDelta.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { slowLineTo } from "../../support/slowLine.ts";

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
  const pool = new pg.Pool({ connectionString: url, max, pipeline: true });
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

test("a reading waits for a slow line a few times, and not once for each question", async () => {
  const small = await createTestDatabase();
  await small.query("create table item (id int primary key, name text); create view names as select name from item");
  const line = await slowLineTo(small.url, 1);
  const pool = poolOf(1, line.url);
  await pool.query("select");
  const before = line.turns();
  expect(await read(pool)).toEqual(factsOf((await extract(small.pool)).factBase));
  expect(line.turns() - before).toBeLessThan(12);
  line.close();
  await small.drop();
});

test("a question that fails ends the reading, and the connection reads again", async () => {
  const small = await createTestDatabase();
  await small.query("create table item (id int primary key, name text); create view names as select name from item");
  const pool = poolOf(1, small.url);
  await pool.query("set lock_timeout = 100");
  const other = await small.pool.connect();
  await other.query("begin; lock table item, names in access exclusive mode");
  await expect(read(pool)).rejects.toMatchObject({ code: "55P03" });
  await other.query("rollback");
  other.release();
  expect(await read(pool)).toEqual(factsOf((await extract(small.pool)).factBase));
  expect(pool.totalCount).toBe(1);
  await pool.end();
  pools.splice(pools.indexOf(pool), 1);
  await small.drop();
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

test("a catalog with everything in it has the dependencies that the library finds", async () => {
  const database = await createTestDatabase();
  await database.query(readFileSync(join(import.meta.dirname, "..", "..", "support", "everyKind.sql"), "utf8"));
  await database.query(`
    create extension pgcrypto;
    create schema d;
    create type d.mood as enum ('a');
    create type d.pair as (m d.mood, moods d.mood[]);
    create domain d.short as text constraint short check (length(value) < 9);
    create procedure d.p() language sql as 'select 1';
    create function d.f(a d.pair, b int[]) returns d.short language sql as 'select ''x''';
    create aggregate d.first(text) (sfunc = textcat, stype = text);
    create collation d.c (locale = 'C');
    create table d.t (id int generated always as identity primary key, p d.pair, s d.short default d.f(null, null),
      g text generated always as ((id + 1)::text) stored, key bytea default gen_random_bytes(2), n text collate d.c,
      unique (s), exclude using btree (n with =));
    create index on d.t (lower(n));
    create table d.child () inherits (d.t);
    create table d.parts (k int, t d.t) partition by list (k);
    create table d.part partition of d.parts for values in (1);
    create view d.v as select id, s, d.f(p, null) from d.t;
    create materialized view d.m as select * from d.v;
    create rule r as on delete to d.t do also select d.f(null, null);
    create policy mine on d.t using (d.f(p, null) = 'x');
    create function d.trigger() returns trigger language plpgsql as 'begin return new; end';
    create trigger t after insert on d.t for each row execute function d.trigger();
    create function d.event() returns event_trigger language plpgsql as 'begin end';
    create event trigger e on sql_drop execute function d.event();
    create publication pub for table d.t;
    create foreign data wrapper w;
    create server s foreign data wrapper w;
    create foreign table d.far (a d.mood) server s;
    create sequence d.free; create table d.u (id int default nextval('d.free'));
    alter sequence d.free owned by d.u.id;`);
  const edgesOf = (base: FactBase): string[] =>
    base.edges.map(({ from, to, kind }) => `${kind} ${encodeId(from)} > ${encodeId(to)}`).sort();
  const pool = poolOf(1, database.url);
  const known = edgesOf((await extract(pool)).factBase);
  expect(edgesOf((await extractOnTwoConnections(pool, "select 1", () => undefined)).factBase)).toEqual(known);
  const kinds =
    "aggregate collation column constraint default domain eventTrigger extension fdw foreignTable function index".split(
      " ",
    );
  kinds.push(
    ..."materializedView policy procedure publication rule schema sequence server table trigger type view".split(" "),
  );
  expect(new Set(known.flatMap((edge) => edge.match(/(?<= )\w+(?=:)/g) ?? []))).toEqual(new Set([...kinds, "role"]));
  await pool.end();
  pools.splice(pools.indexOf(pool), 1);
  await database.query("drop event trigger e; drop event trigger if exists every_event");
  await database.drop();
});
