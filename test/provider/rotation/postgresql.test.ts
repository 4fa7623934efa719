import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession } from "../../../provider/resources/session.ts";
import type { RotationStep } from "../../../provider/rotation/records.ts";
import { rotateSalt } from "../../../tools/rotate/salt.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";
import { Registry, startDoor } from "./rotationTrial.ts";

const PASSWORD = "pa55-canary-of-a-login";
const GROUP = `shop_${process.pid}`;
const ADMIN = `rotator_${process.pid}`;
const LOGINS = [`${GROUP}_a`, `${GROUP}_b`];

let studio: StudioDatabase;
let service: TestDatabase;
let registry: Registry;
let first: string;

/** The URL of the service for a login; by way of another port where one is given. */
function urlFor(user: string, password: string, port?: number): string {
  const url = new URL(service.url);
  url.username = user;
  url.password = password;
  if (port !== undefined) url.port = String(port);
  return url.href;
}

async function use<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const roles = async (): Promise<string[]> =>
  (
    await service.query<{ role: string }>(
      "select rolname || case when rolcanlogin then '' else ' (no login)' end as role from pg_roles where starts_with(rolname, $1) order by 1",
      [GROUP],
    )
  ).map(({ role }) => role.replace(GROUP, "shop"));

beforeAll(async () => {
  studio = await createStudioDatabase();
  const { projects } = await seedStudio(studio);
  registry = new Registry(studio, projects[0]);
  service = await createTestDatabase();
  first = urlFor(GROUP, PASSWORD);
});
beforeEach(async () => {
  await service.query(`create role ${GROUP} login password '${PASSWORD}'`);
  await service.query(
    `create schema shop authorization ${GROUP}; set role ${GROUP}; create table shop.orders (id int);
     create view shop.totals as select count(*) from shop.orders; create materialized view shop.later as select 1 with no data; reset role`,
  );
  registry.defaults = { adminConnectionString: service.url };
  await registry.register("postgresql", first);
});
afterEach(async () => {
  await service.query("drop schema shop cascade");
  await service.query(`select pg_terminate_backend(pid) from pg_stat_activity where starts_with(usename, '${GROUP}')`);
  const left = await service.query<{ role: string }>(
    "select rolname as role from pg_roles where starts_with(rolname, $1) or rolname = $2 order by 1 desc",
    [GROUP, ADMIN],
  );
  for (const { role } of left) await service.query(`drop owned by ${role}; drop role ${role}`);
});
afterAll(async () => {
  await service.drop();
  await studio.drop();
});

const ORDER: RotationStep[] = ["intended", "made", "proven", "switched", "disabled", "ended"];

/** Steps, and whether the run is killed after the step is noted or before. The switch notes itself. */
const KILLS: [RotationStep, boolean][] = [
  ["intended", true],
  ["made", false],
  ["made", true],
  ["proven", false],
  ["switched", true],
  ["disabled", false],
];

describe("a rotation of a login of PostgreSQL", () => {
  test("is refused while another registration has the same user, also of another project; one at another address is told", async () => {
    const { registrationId } = registry;
    await registry.register("postgresql", `${first}?application_name=x`, {}, { isBeside: true });
    const [beside] = [registry.registrationId];
    await studio.query(
      "update platform.databases set project_id = (select id from platform.projects where id <> $1 limit 1) where id = $2",
      [registry.projectId, beside],
    );
    registry.registrationId = registrationId;
    expect(await registry.fault()).toMatchObject({ code: "PS891", message: expect.stringContaining(beside) });
    expect(await registry.rotations()).toEqual([]);
    await studio.query("update platform.databases set host = 'other' where id = $1", [beside]);
    expect(await registry.rotate({ graceMs: 60_000 })).toMatchObject({ step: "switched" });
    // Registered since: no reader is cut off.
    await studio.query("update platform.databases set host = $2 where id = $1", [beside, new URL(first).hostname]);
    await studio.query("update platform_private.credential_rotations set grace = '0'");
    expect(await registry.rotate()).toMatchObject({ step: "switched" });
    const [other, waits] = registry.said.warnings.splice(0);
    expect(other).toContain("at another address");
    expect(waits).toContain("it stays valid because it is registered as");
    expect(await roles()).toEqual(["shop", "shop_a"]);
    await studio.query("delete from platform.databases where id = $1", [beside]);
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
  });

  test("lets a client that asks the registry every 10 ms go on, through two rotations", async () => {
    const clients = registry.useEvery10Ms((connectionString) =>
      use(connectionString, async (client) => {
        await client.query("insert into shop.orders values (1)");
        await client.query("select count(*) from shop.orders");
      }),
    );
    expect(await registry.rotate({ graceMs: 500 })).toMatchObject({ step: "switched", user: LOGINS[0] });
    expect(await roles()).toEqual(["shop", "shop_a"]);
    await expect.poll(async () => (await registry.rotate({ begins: false })).step).toBe("ended");
    expect(await roles()).toEqual(["shop (no login)", "shop_a"]);
    await registry.rotate({ graceMs: 500 });
    await expect.poll(async () => (await registry.rotate({ begins: false })).step).toBe("ended");
    const { uses, faults } = await clients.stop();
    expect(faults).toEqual([]);
    expect(uses).toBeGreaterThan(30);
    // The login that a rotation made is gone, and the group has what all of them did.
    expect(await roles()).toEqual(["shop (no login)", "shop_b"]);
    expect(registry.said.warnings.splice(0)).toEqual([]);
  });

  test("leaves ownership with the group, also of what a login makes, and takes settings along", async () => {
    await service.query(`alter role ${GROUP} set search_path to shop, "$user", public`);
    await service.query(`alter role ${GROUP} in database ${service.name} set work_mem = '5MB'`);
    await registry.rotate();
    const shown = await use(await registry.registered(), async (client) => {
      await client.query("create table made_by_login (id int)");
      return (await client.query("select current_setting('search_path') as path, current_setting('work_mem') as mem"))
        .rows[0];
    });
    expect(shown).toEqual({ path: 'shop, "$user", public', mem: "5MB" });
    await registry.rotate();
    const owners = await service.query(
      "select tableowner from pg_tables where schemaname = 'shop' group by tableowner",
    );
    expect(owners).toEqual([{ tableowner: GROUP }]);
    await use(await registry.registered(), (client) => client.query("drop table made_by_login"));
  });

  test("killed after any step, or before it is noted, is ended by the next run with the same password", async () => {
    for (const [step, isNoted] of KILLS) {
      await registry.killed(step);
      const [before] = (await registry.rotations()).slice(-1);
      if (!isNoted) {
        await studio.query("update platform_private.credential_rotations set step = $1 where step = $2", [
          ORDER[ORDER.indexOf(step) - 1],
          step,
        ]);
      }
      expect(await registry.rotate()).toMatchObject({ step: "ended", user: before?.new_username });
      expect(await registry.registered()).toBe(before?.successor);
      await use(await registry.registered(), (client) => client.query("insert into shop.orders values (1)"));
      expect((await roles()).filter((role) => !role.includes("no login"))).toHaveLength(1);
    }
    expect((await registry.rotations()).every(({ step }) => step === "ended")).toBe(true);
  });

  test("killed by SIGKILL is ended by the next run", async () => {
    const args = [join(import.meta.dirname, "rotateOnce.ts"), studio.url, registry.registrationId, service.url];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    for await (const said of child.stdout) if (String(said).includes("made")) child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
    const [before] = await registry.rotations();
    expect(before?.step).toBe("made");
    expect(await registry.registered()).toBe(first);
    await expect.poll(() => registry.rotate().catch(String)).toMatchObject({ step: "ended" });
    expect(await registry.registered()).toBe(before?.successor);
  });

  test("is one where two runs begin it at once", async () => {
    const faults: unknown[] = [];
    await Promise.all([1, 2, 3].map(() => registry.rotate({ graceMs: 60_000 }).catch((error) => faults.push(error))));
    for (const fault of faults) expect(fault).toMatchObject({ code: "PS874" });
    expect(await registry.rotations()).toHaveLength(1);
    expect(await registry.lastStep()).toBe("switched");
  });

  test("does not switch to a login that may do less, and goes on when that is mended", async () => {
    await registry.killed("made");
    await service.query(`alter role ${LOGINS[0]} reset role`);
    const fault = await registry.fault();
    expect(fault).toMatchObject({ code: "PS875" });
    expect(fault.message).toContain(`the role "${GROUP}"`);
    expect(await registry.registered()).toBe(first);
    // The next run makes it once more; a login that the server refuses is told as well.
    await registry.killed("made");
    await service.query(`alter role ${LOGINS[0]} nologin`);
    expect((await registry.fault()).message).toContain("refuses the login");
    expect(await registry.registered()).toBe(first);
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
  });

  test("stops where the service is down, at any step, and goes on when it is there again", async () => {
    const { port } = new URL(service.url);
    const door = await startDoor(Number(port));
    registry.defaults = { adminConnectionString: urlFor("postgres", new URL(service.url).password, door.port) };
    await registry.register("postgresql", urlFor(GROUP, PASSWORD, door.port));
    door.close();
    expect(await registry.fault()).toMatchObject({
      code: "PS872",
      message: expect.stringContaining("Nothing was changed"),
    });
    expect(await registry.rotations()).toEqual([]);
    for (const step of ORDER.slice(0, 5)) {
      door.open();
      await registry.killed(step);
      const [before] = await registry.rotations();
      door.close();
      if (step === "proven" || step === "disabled") continue;
      const fault = await registry.fault();
      expect(fault.code).toBe("PS872");
      expect(fault.message).toContain(`after the step "${step}"`);
      expect((await registry.rotations())[0]?.successor).toBe(before?.successor);
    }
    door.open();
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
    await door.stop();
  });

  test("begins nothing with an admin that is refused or lacks rights", async () => {
    const url = (user: string, password = PASSWORD) => urlFor(user, password);
    expect(await registry.fault({ adminConnectionString: url(GROUP, "wrong-canary") })).toMatchObject({
      code: "PS873",
    });
    const own = await registry.fault({ adminConnectionString: undefined });
    // What it says can be done: no role is granted to itself.
    const advice =
      Number(process.env.PGSTRATA_TEST_MAJOR ?? 18) < 16 ? "CREATEROLE" : "make another one that manages it";
    expect(own).toMatchObject({ code: "PS873", message: expect.stringContaining(advice) });
    await service.query(`alter role ${GROUP} superuser`);
    await service.query(`create role ${ADMIN} login createrole password '${PASSWORD}'`);
    expect((await registry.fault({ adminConnectionString: url(ADMIN) })).message).toContain("it lacks SUPERUSER");
    expect(await registry.rotations()).toEqual([]);
    // A superuser may do all by itself, and so may each login of it.
    await registry.rotate({ adminConnectionString: undefined });
    expect(await registry.rotate({ adminConnectionString: undefined })).toMatchObject({ step: "ended" });
  });

  test("of a login that is read-only unless it says otherwise ends, and its successor is so as well", async () => {
    await service.query(`alter role ${GROUP} superuser; alter role ${GROUP} set default_transaction_read_only to on`);
    await registry.rotate({ adminConnectionString: undefined });
    expect(await registry.rotate({ adminConnectionString: undefined })).toMatchObject({ step: "ended" });
    await use(await registry.registered(), async (client) => {
      await expect(client.query("insert into shop.orders values (1)")).rejects.toThrow("read-only");
    });
    await registry.killed("made", { adminConnectionString: service.url });
    await service.query(`alter role ${LOGINS[1]} reset default_transaction_read_only`);
    // The login of before writes now, and so does the next one once it is made again.
    expect(await registry.fault()).toMatchObject({ code: "PS875" });
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
    await use(await registry.registered(), (client) => client.query("insert into shop.orders values (1)"));
  });

  test("needs no more than CREATEROLE and ADMIN OPTION on the group", async () => {
    await service.query(`create role ${ADMIN} login createrole password '${PASSWORD}'`);
    await service.query(`grant ${GROUP} to ${ADMIN} with admin option`);
    await registry.rotate({ adminConnectionString: urlFor(ADMIN, PASSWORD) });
    expect(await roles()).toEqual(["shop (no login)", "shop_a"]);
    expect(await registry.rotate({ adminConnectionString: urlFor(ADMIN, PASSWORD) })).toMatchObject({ step: "ended" });
    expect(await roles()).toEqual(["shop (no login)", "shop_b"]);
  });

  test("names the clients that hold the old credential beyond its grace time", async () => {
    const holders = [1, 2].map(() => new pg.Client({ connectionString: first, application_name: "billing" }));
    for (const client of holders) await client.on("error", () => {}).connect();
    expect(await registry.rotate({ graceMs: 60_000 })).toMatchObject({ graceEndsAt: expect.any(String) });
    expect(registry.said.warnings).toEqual([]);
    await studio.query("update platform_private.credential_rotations set grace = '0'");
    await registry.rotate();
    expect(registry.said.warnings.splice(0)).toEqual([
      expect.stringContaining(`"${GROUP}" is over, and it is still in use: 2 connections of "billing" from 127.0.0.1`),
    ]);
    await expect(use(first, async () => {})).rejects.toMatchObject({ code: "28000" });
    for (const client of holders) await client.query("select from shop.orders");
    await Promise.all(holders.map((client) => client.end()));
  });

  test("gives up, and leaves no login behind, where a person registers another string meanwhile", async () => {
    for (const step of ["intended", "made", "proven"] as const) {
      await registry.killed(step);
      const given = `${first}?application_name=given-${step}`;
      await studio.query("update platform.databases set connection_string = $2 where id = $1", [
        registry.registrationId,
        given,
      ]);
      await registry.rotate({ begins: false });
      expect(await registry.lastStep()).toBe("abandoned");
      expect(await registry.registered()).toBe(given);
      expect(await roles()).toEqual(["shop"]);
    }
    expect(registry.said.warnings.splice(0)).toHaveLength(3);
    await registry.rotate({ graceMs: 0, killAfter: "switched" }).catch(() => undefined);
    await studio.query("update platform.databases set connection_string = $2 where id = $1", [
      registry.registrationId,
      first,
    ]);
    await registry.rotate();
    expect(await roles()).toContain("shop");
    expect(registry.said.warnings.splice(0)).toEqual([expect.stringContaining("was registered again")]);
  });

  test("keeps the user of adminConnectionString valid", async () => {
    await service.query(`alter role ${GROUP} superuser`);
    await registry.rotate({ adminConnectionString: first });
    expect(await roles()).toEqual(["shop", "shop_a"]);
    expect(registry.said.warnings.splice(0)).toEqual([expect.stringContaining("is the user of adminConnectionString")]);
  });
});

describe("an update with the connection string of before a rotation", () => {
  const row = (connectionString: string): Properties => ({
    table: "platform.databases",
    key: { id: registry.registrationId },
    values: { username: new URL(connectionString).username },
    secretValues: { connection_string: connectionString },
    compareWith: { connection_string: "platform_private.connection_string_of(id)" },
    accepts: {
      connection_string: "platform_private.rotation_note(id, {connection_string})",
      username: "platform_private.rotation_note(id, {connection_string})",
    },
  });

  async function renewSalt(): Promise<void> {
    const session = createSession(parseConfig({ url: studio.url }).config, { steps: [] });
    const report = { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} };
    const context = { urn: "", preview: false, signal: new AbortController().signal, report };
    await rotateSalt(session, { context, operation: "update" });
    await session.close();
  }

  async function up(connectionString: string) {
    const session = createSession(parseConfig({ url: studio.url }).config, { steps: [] });
    const infos: string[] = [];
    const report = {
      info: (text: string) => void infos.push(text),
      warn: () => {},
      status: () => {},
      plan: async () => {},
    };
    const context = { urn: "", preview: false, signal: new AbortController().signal, report };
    try {
      const resource = createRow(session);
      const inputs = row(connectionString);
      const { changed } = await resource.diff(context, { id: "row", inputs, outputs: {} }, inputs);
      if (changed) await resource.update(context, { id: "row", inputs, outputs: {} }, inputs);
      return { changed, infos };
    } finally {
      await session.close();
    }
  }

  test("leaves the rotated one in place and says so, also after a second rotation and a new salt", async () => {
    expect(await up(first)).toEqual({ changed: false, infos: [] });
    await registry.rotate();
    await registry.rotate();
    const rotated = await registry.registered();
    expect(await up(first)).toEqual({
      changed: false,
      infos: [expect.stringMatching(/was rotated away on .* of user shop_\d+_b/)],
    });
    await registry.killed("made");
    await renewSalt();
    expect((await up(first)).changed).toBe(false);
    expect(await registry.registered()).toBe(rotated);
    // The one that is open goes on with the password that it has.
    const successor = (await registry.rotations()).at(-1)?.successor;
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
    expect(await registry.registered()).toBe(successor);
  });

  test("writes a new one that a person gives, with its user", async () => {
    await registry.rotate();
    const given = urlFor("another", "given-by-a-person");
    expect(await up(given)).toEqual({ changed: true, infos: expect.any(Array) });
    expect(await registry.registered()).toBe(given);
    const [stored] = await studio.query("select username from platform.databases where id = $1", [
      registry.registrationId,
    ]);
    expect(stored).toEqual({ username: "another" });
    // What was rotated away does not come back, whatever is registered now.
    expect((await up(first)).changed).toBe(false);
  });

  test("stops where what was replaced does not open, instead of writing an old string", async () => {
    await registry.rotate();
    await studio.query(
      "update platform_private.credential_rotations set replaced_encrypted = set_byte(replaced_encrypted, 50, (get_byte(replaced_encrypted, 50) + 1) % 256) where database_id = $1",
      [registry.registrationId],
    );
    const rotated = await registry.registered();
    await expect(up(first)).rejects.toThrow(/does not open/);
    expect(await registry.registered()).toBe(rotated);
  });
});

test("no password is in what was said, in the table of rotations, or in what the service remembers of statements", async () => {
  await registry.rotate();
  const password = new URL(await registry.registered()).password;
  const [table] = await studio.query<{ text: string }>(
    "select string_agg(r::text, '') as text from platform_private.credential_rotations as r",
  );
  const [activity] = await service.query<{ text: string }>(
    "select string_agg(query, '') as text from pg_stat_activity where query not like '%string_agg%'",
  );
  const { infos, warnings, errors } = registry.said;
  for (const text of [JSON.stringify([infos, warnings, errors]), table?.text, activity?.text]) {
    for (const secret of [PASSWORD, password, "wrong-canary"]) expect(text).not.toContain(secret);
  }
});
