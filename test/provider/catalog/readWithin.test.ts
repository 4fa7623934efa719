import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Readings, readingsOf } from "../../support/readings.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";

/** Transactions that others leave open on theirs hold back what counts as old. */
let server: TestServer;
let database: TestDatabase;
let readings: Readings;

beforeAll(async () => {
  server = await startTestServer();
  database = await createTestDatabase({ server: server.url("postgres") });
  readings = readingsOf(database.url);
  await database.query("create schema old; create table old.t (id int primary key, name text)");
});
afterAll(async () => {
  await readings.end();
  await server.stop();
});

const MADE =
  "create schema app; create table app.t (id int primary key); create view app.v as select t.id, o.name from app.t t join old.t o using (id)";

test("what a transaction has made is read within it, and what is taken back is not there afterwards", async () => {
  const before = await readings.both();
  const client = await readings.again.connect();
  await client.query(`begin; ${MADE}`);
  const made = await readings.bothWithin(client);
  expect(made?.way).toBe("what is new");
  expect(made?.found).toEqual(made?.expected);
  expect(made?.found.join("\n")).toContain("view:app.v");
  await client.query("rollback");
  client.release();
  const after = await readings.both();
  expect(after?.found).toEqual(before?.found);
  expect(after?.expected).toEqual(before?.expected);
  // Reading within has not put an end to what is known.
  expect(after?.way).toBe("what is new");
});

test("what a transaction has changed or dropped is read within it", async () => {
  await readings.both();
  const client = await readings.again.connect();
  for (const sql of ["alter table old.t add column more text", "drop table old.t", `${MADE}; drop view app.v`]) {
    await client.query(`begin; ${sql}`);
    const made = await readings.bothWithin(client);
    expect(made?.found).toEqual(made?.expected);
    await client.query("rollback");
  }
  client.release();
  const after = await readings.both();
  expect(after?.found).toEqual(after?.expected);
});

/** Makes something in a transaction, reads it there, commits and remembers. */
async function madeAndRemembered(sql: string): Promise<boolean | undefined> {
  const client = await readings.again.connect();
  try {
    await client.query(`begin; ${sql}`);
    const made = await readings.bothWithin(client);
    expect(made?.found).toEqual(made?.expected);
    await client.query("commit");
    return made?.remember();
  } finally {
    client.release();
  }
}

test("readings go on from one within a transaction that was committed", async () => {
  await readings.both();
  for (const n of [1, 2, 3]) {
    const more = `create schema s${n}; create table s${n}.t (id int primary key references old.t)`;
    expect(await madeAndRemembered(more)).toBe(true);
    await database.query(`create schema beside${n}; create table beside${n}.t (id int)`);
    const after = await readings.both();
    expect(after?.found).toEqual(after?.expected);
    expect(after?.way).toBe("what is new");
    // The transaction's own are known: only what came beside it is new.
    expect(after?.known).toContain(`s${n}`);
    expect(after?.known).not.toContain(`beside${n}`);
  }
});

test("what others change between such a reading and the next is found, of what it had made too", async () => {
  await readings.both();
  for (const sql of [
    "alter table made.t rename column name to called",
    "create index on made.t (id)",
    "grant select on made.t to public",
    "drop table made.t",
  ]) {
    await database.query("drop schema if exists made cascade");
    await readings.both();
    expect(await madeAndRemembered("create schema made; create table made.t (id int, name text)")).toBe(true);
    await database.query(sql);
    const after = await readings.both();
    expect(after?.found).toEqual(after?.expected);
  }
});

test("none goes on from one beside an older transaction, or beside what younger ones have made", async () => {
  const older = new pg.Client({ connectionString: database.url });
  await older.connect();
  await older.query("begin; create schema older");
  expect(await madeAndRemembered("create schema beside_older")).toBe(false);
  await older.query("commit");
  expect((await readings.both())?.found.join()).toContain("schema:older");

  const client = await readings.again.connect();
  await client.query("begin; create schema own");
  await older.query("create schema younger");
  const made = await readings.bothWithin(client);
  await client.query("commit");
  client.release();
  expect(made?.remember()).toBe(false);
  // A savepoint's rows have a younger number.
  expect(await madeAndRemembered("savepoint a; create schema saved")).toBe(false);
  const after = await readings.both();
  expect(after?.found).toEqual(after?.expected);
  await older.end();
});
