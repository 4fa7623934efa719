import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import type { CallContext, Properties, ResourceState, ResourceType } from "../../../provider/core/resourceType.ts";
import { runNumber, takeRunLock } from "../../../provider/database/runLock.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import type { Change, GuardStep } from "../../../provider/guard/guard.ts";
import { resourceTypes } from "../../../provider/resources/index.ts";
import { createLayer } from "../../../provider/resources/layer/layer.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createRows } from "../../../provider/resources/rows/rows.ts";
import { createSession, type RunOptions, type Session } from "../../../provider/resources/session.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { defaults, project } from "../../support/layerHarness.ts";

const fresh = freshDatabases();
const TABLE =
  "create schema app; create table app.items (id int primary key, name text); create index by_name on app.items (name);";
const LARGER = TABLE.replace("name text", "name text, more int");

/** The resource types that change a target, each made in a session of a run. */
const CHANGING: Record<string, (session: Session) => ResourceType> = {
  "pgstrata:index:Layer": (session) => createLayer(session, project.directory),
  "pgstrata:index:Row": createRow,
  "pgstrata:index:Rows": (session) => createRows(session, project.directory),
};
/** Those that only look. */
/** Changes the registry: tried in `test/provider/rotation/redis.test.ts`, beside a service. */
const ELSEWHERE = ["pgstrata:index:Credential"];
const LOOKING = ["pgstrata:index:Gate", "pgstrata:index:Backup", "pgstrata:index:Verification", "pgstrata:index:Probe"];

const layer = (sql: string): Properties => project.layer("app", sql);
const row = (name: string): Properties => ({ table: "app.items", key: { id: 1 }, values: { name } });
const rows = (...names: string[]): Properties => ({
  table: "app.items",
  key: ["id"],
  exclusive: true,
  rows: names.map((name, n) => ({ id: n + 1, name })),
});

/**
 * One way to come to a change: what is there before, what somebody else does to it, and what is desired
 * then.
 */
interface Way {
  type: string;
  before?: () => Properties;
  drift?: string;
  /** Undefined for a deletion. */
  after?: () => Properties;
}

const WAYS: Record<string, Way> = {
  "a layer is created": { type: "Layer", after: () => layer(TABLE) },
  "a layer is changed": { type: "Layer", before: () => layer(TABLE), after: () => layer(LARGER) },
  "drift of a layer is repaired": {
    type: "Layer",
    before: () => layer(TABLE),
    drift: "drop index app.by_name",
    after: () => layer(TABLE),
  },
  "a layer is deleted": { type: "Layer", before: () => layer(TABLE) },
  "a row is created": { type: "Row", after: () => row("one") },
  "a row is changed": { type: "Row", before: () => row("one"), after: () => row("two") },
  "drift of a row is repaired": {
    type: "Row",
    before: () => row("one"),
    drift: "update app.items set name = 'other'",
    after: () => row("one"),
  },
  "a row is inserted again": {
    type: "Row",
    before: () => row("one"),
    drift: "delete from app.items",
    after: () => row("one"),
  },
  "a row is deleted": { type: "Row", before: () => row("one") },
  "rows are created": { type: "Rows", after: () => rows("one", "two") },
  "rows are changed": { type: "Rows", before: () => rows("one", "two"), after: () => rows("one", "other") },
  "drift of rows is repaired": {
    type: "Rows",
    before: () => rows("one"),
    drift: "update app.items set name = 'other'",
    after: () => rows("one"),
  },
  "rows that are not in a set are deleted": {
    type: "Rows",
    before: () => rows("one"),
    drift: "insert into app.items values (7, 'more')",
    after: () => rows("one"),
  },
  "rows are deleted": { type: "Rows", before: () => rows("one") },
};

let database: TestDatabase;
const open: Session[] = [];

beforeEach(async () => {
  database = await fresh();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
});

function session(options: RunOptions): Session {
  const made = createSession({ ...defaults({ url: database.url }), shadow: { url: inject("serverUrl") } }, options);
  open.push(made);
  return made;
}

const warnings: string[] = [];
const infos: string[] = [];
const context: CallContext = {
  urn: "urn:pulumi:test::test::pgstrata:index:Layer::test",
  preview: false,
  signal: new AbortController().signal,
  report: {
    info: (text) => infos.push(text),
    warn: (text) => warnings.push(text),
    status: () => {},
    plan: async () => {},
  },
};

/** What is there before the change of a way. */
async function prepare({ type, before, drift }: Way): Promise<ResourceState | undefined> {
  if (type !== "Layer") await database.query(TABLE);
  const state = before && (await put(make(type, session({})), before()));
  if (drift !== undefined) await database.query(drift);
  return state;
}

async function change({ type, after }: Way, state: ResourceState | undefined, within: Session): Promise<void> {
  const changing = make(type, within);
  if (after !== undefined) await put(changing, after(), state);
  else if (state !== undefined) await changing.delete(context, state);
}

function make(type: string, within: Session): ResourceType {
  const made = CHANGING[`pgstrata:index:${type}`]?.(within);
  if (made === undefined) throw new Error(`no type ${type}`);
  return made;
}

async function put(type: ResourceType, properties: Properties, state?: ResourceState): Promise<ResourceState> {
  const { inputs, failures } = await type.check(context, state?.inputs ?? {}, properties);
  expect(failures).toEqual([]);
  if (state === undefined) return { inputs, ...(await type.create(context, inputs)) };
  expect((await type.diff(context, state, inputs)).changed).toBe(true);
  return { id: state.id, inputs, outputs: await type.update(context, state, inputs) };
}

/** All that a change could have touched: relations and their columns, rows, notes in large objects. */
async function everything(): Promise<unknown[]> {
  const relations = await database.query<{ name: string }>(
    `select c.relname as name, a.attname as column from pg_class c left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
      where c.relnamespace = (select oid from pg_namespace where nspname = 'app') order by 1, a.attnum`,
  );
  const notes = await database.query("select oid, lomowner from pg_largeobject_metadata order by oid");
  const isThere = relations.some(({ name }) => name === "items");
  return [relations, notes, isThere ? await database.query("select * from app.items order by id") : []];
}

const NO = "the guard says no";
const refusing = (): GuardStep & { asked: Change[] } => {
  const asked: Change[] = [];
  return {
    asked,
    name: "a test",
    isNeeded: () => true,
    run: async (change) => {
      asked.push(change);
      throw new UserError("PS601", NO);
    },
  };
};
const passing = (isNeeded = true): GuardStep & { passed: Change[] } => {
  const passed: Change[] = [];
  return { passed, name: "a test", isNeeded: () => isNeeded, run: async (change) => void passed.push(change) };
};

describe("each change of the target goes through the guard", () => {
  test("each resource type is one that changes the target, or one that is known only to look", () => {
    expect([...Object.keys(CHANGING), ...LOOKING, ...ELSEWHERE].sort()).toEqual(Object.keys(resourceTypes).sort());
    expect(new Set(Object.values(WAYS).map(({ type }) => `pgstrata:index:${type}`))).toEqual(
      new Set(Object.keys(CHANGING)),
    );
  });

  test.each(Object.entries(WAYS))("%s: a guard that says no stops it, and nothing has changed", async (_, way) => {
    const state = await prepare(way);
    const before = await everything();
    const step = refusing();
    await expect(change(way, state, session({ steps: [step] }))).rejects.toThrow(NO);
    expect(await everything()).toEqual(before);
    expect(step.asked).toHaveLength(1);
  });

  test.each(Object.entries(WAYS))("%s: without its call of the guard nothing would stop it", async (_, way) => {
    const state = await prepare(way);
    const before = await everything();
    const within = session({ steps: [refusing()] });
    within.guard.guarded = (_change, work) => work(() => {});
    await change(way, state, within);
    expect(await everything()).not.toEqual(before);
  });

  test.each(Object.entries(WAYS))("%s: where the guard passes it is made, and counted once", async (_, way) => {
    const state = await prepare(way);
    const before = await everything();
    const step = passing();
    const within = session({ steps: [step] });
    await change(way, state, within);
    expect(await everything()).not.toEqual(before);
    expect(step.passed.map(({ operation }) => operation)).toEqual([
      way.after === undefined ? "delete" : state === undefined ? "create" : "update",
    ]);
    expect(within.guard.changes.made).toBe(1);
  });
});

describe("the guard is asked once a run", () => {
  test("steps pass before the first change only, in their order, and only those that the change needs", async () => {
    const told: string[] = [];
    const step = (name: string, isNeeded = true): GuardStep => ({
      name,
      isNeeded: () => isNeeded,
      run: async () => void told.push(name),
    });
    const within = session({ steps: [step("gate"), step("spared", false), step("backup")] });
    await put(make("Layer", within), layer(TABLE));
    await put(make("Row", within), row("one"));
    expect(told).toEqual(["gate", "backup"]);
    expect(within.guard.changes.made).toBe(2);
  });

  test("a run that finds everything in place asks nothing and takes no lock", async () => {
    const state = await put(make("Layer", session({})), layer(TABLE));
    await database.query("insert into app.items values (1, 'one')");
    const step = refusing();
    const within = session({ steps: [step] });
    await make("Layer", within).update(context, state, state.inputs);
    await put(make("Row", within), row("one"));
    expect(step.asked).toEqual([]);
    expect(within.guard.changes.made).toBe(0);
    expect(await locksOfRuns()).toEqual([]);
  });

  test("what has been refused stays refused, without being asked again", async () => {
    const step = refusing();
    const within = session({ steps: [step] });
    await expect(put(make("Layer", within), layer(TABLE))).rejects.toThrow(NO);
    await expect(put(make("Layer", within), layer(TABLE))).rejects.toThrow(NO);
    expect(step.asked).toHaveLength(1);
  });

  test("steps run with no transaction open and no lock held on a table", async () => {
    await database.query(TABLE);
    await database.query("insert into app.items values (1, 'one')");
    let seen: unknown;
    const step: GuardStep = {
      name: "a test",
      isNeeded: () => true,
      run: async () => {
        seen = await database.query(
          `select state from pg_stat_activity where datname = current_database() and application_name = 'pgstrata' and state <> 'idle'
            union all select mode from pg_locks where relation = 'app.items'::regclass`,
        );
      },
    };
    await put(make("Row", session({ steps: [step] })), row("two"));
    expect(seen).toEqual([]);
  });
});

describe("two runs on one database", () => {
  const run = (): Session => session({ steps: [passing()] });

  test("the second one waits until the first one has ended, and guards anew", async () => {
    const first = run();
    await put(make("Layer", first), layer(TABLE));
    const step = passing();
    const second = session({ steps: [step] });
    let isDone = false;
    const change = put(make("Row", second), row("one")).then(() => {
      isDone = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(isDone).toBe(false);
    expect(step.passed).toEqual([]);
    expect(infos.join("\n")).toMatch(
      /another run changes this database \(process \d+ of role \w+ from .*\); waiting for its end/,
    );
    // The first one goes on meanwhile.
    await put(make("Row", first), { ...row("two"), key: { id: 2 } });
    await first.close();
    await change;
    expect(step.passed).toHaveLength(1);
  });

  test("providers that one engine has started do not wait for one another", async () => {
    const one = session({ steps: [passing()], engineAddress: "127.0.0.1:1" });
    const other = session({ steps: [passing()], engineAddress: "127.0.0.1:1" });
    await put(make("Layer", one), layer(TABLE));
    await put(make("Row", other), row("one"));
    expect(await database.query("select * from app.items")).toHaveLength(1);
  });

  test("a run whose lock was cut passes the guard again before its next change", async () => {
    const step = passing();
    const within = session({ steps: [step] });
    await put(make("Layer", within), layer(TABLE));
    await database.query(
      "select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 2 and database = (select oid from pg_database where datname = current_database())",
    );
    await expect.poll(locksOfRuns).toEqual([]);
    await put(make("Row", within), row("one"));
    expect(step.passed).toHaveLength(2);
    expect(warnings.join("\n")).toContain("the connection that kept other runs away was lost");
  });

  test("a wait without an end names who holds the lock", async () => {
    const target = openDatabase({ url: database.url });
    if (target === undefined) throw new Error("no database");
    const lock = await takeRunLock(target, runNumber(undefined), context);
    await expect(takeRunLock(target, runNumber(undefined), context, { limitMs: 50, pollMs: 20 })).rejects.toThrow(
      /Waited 0 s for another run on this database: process \d+ of role \w+ from/,
    );
    await lock.release();
    await (await takeRunLock(target, runNumber(undefined), context, { limitMs: 50, pollMs: 20 })).release();
    await target.close();
  });
});

const locksOfRuns = () =>
  database.query(
    "select from pg_locks where locktype = 'advisory' and objsubid = 2 and database = (select oid from pg_database where datname = current_database())",
  );
