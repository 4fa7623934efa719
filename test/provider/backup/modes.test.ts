import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { listBackups } from "../../../provider/backup/backupFiles.ts";
import { type CallContext, type Properties, type ResourceState, UNKNOWN } from "../../../provider/core/resourceType.ts";
import { createBackup } from "../../../provider/resources/backup/backup.ts";
import { createLayer } from "../../../provider/resources/layer/layer.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { backupFolders, filesIn, runBackup, withPrograms } from "../../support/backups.ts";
import { createTestRole, type TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { defaults, project } from "../../support/layerHarness.ts";

const fresh = freshDatabases();
const newFolder = backupFolders();
const TABLE = "create schema app; create table app.items (id int primary key, name text);";
const LARGER = TABLE.replace("name text", "name text, more int");

let database: TestDatabase;
let folder: string;
let putBack: (() => void) | undefined;
const open: Session[] = [];

beforeEach(async () => {
  database = await fresh();
  folder = await newFolder();
});
afterEach(async () => {
  putBack?.();
  putBack = undefined;
  await Promise.all(open.splice(0).map((session) => session.close()));
});

describe("the mode copy", () => {
  const copies: string[] = [];
  afterAll(async () => {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: inject("serverUrl") });
    await client.connect();
    for (const name of copies) await client.query(`drop database if exists "${name}"`);
    await client.end();
  });

  const take = async (settings = {}) => {
    await database.pool.query("select 1").catch(() => undefined);
    await closeIdle();
    return runBackup({ url: database.url, settings: { mode: "copy", folder, ...settings } });
  };
  /** Sessions of this test itself. */
  const closeIdle = async (): Promise<void> => {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: inject("serverUrl") });
    await client.connect();
    await client.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = $1", [
      database.name,
    ]);
    await client.end();
  };

  test("makes a database with the same rows, and keeps as many as are kept", async () => {
    await database.query(`${TABLE} insert into app.items select n from generate_series(1, 100) n`);
    const { report } = await take();
    const record = report.record;
    if (record?.mode !== "copy") throw new Error("no copy");
    copies.push(record.copy);
    expect(record.copy).toMatch(new RegExp(`^${database.name}_backup_\\d{8}t\\d{6}z$`));
    expect(record.rows['"app"."items"']?.count).toBe(100);
    expect(await filesIn(folder)).toEqual([`${record.name}.json`]);

    await new Promise((resolve) => setTimeout(resolve, 1100));
    const next = (await take({ keep: 1 })).report.record;
    if (next?.mode !== "copy") throw new Error("no copy");
    copies.push(next.copy);
    const names = await database.query<{ datname: string }>("select datname from pg_database where datname ^@ $1", [
      `${database.name}_`,
    ]);
    expect(names.map(({ datname }) => datname)).toEqual([next.copy]);
    expect((await listBackups(folder)).map(({ record: { name } }) => name)).toEqual([next.name]);
  });

  test("is refused while a session is on the database, which is named", async () => {
    await database.query(TABLE);
    const client = await database.pool.connect();
    await client.query("set application_name = 'a shop'");
    const taken = runBackup({ url: database.url, settings: { mode: "copy", folder } });
    await expect(taken).rejects.toMatchObject({
      code: "PS816",
      message: expect.stringMatching(/process \d+ of postgres \(a shop\)/),
    });
    client.release();
    expect(await database.query("select 1 from pg_database where datname ^@ $1", [`${database.name}_`])).toEqual([]);
  });

  test("is refused to a role that may not make databases", async () => {
    const role = await createTestRole();
    await closeIdle();
    const taken = runBackup({ url: database.urlFor(role), settings: { mode: "copy", folder } });
    await expect(taken).rejects.toMatchObject({ code: "PS816", message: expect.stringContaining("CREATEDB") });
    await role.drop();
  });
});

describe("the mode external", () => {
  const take = (command: string, maxAgeHours = 24) =>
    runBackup({ url: database.url, settings: { mode: "external", folder, command, maxAgeHours } });
  const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();

  test.each([
    ["as it stands", (time: string) => `echo ${time}`],
    ["on the last line", (time: string) => `echo looking; echo; echo ' ${time} '`],
    ["in another zone", (time: string) => `echo ${time.replace("Z", "+00:00")}`],
  ])("believes a time %s", async (_name, command) => {
    const time = ago(3);
    const { report } = await take(command(time));
    expect(report.record).toMatchObject({ mode: "external", takenAt: time });
    expect(await filesIn(folder)).toEqual([]);
  });

  test.each([
    ["an old one", `echo ${ago(25)}`, /25 hours ago\. Expected one that is at most 24 hours old/],
    ["one to come", `echo ${ago(-1)}`, /a time to come/],
    ["none", "true", /is no time as ISO 8601/],
    ["one without a zone", "echo 2026-01-31T02:00:00", /is no time as ISO 8601/],
    ["one that does not exist", "echo 2026-13-31T02:00:00Z", /is no time as ISO 8601/],
    ["one of a command that failed", `echo ${ago(1)}; exit 3`, /ended with exit code 3/],
  ])("does not believe %s, and shows no output", async (_name, command, says) => {
    const taken = take(`echo canary >&2; ${command.replace("true", "echo canary")}`);
    await expect(taken).rejects.toMatchObject({ code: "PS815", message: expect.stringMatching(says) });
    await expect(taken).rejects.not.toThrow(/canary/);
  });
});

describe("a run", () => {
  const said: string[] = [];
  const context = (preview = false): CallContext => ({
    urn: "urn:pulumi:prod::shop::pgstrata:index:Layer::app",
    preview,
    signal: new AbortController().signal,
    report: {
      info: (text) => said.push(text),
      warn: (text) => said.push(text),
      status: () => {},
      plan: async () => {},
    },
  });
  const session = (mode: "dump" | "off" = "dump"): Session => {
    const config = defaults({ url: database.url });
    const made = createSession({
      ...config,
      shadow: { url: inject("serverUrl") },
      backup: { ...config.backup, mode, folder, proof: "list" },
    });
    open.push(made);
    return made;
  };
  const put = async (within: Session, sql: string, state?: ResourceState): Promise<ResourceState> => {
    const layer = createLayer(within, project.directory);
    const { inputs } = await layer.check(context(), state?.inputs ?? {}, project.layer("app", sql));
    if (state === undefined) return { inputs, ...(await layer.create(context(), inputs)) };
    const { changed } = await layer.diff(context(), state, inputs);
    return changed ? { id: state.id, inputs, outputs: await layer.update(context(), state, inputs) } : state;
  };

  test("that changes something takes one backup before it, one that changes nothing takes none, a destroy takes one", async () => {
    const first = session();
    const state = await put(first, TABLE);
    await first.close();
    const [created] = await listBackups(folder);
    expect(created?.record).toMatchObject({ stack: "prod", project: "shop", rows: {} });
    expect(first.record.backup?.record?.name).toBe(created?.record.name);

    const same = session();
    await put(same, TABLE, state);
    expect(same.record.backup).toBeUndefined();
    expect(await listBackups(folder)).toHaveLength(1);

    await same.close();

    await createLayer(session(), project.directory).delete(context(), state);
    const backups = await listBackups(folder);
    expect(backups).toHaveLength(2);
    expect(backups[0]?.record.rows).toEqual({ '"app"."items"': { count: 0, checksum: "0" } });
  });

  test("without a backup changes nothing", async () => {
    const first = session("off");
    const state = await put(first, TABLE);
    await first.close();
    putBack = await withPrograms({ pg_dump: "exit 1" });
    const second = session();
    await expect(put(second, LARGER, state)).rejects.toMatchObject({ code: "PS812" });
    await second.close();
    await expect(createLayer(session(), project.directory).delete(context(), state)).rejects.toMatchObject({
      code: "PS812",
    });
    expect(
      await database.query("select column_name from information_schema.columns where table_schema = 'app'"),
    ).toHaveLength(2);
  });

  test("in the mode off takes none, and says so in its record", async () => {
    const within = session("off");
    await put(within, TABLE);
    expect(within.record.backup).toEqual({ mode: "off" });
    expect(await filesIn(folder)).toEqual([]);
  });

  describe("the resource Backup", () => {
    const create = async (within: Session): Promise<ResourceState> => ({
      inputs: {},
      ...(await createBackup(within).create(context(), {})),
    });

    test("keeps what the guard has taken, and stays as it is where nothing has changed", async () => {
      const within = session();
      await put(within, TABLE);
      const { outputs } = await create(within);
      const [backup] = await listBackups(folder);
      expect(outputs).toEqual({
        mode: "dump",
        takenAt: backup?.record.takenAt,
        file: join(folder, `${backup?.record.name}.dump`),
        sizeBytes: backup?.record.sizeBytes,
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        rowCounts: {},
        proof: "list",
        stateFile: "",
        warnings: expect.anything(),
      });
      const state = { id: "backup", inputs: {}, outputs };
      expect(await createBackup(session()).diff(context(), state, {})).toEqual({ changed: false, detailed: {} });
    });

    test("changes with a run that changes, and in a preview with one that would", async () => {
      const first = session();
      const layer = await put(first, TABLE);
      const state = await create(first);
      await first.close();
      const preview = session();
      const planning = createLayer(preview, project.directory);
      const { inputs } = await planning.check(context(true), layer.inputs, project.layer("app", LARGER));
      await planning.update(context(true), layer, inputs);
      expect((await createBackup(preview).diff(context(true), state, {})).changed).toBe(true);
      expect((await createBackup(preview).update(context(true), state, {})).takenAt).toBe(UNKNOWN);

      const second = session();
      await put(second, LARGER, layer);
      const backup = createBackup(second);
      expect((await backup.diff(context(), state, {})).changed).toBe(true);
      const updated = await backup.update(context(), state, {});
      expect(updated.rowCounts).toEqual({ '"app"."items"': 0 });
      expect(updated.takenAt).not.toBe(state.outputs.takenAt);
    });

    test("says what it was before where no change has needed a backup, and takes no inputs", async () => {
      const within = session();
      expect((await create(within)).outputs).toMatchObject({
        mode: "dump",
        takenAt: "",
        proof: "none",
      } satisfies Properties);
      const { failures } = await createBackup(within).check(context(), {}, { folder: "x" });
      expect(failures).toEqual([{ code: "PS601", property: "folder", reason: "unknown property; expected none" }]);
    });
  });
});

test("a folder of the user takes the backups where the settings name none", async () => {
  const home = await mkdtemp(join(tmpdir(), "pgstrata-data-"));
  const { XDG_DATA_HOME } = process.env;
  process.env.XDG_DATA_HOME = home;
  try {
    const { report } = await runBackup({ url: database.url, settings: { folder: undefined, proof: "list" } });
    expect(report.folder).toBe(join(home, "pgstrata", "backups", "shop"));
  } finally {
    if (XDG_DATA_HOME === undefined) delete process.env.XDG_DATA_HOME;
    else process.env.XDG_DATA_HOME = XDG_DATA_HOME;
    await rm(home, { recursive: true, force: true });
  }
});
