import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Pipeline } from "../../../provider/apply/pipeline.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { type SlowLine, slowLineTo } from "../../support/slowLine.ts";

const DELAY_MS = 10;

let target: TestDatabase;
let line: SlowLine;
beforeAll(async () => {
  target = await createTestDatabase();
  line = await slowLineTo(target.url, DELAY_MS);
});
afterAll(async () => {
  line.close();
  await target.drop();
});

/** Runs `task` on a connection such as an update has. */
async function connected<T>(
  task: (ahead: Pipeline, query: (sql: string) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const database = openDatabase({ url: line.url });
  if (database === undefined) throw new Error("no database");
  const client = await database.connect();
  try {
    return await task(new Pipeline(client), (sql) => client.query(sql));
  } finally {
    client.release();
    await database.close();
  }
}

describe("statements that are sent ahead", () => {
  it("do not pay for the way of each", async () => {
    const count = 100;
    const elapsedMs = await connected(async (ahead, query) => {
      await query("begin");
      const started = performance.now();
      for (let n = 0; n < count; n++) await ahead.send(`create table public.t${n} ()`, (error) => error);
      await ahead.settle();
      await query("commit");
      return performance.now() - started;
    });

    expect(await target.query("select 1 from pg_class where relname ~ '^t[0-9]+$'")).toHaveLength(count);
    expect(elapsedMs).toBeLessThan((count * 2 * DELAY_MS) / 2);
  });

  it("fail with the error of the first that fails, and none behind it is carried out", async () => {
    const sent: number[] = [];
    const failure = connected(async (ahead, query) => {
      await query("begin");
      try {
        for (let n = 0; n < 200; n++) {
          sent.push(n);
          const sql = n === 3 || n === 7 ? "create table bad (" : `create table public.u${n} ()`;
          await ahead.send(sql, (error) => new Error(`statement ${n}: ${error instanceof Error ? error.message : ""}`));
        }
        await ahead.settle();
      } finally {
        await query("rollback");
      }
    });

    await expect(failure).rejects.toThrow("statement 3: syntax error");
    expect(sent.length).toBeLessThan(200);
    await sleep(DELAY_MS);
    expect(await target.query("select 1 from pg_class where relname ~ '^u[0-9]+$'")).toEqual([]);
  });

  it("report the last of them when it is settled", async () => {
    const failure = connected(async (ahead, query) => {
      await query("begin");
      await ahead.send("select 1 / 0", (error) => error);
      await ahead.settle().finally(() => query("rollback"));
    });

    await expect(failure).rejects.toThrow("division by zero");
  });
});
