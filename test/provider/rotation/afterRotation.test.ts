import pg from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type CallContext, type Properties, UNKNOWN, type Value } from "../../../provider/core/resourceType.ts";
import { createProbe } from "../../../provider/resources/probe/probe.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { archiveRegistrations, putBackRegistrations, readArchive } from "../../../tools/rollback/archive.ts";
import { tablesOf } from "../../../tools/rollback/obstacles.ts";
import { rotateSalt } from "../../../tools/rotate/salt.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";
import { Registry } from "./rotationTrial.ts";

const PASSWORD = "pa55-canary-of-an-archive";
const GROUP = `store_${process.pid}`;
const URN = "urn:pulumi:test::studio::pgstrata:index:Row::store";
/** What the state of the stack keeps. */
const KEY = "password-of-the-state-of-the-stack-0123456789";

let studio: StudioDatabase;
let service: TestDatabase;
let registry: Registry;
let first: string;
let session: Session;
let said: { infos: string[]; warnings: string[] };

const contextOf = (preview = false): CallContext => ({
  urn: URN,
  preview,
  signal: new AbortController().signal,
  report: {
    info: (text) => void said.infos.push(text),
    warn: (text) => void said.warnings.push(text),
    status: () => {},
    plan: async () => {},
  },
});

/** A registration as `RegisteredDatabase` declares it. */
const declared = (connectionString: string, name = "store"): Properties => {
  const note = "platform_private.rotation_note(id, {connection_string})";
  return {
    table: "platform.databases",
    key: { project_id: registry.projectId, type: "postgresql", name },
    values: { host: "127.0.0.1", port: 1, username: new URL(connectionString).username, status: "active" },
    secretValues: { connection_string: connectionString },
    compareWith: { connection_string: "platform_private.connection_string_of(id)" },
    accepts: { connection_string: note, username: note },
    initialValues: { health_check_status: "unknown" },
    returning: ["id"],
  };
};

async function up(connectionString: string, isAdopted = false): Promise<{ changed: boolean }> {
  const row = createRow(session);
  const inputs = declared(connectionString);
  const [there] = await studio.query("select from platform.databases where name = 'store'");
  if (there === undefined) {
    const { outputs } = await row.create(contextOf(), inputs);
    expect(outputs.adopted).toBe(isAdopted);
    const [{ id = "" } = {}] = await studio.query<{ id: string }>(
      "select id from platform.databases where name = 'store'",
    );
    expect(outputs.columns).toEqual({ id });
    registry.registrationId = id;
    return { changed: true };
  }
  const { changed } = await row.diff(contextOf(), { id: "row", inputs, outputs: {} }, inputs);
  if (changed) await row.update(contextOf(), { id: "row", inputs, outputs: {} }, inputs);
  return { changed };
}

/** The registry goes and stands again, with the salt that the program has. */
async function rollBack(key = KEY, saltAfter = KEY, adopted: string[] = []): Promise<void> {
  const own = tablesOf({ outputs: studio.states[1]?.outputs ?? {} });
  await archiveRegistrations(
    session,
    { context: contextOf(), operation: "delete" },
    { key, withSalt: true, adopted, own },
  );
  expect(await registry.rotations()).toEqual([]);
  await studio.query("insert into platform_private.encryption_salts (name, salt) values ('databases', $1)", [
    saltAfter,
  ]);
}

const undo = (key = KEY) => putBackRegistrations(session, { context: contextOf(), operation: "create" }, key);
const renewSalt = () => rotateSalt(session, { context: contextOf(), operation: "update" });
const archived = async () => (await readArchive(session, URN)).count;

async function use(connectionString: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query("insert into store.orders values (1)");
  await client.end();
}

beforeAll(async () => {
  studio = await createStudioDatabase();
  const { projects } = await seedStudio(studio);
  registry = new Registry(studio, projects[0]);
  service = await createTestDatabase();
  const url = new URL(service.url);
  url.username = GROUP;
  url.password = PASSWORD;
  first = url.href;
  await studio.query("update platform_private.encryption_salts set salt = $1", [KEY]);
});
beforeEach(async () => {
  said = { infos: [], warnings: [] };
  session = createSession(parseConfig({ url: studio.url }).config, { steps: [] });
  await service.query(
    `create role ${GROUP} login password '${PASSWORD}'; create schema store authorization ${GROUP};
     set role ${GROUP}; create table store.orders (id int); reset role`,
  );
  registry.defaults = { adminConnectionString: service.url };
  await up(first);
});
afterEach(async () => {
  await studio.query("delete from platform.databases");
  await undo().catch(() => undefined);
  await studio.query("delete from platform.databases; delete from platform_private.encryption_salts");
  await studio.query("insert into platform_private.encryption_salts (name, salt) values ('databases', $1)", [KEY]);
  await session.close();
  await service.query("drop schema store cascade");
  const left = await service.query<{ role: string }>(
    "select rolname as role from pg_roles where starts_with(rolname, $1) order by 1 desc",
    [GROUP],
  );
  for (const { role } of left) await service.query(`drop owned by ${role}; drop role ${role}`);
});
afterAll(async () => {
  await service.drop();
  await studio.drop();
});

describe("a registration whose credential was rotated, after a rollback of the registry", () => {
  test("comes back by an update with the string that took the place of the program's, and rotates on", async () => {
    await registry.rotate();
    const [living, id] = [await registry.registered(), registry.registrationId];
    await rollBack();
    await createRow(session).create(contextOf(true), declared(first));
    expect(said.infos.splice(0)).toEqual([
      `store is in the archive of a rollback, and comes back with its ID. The connection string of "${GROUP}" was rotated away: where it is the one that is given, that of "${GROUP}_a" takes its place.`,
    ]);
    await up(first);
    expect([await registry.registered(), registry.registrationId]).toEqual([living, id]);
    expect([await archived(), said.warnings]).toEqual([0, []]);
    expect(await up(first)).toEqual({ changed: false });
    expect(await registry.rotate()).toMatchObject({ step: "ended", user: `${GROUP}_b` });
    await use(await registry.registered());
    expect(await up(first)).toEqual({ changed: false });
  });

  test("goes on with a rotation that was open, with the password that it has", async () => {
    await registry.killed("made");
    const [before] = await registry.rotations();
    await rollBack();
    await up(first);
    expect(await registry.rotations()).toEqual([before]);
    expect(await registry.rotate({ begins: false })).toMatchObject({ step: "ended", user: before?.new_username });
    expect(await registry.registered()).toBe(before?.successor);
    await use(await registry.registered());
  });

  test("keeps the string that a person has given anew, and tells the old ones still", async () => {
    await registry.rotate();
    await rollBack();
    const given = first.replace(PASSWORD, "given-by-a-person");
    await up(given);
    expect(await registry.registered()).toBe(given);
    expect(await up(given)).toEqual({ changed: false });
    expect(await up(first)).toEqual({ changed: false });
  });

  test("comes back by undo where no update has made it, also with salts that were rotated before and after", async () => {
    await registry.rotate();
    await renewSalt();
    await registry.rotate({ graceMs: 60_000 });
    const [living, notes] = [await registry.registered(), await registry.rotations()];
    await rollBack();
    await renewSalt();
    expect(await undo()).toEqual({ inserted: 1, updated: 0, rotations: 2, notOpened: [], refused: [] });
    expect([await registry.registered(), await registry.rotations()]).toEqual([living, notes]);
    expect(await up(first)).toEqual({ changed: false });
    await studio.query("update platform_private.credential_rotations set grace = '0'");
    expect(await registry.rotate()).toMatchObject({ step: "ended", user: `${GROUP}_b` });
    await use(await registry.registered());
  });

  test("is registered as it is given, with a warning, where the salt does not open the archive; undo mends it", async () => {
    await registry.rotate();
    const [living, id, notes] = [await registry.registered(), registry.registrationId, await registry.rotations()];
    await rollBack(KEY, `another-${KEY}`);
    await up(first);
    expect(said.warnings.splice(0)).toEqual([
      expect.stringMatching(/store is in the archive .*was rotated away before that.*`npm run rollback -- undo`/),
    ]);
    expect([await registry.registered(), await archived()]).toEqual([first, 1]);
    // What hangs on the ID that it has until then goes along.
    await studio.query("select platform.record_database_health($1, 'unhealthy')", [registry.registrationId]);
    expect(await undo(`wrong-${KEY}`)).toMatchObject({ updated: 0, notOpened: ["store"] });
    expect([await registry.registered(), await archived()]).toEqual([first, 1]);
    expect(await undo()).toEqual({ inserted: 0, updated: 1, rotations: 1, notOpened: [], refused: [] });
    registry.registrationId = id;
    expect([await registry.registered(), await registry.rotations()]).toEqual([living, notes]);
    expect(await up(first)).toEqual({ changed: false });
    await use(living);
  });

  test("comes back from the older of two archives, and with what a rotation in between has made", async () => {
    await registry.rotate();
    const living = await registry.registered();
    await rollBack(KEY, `another-${KEY}`);
    await up(first);
    await rollBack(KEY);
    expect(await archived()).toBe(2);
    expect(await undo()).toMatchObject({ inserted: 1, rotations: 1, notOpened: [] });
    const [{ id = "" } = {}] = await studio.query<{ id: string }>("select id from platform.databases");
    registry.registrationId = id;
    expect(await registry.registered()).toBe(living);
    await registry.killed("switched", { graceMs: 60_000 });
    await rollBack(KEY, `another-${KEY}`);
    await up(living);
    await registry.killed("switched", { graceMs: 60_000 });
    const next = await registry.registered();
    await undo();
    registry.registrationId = id;
    expect(await registry.registered()).toBe(next);
    expect((await registry.rotations()).map(({ step }) => step)).toEqual(["ended", "abandoned", "switched"]);
    expect(await up(first)).toEqual({ changed: false });
  });

  test("that others have registered comes back with its rotations, though no program declares it", async () => {
    await registry.rotate();
    await studio.query("update platform.databases set name = 'by hand'");
    const living = await registry.registered();
    await rollBack();
    await up(first);
    expect(await archived()).toBe(1);
    expect(await undo()).toMatchObject({ inserted: 1, rotations: 1 });
    const [{ id = "" } = {}] = await studio.query<{ id: string }>(
      "select id from platform.databases where name = 'by hand'",
    );
    registry.registrationId = id;
    expect(await registry.registered()).toBe(living);
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
  });

  test("that the program has adopted is adopted still", async () => {
    await registry.rotate();
    const living = await registry.registered();
    await rollBack(KEY, KEY, [registry.registrationId]);
    await up(first, true);
    expect(await registry.registered()).toBe(living);
    await registry.rotate();
  });

  test("is in the archive without a secret in the clear", async () => {
    await registry.rotate();
    await registry.killed("made");
    const secrets = [PASSWORD, new URL(await registry.registered()).password, KEY];
    const open = (await registry.rotations()).map(({ successor }) => successor).filter((each) => each !== null);
    secrets.push(...open.map((each) => new URL(each).password));
    expect(secrets).toHaveLength(4);
    const digests = await studio.query<{ digest: string }>(
      "select platform_private.rotation_digest(r.id, $1) as digest from platform_private.credential_rotations as r",
      [first],
    );
    await rollBack();
    const notes = await studio.query<{ text: string }>(
      "select encode(lo_get(oid), 'escape') as text from pg_largeobject_metadata",
    );
    const text = notes.map((each) => each.text).join("\n");
    expect(text).toContain(`"${GROUP}_b"`);
    for (const secret of [...secrets, ...digests.map(({ digest }) => digest)]) expect(text).not.toContain(secret);
  });
});

describe("a probe of a registration whose credential was rotated", () => {
  const probe = (preview: boolean, given: Properties = {}) =>
    createProbe(session).create(contextOf(preview), {
      type: "postgresql",
      connectionString: first,
      mode: "require",
      access: "read",
      registration: { project: registry.projectId, name: "store" },
      ...given,
    });
  const decryptions = async (): Promise<number> =>
    (await studio.query<{ n: number }>("select count(*)::int as n from platform_audit.decryptions"))[0]?.n ?? 0;

  test("is one of the string that is registered, in preview and update, and leaves a note each time", async () => {
    await registry.rotate();
    const before = await decryptions();
    await expect(probe(true, { registration: null })).rejects.toMatchObject({ code: "PS853" });
    await probe(true);
    expect((await probe(false)).outputs).toMatchObject({ problem: "", connectionString: first });
    expect(said.infos.filter((text) => text.includes("rotated away"))).toEqual(
      Array(2).fill(expect.stringMatching(/^store: .* of user store_\d+_a, which is probed$/)),
    );
    expect(await decryptions()).toBe(before + 2);
    await service.query(`alter role ${GROUP}_a nologin`);
    await expect(probe(false)).rejects.toMatchObject({ code: "PS853" });
  });

  test("is one of the given string where that is another one, or the registration is still to be made", async () => {
    await registry.rotate();
    const before = await decryptions();
    const others: Value[] = [UNKNOWN, { project: registry.projectId, name: "another" }];
    for (const registration of others)
      await expect(probe(true, { registration })).rejects.toMatchObject({ code: "PS853" });
    const given = await registry.registered();
    await probe(false, { connectionString: given });
    const empty = createSession(parseConfig({ url: service.url }).config, { steps: [] });
    await expect(
      createProbe(empty).create(contextOf(), {
        ...{ type: "postgresql", connectionString: first, mode: "require", access: "read" },
        registration: { project: registry.projectId, name: "store" },
      }),
    ).rejects.toMatchObject({ code: "PS853" });
    await empty.close();
    expect(await decryptions()).toBe(before);
  });
});

describe("a deletion of a registration", () => {
  const remove = (connectionString: string) =>
    createRow(session).delete(contextOf(), { id: "row", inputs: declared(connectionString), outputs: {} });
  const count = async (): Promise<number> => (await studio.query("select from platform.databases")).length;

  test("takes what health checks have noted along", async () => {
    await studio.query("select platform.record_database_health($1, 'unhealthy')", [registry.registrationId]);
    await remove(first);
    expect(await count()).toBe(0);
  });

  test("is refused while the registry alone has the rotated credential, until the program has it or it may go", async () => {
    await registry.rotate();
    const living = await registry.registered();
    await expect(remove(first)).rejects.toMatchObject({
      code: "PS877",
      message: expect.stringMatching(/the one of user "store_\d+_a"\. Nothing was changed\./),
    });
    expect(await count()).toBe(1);
    await remove(living);
    expect(await count()).toBe(0);

    await up(living);
    await registry.rotate();
    const { message } = await remove(living).then(
      () => new Error("it succeeded"),
      (error: Error) => error,
    );
    for (const [statement] of message.matchAll(/(select|delete) [^;)]*(\)|')/g)) await studio.query(statement);
    await remove(living);
    expect(await count()).toBe(0);
  });

  test("names the user that a rotation has made before it could end", async () => {
    await registry.killed("made");
    await remove(first);
    expect(said.warnings).toEqual([expect.stringContaining(`the user "${GROUP}_a"`)]);
  });
});
