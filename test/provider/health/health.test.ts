import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";
import { type Database, openDatabase } from "../../../provider/database/target.ts";
import { checkHealth, type Health } from "../../../tools/health/checkHealth.ts";
import { healthAsTable, isUnhealthy } from "../../../tools/health/healthText.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";
import { standInService } from "../services/probeTrials.ts";

const CANARY = "pa55-canary-of-health";
const server = new URL(inject("serverUrl"));
/** A service that is healthy: the test server itself. */
const ALIVE = server.href;
/** Nothing listens there. */
const REFUSED = `postgresql://me:${CANARY}@127.0.0.1:1/shop`;

let studio: StudioDatabase;
let project: string;
let database: Database;
let login: string;
beforeAll(async () => {
  studio = await createStudioDatabase();
  ({
    projects: [project],
  } = await seedStudio(studio));
  login = `health_of_${studio.name}`;
  await studio.query(`create role ${login} login password '${CANARY}' in role studio_decrypt`);
  database = open(login);
});
afterAll(async () => {
  await database?.close();
  await studio?.query(`drop role ${login}`);
  await studio?.drop();
});
beforeEach(() => studio.query("delete from platform.databases"));

function open(role: string): Database {
  const url = new URL(studio.url);
  url.username = role;
  url.password = CANARY;
  const opened = openDatabase({ url: url.href });
  if (opened === undefined) throw new Error("no database");
  return opened;
}

async function register(name: string, connectionString: string, more: Record<string, unknown> = {}): Promise<string> {
  const { hostname, port } = new URL(connectionString);
  const values = { project_id: project, name, type: "postgresql", host: hostname, port, ...more };
  const all = { ...values, connection_string: connectionString };
  const [row] = await studio.query<{ id: string }>(
    `insert into platform.databases (${Object.keys(all).join()}) values (${Object.keys(all).map((_, n) => `$${n + 1}`)}) returning id`,
    Object.values(all),
  );
  return row?.id ?? "";
}

const check = (more: Partial<Parameters<typeof checkHealth>[1]> = {}, as = database): Promise<Health[]> =>
  checkHealth(as, { concurrency: 8, timeoutMs: 2000, after: 2, signal: new AbortController().signal, ...more });

const columns = async () =>
  studio.query<{ name: string; status: string; error: string | null; ago: number | null }>(
    "select name, health_check_status as status, health_check_error as error, extract(epoch from clock_timestamp() - last_health_check_at)::float as ago from platform.databases order by name",
  );

describe("a round of health checks, by a member of studio_decrypt", () => {
  test("asks all registrations, records what it finds, and leaves inactive ones alone", async () => {
    await register("a", ALIVE);
    await register("b", REFUSED);
    await register("c", `redis://default:${CANARY}@redis.railway.internal:6379`, { type: "redis", status: "inactive" });
    const found = await check();
    expect(found.map(({ name, result, status }) => [name, result, status])).toEqual([
      ["a", "healthy", "healthy"],
      ["b", "unhealthy", "unhealthy"],
      ["c", "skipped", undefined],
    ]);
    expect(found[0]).toMatchObject({ version: expect.stringMatching(/^1/), latencyMs: expect.any(Number) });
    expect(await columns()).toEqual([
      { name: "a", status: "healthy", error: null, ago: expect.any(Number) },
      {
        name: "b",
        status: "unhealthy",
        error: expect.stringContaining("127.0.0.1:1: nothing listens"),
        ago: expect.any(Number),
      },
      { name: "c", status: "unknown", error: null, ago: null },
    ]);
    const report = { database: database.label, checkedAt: "now", registrations: found };
    expect(isUnhealthy(report)).toBe(true);
    for (const shown of [JSON.stringify(report), healthAsTable(report), JSON.stringify(await columns())]) {
      expect(shown).not.toContain(CANARY);
    }
  });

  test("does not flap: a status changes after as many equal results as are asked for", async () => {
    const id = await register("a", ALIVE);
    const become = (connectionString: string) =>
      studio.query("update platform.databases set connection_string = $2 where id = $1", [id, connectionString]);
    const round = async () => (await check({ after: 3 })).map(({ result, status }) => [result, status])[0];
    expect(await round()).toEqual(["healthy", "healthy"]);
    await become(REFUSED);
    expect(await round()).toEqual(["unhealthy", "healthy"]);
    expect(await round()).toEqual(["unhealthy", "healthy"]);
    await become(ALIVE);
    expect(await round()).toEqual(["healthy", "healthy"]);
    await become(REFUSED);
    expect(await round()).toEqual(["unhealthy", "healthy"]);
    expect((await columns())[0]).toMatchObject({ status: "healthy", error: null });
    expect(await round()).toEqual(["unhealthy", "healthy"]);
    expect(await round()).toEqual(["unhealthy", "unhealthy"]);
    await become(ALIVE);
    expect(await round()).toEqual(["healthy", "unhealthy"]);
    expect((await columns())[0]?.error).toContain("nothing listens");
    await round();
    expect(await round()).toEqual(["healthy", "healthy"]);
  });

  test("waits for no dead host longer than for one, however many there are", async () => {
    const silent = await standInService("silent");
    for (let n = 0; n < 8; n++) await register(`dead ${n}`, `postgresql://me:${CANARY}@127.0.0.1:${silent.port}/shop`);
    await register("z", ALIVE);
    const started = Date.now();
    const found = await check({ timeoutMs: 700, concurrency: 9 });
    expect(Date.now() - started).toBeLessThan(2500);
    expect(found.filter(({ result }) => result === "healthy").map(({ name }) => name)).toEqual(["z"]);
    silent.stop();
  });

  test("asks no more at once than it may", async () => {
    const silent = await standInService("silent");
    for (let n = 0; n < 4; n++) await register(`dead ${n}`, `postgresql://me:pw@127.0.0.1:${silent.port}/shop`);
    const started = Date.now();
    await check({ timeoutMs: 300, concurrency: 2 });
    expect(Date.now() - started).toBeGreaterThan(590);
    silent.stop();
  });

  test("tells a string that does not open beside the others, and one that cannot be read", async () => {
    await register("a", ALIVE);
    const broken = await register("b", REFUSED);
    await register("c", `mongodb+srv://me:${CANARY}@cluster.example:1/db`, { type: "mongodb" });
    await studio.query(
      `do $$ begin
         set local session_replication_role = replica;
         update platform.databases set connection_string_encrypted = '\\x00'::bytea where id = '${broken}';
       end $$`,
    );
    const found = await check();
    expect(found.map(({ name, result }) => [name, result])).toEqual([
      ["a", "healthy"],
      ["b", "unhealthy"],
      ["c", "unhealthy"],
    ]);
    expect(found[1]?.error).toContain("does not open");
    expect(found[2]?.error).toContain("names a DNS record");
    expect(JSON.stringify(found)).not.toContain(CANARY);
  });

  test("records nothing of a round that is ended before its time", async () => {
    const silent = await standInService("silent");
    await register("a", `postgresql://me:pw@127.0.0.1:${silent.port}/shop`);
    const run = new AbortController();
    setTimeout(() => run.abort(), 150);
    expect(await check({ timeoutMs: 20_000, signal: run.signal })).toEqual([]);
    expect((await columns())[0]).toMatchObject({ status: "unknown", ago: null });
    silent.stop();
  });

  test("is refused to a role that may not decrypt, with what to do", async () => {
    const role = `reader_of_${studio.name}`;
    await studio.query(`create role ${role} login password '${CANARY}' in role studio_readonly`);
    const reader = open(role);
    await expect(check({}, reader)).rejects.toMatchObject({
      code: "PS856",
      message: expect.stringContaining("member of studio_decrypt"),
    });
    await reader.close();
    await studio.query(`drop role ${role}`);
  });

  test("is the one way for such a member to write: it may change no row and no result itself", async () => {
    await register("a", ALIVE);
    for (const sql of [
      "update platform.databases set health_check_status = 'healthy'",
      "select platform.update_database_health(gen_random_uuid(), 'healthy')",
      "delete from platform_private.database_health_results",
    ]) {
      await expect(studio.as("studio_decrypt", sql), sql).rejects.toThrow("permission denied");
    }
    await expect(
      studio.as("studio_app", "select platform.record_database_health(gen_random_uuid(), 'healthy')"),
    ).rejects.toThrow("permission denied");
    expect(
      await studio.as(
        "studio_decrypt",
        "select platform.record_database_health(gen_random_uuid(), 'healthy') as status",
      ),
    ).toEqual([{ status: null }]);
  });
});
