import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type Chance, chanceOf, RandomDdl } from "../../support/randomDdl.ts";
import { type Readings, readingsOf } from "../../support/readings.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";

/**
 * How many readings are compared, of which `npm run test:readings` makes more; and the seed, of a run that
 * failed the one that it printed.
 */
const isLong = process.env.PGSTRATA_READINGS !== undefined;
const { PGSTRATA_READINGS = "25", PGSTRATA_SEED = isLong ? String(Date.now() % 1_000_000) : "7" } = process.env;

let server: TestServer;
let database: TestDatabase;
let readings: Readings;
/** Sessions of others, some of which leave a transaction open for a while. */
let sessions: pg.Client[];

beforeAll(async () => {
  server = await startTestServer({ max_prepared_transactions: "10", log_statement: "none" });
  database = await createTestDatabase({ server: server.url("postgres") });
  await database.query("create function public.on_ddl() returns event_trigger language plpgsql as 'begin end'");
  const impatient = "-c lock_timeout=30ms -c client_min_messages=error";
  readings = readingsOf(database.url, impatient);
  sessions = await Promise.all(
    [1, 2, 3].map(async () => {
      const session = new pg.Client({ connectionString: database.url, options: impatient });
      await session.connect();
      return session;
    }),
  );
}, 120_000);
afterAll(async () => {
  await Promise.allSettled([readings.end(), ...sessions.map((session) => session.end())]);
  await server.stop();
});

const BOUNDS = [
  "begin",
  "begin isolation level repeatable read",
  "commit",
  "commit",
  "rollback",
  "savepoint a",
  "rollback to a",
  "release a",
  "prepare transaction 'p0'",
  "prepare transaction 'p1'",
  "commit prepared 'p0'",
  "commit prepared 'p1'",
  "rollback prepared 'p0'",
  "rollback prepared 'p1'",
];

/** @returns whether it succeeded. */
const tried = (session: pg.Client, sql: string): Promise<boolean> =>
  session.query(sql).then(
    () => true,
    (error: unknown) => {
      if (error instanceof pg.DatabaseError) return false;
      throw error;
    },
  );

/** What a session does between two readings; one in a transaction keeps it where a statement fails. */
async function steps(chance: Chance, ddl: RandomDdl): Promise<string[]> {
  const done: string[] = [];
  const count = 1 + chance.below(3);
  for (let tries = 0; tries < 20 && done.length < count; tries++) {
    // The first one most often has no transaction open.
    const number = chance.of([0, 0, 0, 1, 2]);
    const session = sessions[number];
    if (session === undefined) continue;
    const sql = number > 0 && chance.below(3) === 0 ? chance.of(BOUNDS) : ddl.statement();
    const isSaved = await tried(session, "savepoint before_it");
    if (await tried(session, sql)) done.push(`${number}: ${sql}`);
    else if (isSaved) await tried(session, "rollback to before_it");
  }
  return done;
}

/** What an update does: it makes something, reads it within its transaction, and goes on from there. */
async function ownStep(chance: Chance, ddl: RandomDdl): Promise<{ done: string; isRemembered: boolean }> {
  const client = await readings.again.connect();
  try {
    const made = [ddl.statement(), ddl.statement()].slice(chance.below(2)).join("; ");
    if (!(await tried(client, `begin; ${made}`))) return { done: `own, failed: ${made}`, isRemembered: false };
    const both = await readings.bothWithin(client);
    expect(both?.found, made).toEqual(both?.expected);
    if (both === undefined || chance.below(4) === 0) return { done: `own, undone: ${made}`, isRemembered: false };
    if (!(await tried(client, "commit"))) return { done: `own, not committed: ${made}`, isRemembered: false };
    return { done: `own: ${made}`, isRemembered: both.remember() };
  } finally {
    await tried(client, "rollback");
    client.release();
  }
}

test(`after any DDL of any session, what is new makes the same catalog as all (seed ${PGSTRATA_SEED})`, async () => {
  const chance = chanceOf(Number(PGSTRATA_SEED));
  const ddl = new RandomDdl(chance);
  const ways = { "what is new": 0, all: 0, failed: 0, remembered: 0 };
  const done: string[] = [];
  for (let n = 0; n < Number(PGSTRATA_READINGS); n++) {
    await ddl.look(database.pool);
    const own = await ownStep(chance, ddl);
    if (own.isRemembered) ways.remembered++;
    done.push(own.done, ...(await steps(chance, ddl)), "reading");
    const both = await readings.both({ dependencies: chance.below(4) > 0 });
    ways[both?.way ?? "failed"]++;
    expect(both?.found, done.slice(-20).join("\n")).toEqual(both?.expected);
  }
  if (isLong) console.log(JSON.stringify(ways));
  expect(ways["what is new"]).toBeGreaterThan(0);
  // Seldom, as others' transactions are open most of the time.
  if (isLong) expect(ways.remembered).toBeGreaterThan(0);
}, 3_600_000);
