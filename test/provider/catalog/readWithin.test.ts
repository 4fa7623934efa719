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
