import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import type { GuardStep } from "../../../provider/guard/guard.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { rotateSalt } from "../../../tools/rotate/salt.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";

const CANARY = "pa55-canary-of-a-rotation";
const URL = `redis://default:${CANARY}@redis.railway.internal:6379/`;

let studio: StudioDatabase;
let projects: [string, string];
const sessions: Session[] = [];

beforeAll(async () => {
  studio = await createStudioDatabase();
  ({ projects } = await seedStudio(studio));
});
beforeEach(async () => {
  await studio.query("delete from platform.databases");
});
afterAll(async () => {
  for (const session of sessions) await session.close();
  await studio.drop();
});

const report = { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} };
const context = { urn: "", preview: false, signal: new AbortController().signal, report };

/** With a step before the change a run takes its lock. */
const STEP: GuardStep = { name: "nothing", isNeeded: () => true, run: async () => {} };

async function rotate(settings: Properties = {}, onProgress?: (rows: number) => void) {
  const session = createSession(parseConfig({ url: studio.url, ...settings }).config, { steps: [STEP] });
  try {
    return await rotateSalt(session, { context, operation: "update" }, onProgress);
  } finally {
    await session.close();
  }
}

/** Registrations whose strings end in their number, with a password and a secret in config. */
async function register(count: number, first = 1): Promise<void> {
  await studio.query(
    `insert into platform.databases (project_id, name, type, host, port, connection_string, password, config)
     select $1, 'db' || n, 'redis', 'redis.railway.internal', 6379, $2 || n, $3::text, jsonb_build_object('db', n, 'token', $3::text)
       from generate_series($4::int, $5::int) as n`,
    [projects[0], URL, CANARY, first, first + count - 1],
  );
}

/** How many registrations open as a whole with what they were given, and the key versions that they have. */
async function state() {
  const [row] = await studio.query<{ whole: number; versions: number[]; salts: string[] }>(
    `select count(*) filter (where s.connection_string = $1 || substr(d.name, 3) and s.password = $2 and s.config ->> 'token' = $2)::int as whole,
            (select array_agg(distinct v order by v) from platform.databases as e,
               unnest(array[platform_private.key_version(e.connection_string_encrypted), platform_private.key_version(e.password_encrypted),
                            platform_private.key_version(e.config_encrypted)]) as v) as versions,
            (select array_agg(name || ' ' || version order by name) from platform_private.encryption_salts) as salts
       from platform.databases as d
       join platform.decrypt_databases(array(select id from platform.databases)) as s on s.id = d.id`,
    [URL, CANARY],
  );
  return row;
}

const present = async (): Promise<number> =>
  (await studio.query<{ version: number }>("select max(version) as version from platform_private.encryption_salts"))[0]
    ?.version ?? 0;

test("all registrations get the new salt while others read and write, and nobody sees a failure", async () => {
  await register(600);
  const [old] = await studio.query<{ salt: string }>("select salt from platform_private.encryption_salts");
  const times = () =>
    studio.query("select id, updated_at from platform.databases where substr(name, 3)::int < 500 order by id");
  const before = await times();
  const version = (await present()) + 1;
  let isOn = true;
  let count = 0;
  const loop = async (sql: string, of: () => number): Promise<void> => {
    while (isOn) {
      count += 1;
      await studio.query(sql, [of()]);
    }
  };
  const any = (from: number, to: number) => () => from + Math.floor(Math.random() * (to - from));
  let last = 600;
  const next = (): number => {
    last += 1;
    return last;
  };
  const others = [
    loop(
      "select platform.decrypt_database_connection_string(id) from platform.databases where name = 'db' || $1::int",
      any(1, 600),
    ),
    loop(
      `update platform.databases set connection_string = '${URL}' || $1::int where name = 'db' || $1::int`,
      any(500, 600),
    ),
    loop(
      `insert into platform.databases (project_id, name, type, host, port, connection_string, password, config)
       values ('${projects[0]}', 'db' || $1::int, 'redis', 'h', 1, '${URL}' || $1::int, '${CANARY}', '{"token": "${CANARY}"}')`,
      next,
    ),
  ];
  const done = await rotate();
  await sleep(50);
  isOn = false;
  await Promise.all(others);
  expect(count).toBeGreaterThan(20);
  expect(done).toMatchObject({ version, isResumed: false });
  expect(done.rows).toBeGreaterThanOrEqual(600);
  expect(await state()).toEqual({ whole: last, versions: [version], salts: [`databases ${version}`] });
  expect(await times()).toEqual(before);
  const [now] = await studio.query<{ salt: string }>("select salt from platform_private.encryption_salts");
  expect(now?.salt).toHaveLength(96);
  expect(now?.salt).not.toBe(old?.salt);
});

test("a writer that began before the rotation is waited for, and its registration gets the new salt", async () => {
  await register(1);
  const version = (await present()) + 1;
  const client = await studio.pool.connect();
  await client.query("begin");
  await client.query(
    `insert into platform.databases (project_id, name, type, host, port, connection_string, password, config)
     values ($1, 'db2', 'redis', 'h', 1, $2, $3, $4)`,
    [projects[0], `${URL}2`, CANARY, { token: CANARY }],
  );
  const rotating = rotate();
  await expect.poll(async () => (await state())?.versions).toEqual([version]);
  await sleep(100);
  expect((await state())?.salts).toEqual([`databases ${version - 1}`, `databases.next ${version}`]);
  // Others write meanwhile.
  await register(1, 3);
  await client.query("commit");
  client.release();
  expect((await rotating).rows).toBe(2);
  expect(await state()).toEqual({ whole: 3, versions: [version], salts: [`databases ${version}`] });
});

test("a writer with a snapshot of before the rotation cannot use the salt that is gone", async () => {
  await register(1);
  const client = await studio.pool.connect();
  await client.query("begin isolation level repeatable read");
  await client.query("select from platform.databases");
  await rotate();
  await expect(
    client.query(
      "insert into platform.databases (project_id, name, type, host, port, connection_string) values ($1, 'late', 'redis', 'h', 1, 'redis://h')",
      [projects[0]],
    ),
  ).rejects.toMatchObject({ code: "40001" });
  await client.query("rollback");
  // One that only reads has rows and salts of one moment.
  await client.query("begin isolation level repeatable read");
  await client.query("select from platform.databases");
  await rotate();
  const { rows } = await client.query(
    "select platform_private.connection_string_of(id) as full from platform.databases",
  );
  expect(rows).toEqual([{ full: `${URL}1` }]);
  await client.query("rollback");
  client.release();
});

test("killed at any point, every registration opens, and the next run ends what was begun", async () => {
  const total = 1000;
  await register(total);
  const version = (await present()) + 1;
  const runner = join(import.meta.dirname, "rotateOnce.ts");
  // Between two batches, and at some moment after.
  for (const laterMs of [0, 60 + Math.random() * 60]) {
    const child = spawn(process.execPath, [runner, studio.url], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await sleep(laterMs);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await state()).toMatchObject({
      whole: total,
      versions: [version - 1, version],
      salts: [`databases ${version - 1}`, `databases.next ${version}`],
    });
  }
  const done = await rotate();
  expect(done.isResumed).toBe(true);
  expect(done.rows).toBeLessThan(total);
  expect(await state()).toEqual({ whole: total, versions: [version], salts: [`databases ${version}`] });
});

test("a run that was killed between its last two steps leaves the same salt twice, and the next one only tidies up", async () => {
  await register(2);
  const version = await present();
  await studio.query(
    "insert into platform_private.encryption_salts (name, salt, version) select 'databases.next', salt, version from platform_private.encryption_salts",
  );
  expect((await state())?.whole).toBe(2);
  expect(await rotate()).toMatchObject({ rows: 0, isResumed: true, version });
  expect(await state()).toEqual({ whole: 2, versions: [version], salts: [`databases ${version}`] });
});

test("two rotations at once come one after the other", async () => {
  await register(250);
  const version = await present();
  const both = await Promise.all([rotate(), rotate()]);
  expect(both.map((done) => done.version).sort()).toEqual([version + 1, version + 2]);
  expect(await state()).toEqual({ whole: 250, versions: [version + 2], salts: [`databases ${version + 2}`] });
});

/** Writes past the trigger, as a damaged disk could. */
async function forged(sql: string, values: unknown[] = []): Promise<void> {
  const client = await studio.pool.connect();
  await client.query("set session_replication_role = replica");
  await client.query(sql, values);
  await client.query("reset session_replication_role");
  client.release();
}

test("registrations of before key versions, and in plain text, have a ciphertext of today afterwards", async () => {
  await register(3);
  // The layer of before had one salt, of version 1 now.
  await forged("update platform_private.encryption_salts set version = 1");
  await forged(
    `update platform.databases set password_encrypted = null, config_encrypted = null, config = '{}',
       connection_string_encrypted = public.pgp_sym_encrypt($1 || substr(name, 3),
         encode(public.digest(project_id::text || (select salt from platform_private.encryption_salts), 'sha256'), 'hex'))`,
    [URL],
  );
  await forged(
    "update platform.databases set connection_string_encrypted = null, connection_string = $1 || '3' where name = 'db3'",
    [URL],
  );
  expect(await rotate()).toMatchObject({ rows: 3, version: 2 });
  const rows = await studio.query(
    `select platform_private.connection_string_of(id) as full, connection_string as masked, get_byte(connection_string_encrypted, 0) as form
       from platform.databases order by name`,
  );
  const masked = "redis://redis.railway.internal:6379";
  expect(rows).toEqual([1, 2, 3].map((n) => ({ full: `${URL}${n}`, masked, form: 1 })));
});

test("a registration that does not open is named, the others are done, and both salts stay until it is written again", async () => {
  await register(3);
  const version = (await present()) + 1;
  await forged(
    "update platform.databases set password_encrypted = set_byte(password_encrypted, 60, 0) where name = 'db2'",
  );
  const [broken] = await studio.query<{ id: string }>("select id from platform.databases where name = 'db2'");
  const error: unknown = await rotate().catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "PS861" });
  expect(String(error)).toContain(`1 registrations hold a ciphertext that no salt opens: ${broken?.id}. `);
  expect(String(error)).not.toContain(CANARY);
  await studio.query("update platform.databases set password = $1 where name = 'db2'", [CANARY]);
  expect(await state()).toMatchObject({ whole: 3, versions: [version - 1, version] });
  expect(await rotate()).toMatchObject({ rows: 1, isResumed: true, version });
  expect(await state()).toEqual({ whole: 3, versions: [version], salts: [`databases ${version}`] });
});

test("a registration that others hold too long stops the run, and nothing is lost", async () => {
  await register(2);
  const client = await studio.pool.connect();
  await client.query("begin; select from platform.databases where name = 'db1' for update");
  await expect(rotate({ lockLimitMs: 200 })).rejects.toMatchObject({ code: "PS302" });
  expect((await state())?.whole).toBe(2);
  await client.query("commit");
  client.release();
  expect(await rotate()).toMatchObject({ rows: 1, isResumed: true });
});

test("the row that the program holds of the salt is as desired before, during and after a rotation", async () => {
  await register(1);
  const session = createSession(parseConfig({ url: studio.url }).config, { steps: [] });
  sessions.push(session);
  const inputs = {
    table: "platform_private.encryption_salts",
    key: { name: "databases" },
    initialSecretValues: { salt: "the-salt-that-the-state-has-kept-since-the-first-update" },
  };
  const changes = () =>
    createRow(session).diff(context, { id: "salt", inputs, outputs: { ...inputs, adopted: false } }, inputs);
  await studio.query(
    "insert into platform_private.encryption_salts (name, salt, version) select 'databases.next', repeat('n', 40), version + 1 from platform_private.encryption_salts",
  );
  expect(await changes()).toEqual({ changed: false, detailed: {} });
  await rotate();
  expect(await changes()).toEqual({ changed: false, detailed: {} });
});

test("a database without a salt is told to make one first", async () => {
  await studio.query("delete from platform_private.encryption_salts");
  await expect(rotate()).rejects.toMatchObject({ code: "PS701" });
});
