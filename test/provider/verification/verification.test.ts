import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { PartialFailure } from "../../../provider/core/errors.ts";
import type { CallContext, Properties, ResourceState, ResourceType } from "../../../provider/core/resourceType.ts";
import { createLayer } from "../../../provider/resources/layer/layer.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { createVerification } from "../../../provider/resources/verification/verification.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { defaults, project } from "../../support/layerHarness.ts";

const fresh = freshDatabases();
const TABLE = "create schema app; create table app.items (id int primary key, name text);";
const WIDER = TABLE.replace("name text", "name text, more int");
const COUNT = `
-- check: items.few
select 'items.few' as name, case when count(*) < 3 then 'PASS' when count(*) < 5 then 'WARNING' else 'FAIL' end as status,
  count(*) || ' items' as measured, 'fewer than 3' as expected
from app.items;
`;

let database: TestDatabase;
const open: Session[] = [];
const said: string[] = [];

beforeEach(async () => {
  database = await fresh();
  said.length = 0;
  project.write("checks/items.sql", COUNT);
  project.write("timings/items.sql", "-- query: items\nselect * from app.items limit 10;\n");
});
afterEach(closeAll);

async function closeAll(): Promise<void> {
  await Promise.all(open.splice(0).map((session) => session.close()));
}

/** One run of the provider, after the end of the one before it: it would wait for that. */
async function run(): Promise<Session> {
  await closeAll();
  const session = createSession(
    {
      ...defaults({ url: database.url }),
      shadow: { url: inject("serverUrl") },
      baseline: { schemas: ["app"], queries: ["timings"] },
    },
    { projectDirectory: project.directory },
  );
  open.push(session);
  return session;
}

const contextOf = (name: string, preview = false): CallContext => ({
  urn: `urn:pulumi:prod::shop::pgstrata:index:Verification::${name}`,
  preview,
  signal: new AbortController().signal,
  report: { info: (text) => said.push(text), warn: (text) => said.push(text), status: () => {}, plan: async () => {} },
});

async function put(type: ResourceType, news: Properties, state?: ResourceState): Promise<ResourceState> {
  const context = contextOf("test");
  const { inputs, failures } = await type.check(context, state?.inputs ?? {}, news);
  expect(failures).toEqual([]);
  if (state === undefined) return { inputs, ...(await type.create(context, inputs)) };
  return { id: state.id, inputs, outputs: await type.update(context, state, inputs) };
}

const layer = (sql: string, more: Properties = {}): Properties => project.layer("app", sql, more);
const row = (id: number, name: string): Properties => ({ table: "app.items", key: { id }, values: { name } });
const CHECKS: Properties = { checks: ["checks"] };
const STILL: Properties = { ...CHECKS, otherWriters: false };

type Answer = { name: string; status: string; measured: string; expected: string };
const answers = ({ outputs }: { outputs: Properties }): Answer[] => JSON.parse(JSON.stringify(outputs.report));
const answer = (state: { outputs: Properties }, name: string): Answer | undefined =>
  answers(state).find((each) => each.name === name);

/** What is left in the state by a verification that fails. */
async function failing(work: Promise<unknown>): Promise<PartialFailure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PartialFailure) return error;
  throw new Error(`expected a partial failure, found ${String(error)}`);
}

/** The table with rows, and the state of its layer. */
async function filled(rows: number): Promise<ResourceState> {
  const state = await put(createLayer(await run(), project.directory), layer(TABLE));
  await database.query("insert into app.items select n, 'name ' || n from generate_series(101, 100 + $1) n", [rows]);
  return state;
}

describe("when it is due", () => {
  const isDue = async (session: Session, state: ResourceState, news = state.inputs): Promise<boolean> =>
    (await createVerification(session).diff(contextOf("test"), state, news)).changed;

  test("a run that changes nothing shows no difference, and one that changes something does", async () => {
    await filled(1);
    const state = await put(createVerification(await run()), CHECKS);
    const idle = await run();
    expect(await isDue(idle, state)).toBe(false);
    await put(createRow(idle), row(1, "one"));
    expect(await isDue(idle, state)).toBe(true);
  });

  test("a preview that plans a change shows that a verification will follow", async () => {
    await filled(1);
    const state = await put(createVerification(await run()), CHECKS);
    const previewed = await run();
    await createRow(previewed).create(contextOf("row", true), row(1, "one"));
    expect(await isDue(previewed, state)).toBe(true);
    const { outputs } = await createVerification(previewed).create(contextOf("verification", true), CHECKS);
    expect(typeof outputs.result).toBe("symbol");
  });

  test("other inputs, other checks and a result of FAIL make it due without a change", async () => {
    await filled(1);
    const state = await put(createVerification(await run()), CHECKS);
    expect(await isDue(await run(), state, { ...CHECKS, desired: "other" })).toBe(true);
    expect(await isDue(await run(), { ...state, outputs: { ...state.outputs, result: "FAIL" } })).toBe(true);
    project.write("checks/items.sql", COUNT.replace("< 3", "< 4"));
    expect(await isDue(await run(), state)).toBe(true);
    project.write("checks/items.sql", `-- Another comment.\n${COUNT}`);
    expect(await isDue(await run(), state)).toBe(false);
  });
});

describe("what it says", () => {
  test("PASS and WARNING let the update through, and a warning is told", async () => {
    await filled(1);
    const passed = await put(createVerification(await run()), CHECKS);
    expect(passed.outputs).toMatchObject({ result: "PASS", checks: ["checks"] });
    expect(answer(passed, "items.few")).toEqual({
      name: "items.few",
      status: "PASS",
      measured: "1 items",
      expected: "fewer than 3",
    });
    await database.query("insert into app.items values (1), (2), (3)");
    const warned = await put(createVerification(await run()), CHECKS, passed);
    expect(warned.outputs.result).toBe("WARNING");
    expect(said).toContain("items.few: found 4 items, expected fewer than 3");
  });

  test("lints of the schemas that are named are among the checks: ERROR is FAIL, WARNING is WARNING, INFO is counted", async () => {
    await filled(1);
    const LINTED: Properties = { ...CHECKS, lintSchemas: ["app"] };
    const clean = await put(createVerification(await run()), LINTED);
    expect(answer(clean, "lint")).toMatchObject({
      status: "PASS",
      measured: expect.stringMatching(/^\d+ lints, 0 findings, /),
    });
    await database.query("create table app.more (at timestamp, name varchar(3)); create table app.left (id int)");
    await database.query("comment on table app.left is 'lint-ignore PGL304: of another system'");
    const warned = await put(createVerification(await run()), LINTED, clean);
    expect(warned.outputs.result).toBe("WARNING");
    expect(answer(warned, "lint")?.measured).toMatch(/ lints, 3 findings, 1 of them INFO; 1 exempt$/);
    expect(answers(warned).filter(({ name }) => name.startsWith("lint PGL"))).toMatchObject([
      { name: "lint PGL304 app.more", status: "WARNING" },
      { name: "lint PGL401 app.more.at", status: "WARNING", measured: expect.stringContaining("without-zone") },
    ]);
    await database.query("grant create on schema app to public");
    const { state } = await failing(put(createVerification(await run()), LINTED, warned));
    expect(answer(state, "lint PGL206 app")).toMatchObject({
      status: "FAIL",
      expected: "REVOKE CREATE ON SCHEMA app FROM PUBLIC;",
    });
    const without = await put(createVerification(await run()), CHECKS);
    expect(answers(without).filter(({ name }) => name.startsWith("lint"))).toEqual([]);
  });

  test("FAIL fails the update with the line that goes back, and leaves its report for the state", async () => {
    await filled(7);
    const { message, code, state } = await failing(put(createVerification(await run()), CHECKS));
    expect(code).toBe("PS822");
    expect(message).toMatch(/^1 of 2 checks FAIL:\n {2}items\.few: found 7 items, expected fewer than 3\n/);
    expect(message).toContain("npm run rollback -- last --stack prod");
    expect(state.id).toBe("verification");
    expect(state.outputs.result).toBe("FAIL");
    expect(answer(state, "items.few")?.status).toBe("FAIL");
  });

  test("after a change of a layer it names the layer that can be taken off", async () => {
    const state = await filled(7);
    const session = await run();
    await put(createLayer(session, project.directory), layer(WIDER), state);
    const { message } = await failing(put(createVerification(session), CHECKS));
    expect(message).toContain("pulumi destroy --stack prod --target 'urn:pulumi:prod::shop::");
  });

  test.each([
    [
      "an error of the server",
      "select nothing_of_the_kind",
      /column "nothing_of_the_kind" does not exist \(SQLSTATE 42703\)/,
    ],
    [
      "an error that would quote a value",
      "select 'canary'::int",
      /^the check ended with an error: the server refuses a value \(SQLSTATE 22P02\)$/,
    ],
    ["a write that is not announced", "delete from app.items", /cannot execute DELETE in a read-only transaction/],
    ["no row", "select 1 where false", /no row/],
    ["a row without a status", "select 'bad' as name, 'GOOD' as status", /no status/],
    ["a row of another name", "select 'other' as name, 'PASS' as status", /another name/],
    ["a role that does not exist", "-- as: nobody_of_the_kind\nselect 1", /role "nobody_of_the_kind" does not exist/],
  ])("%s is FAIL of the check, and the others are asked", async (_, sql, measured) => {
    await filled(1);
    project.write("checks/bad.sql", `-- check: bad\n${sql};\n`);
    try {
      const { state } = await failing(put(createVerification(await run()), CHECKS));
      expect(answer(state, "bad")).toMatchObject({ status: "FAIL", measured: expect.stringMatching(measured) });
      expect(answer(state, "items.few")?.status).toBe("PASS");
      expect(JSON.stringify(state.outputs)).not.toContain("canary");
    } finally {
      project.clear("checks/bad.sql");
    }
  });

  test("a file that is missing, ends the transaction or says a name twice stops the preview", async () => {
    const fault = async (inputs: Properties): Promise<string> => {
      const { failures } = await createVerification(await run()).check(contextOf("test"), {}, inputs);
      return failures.map(({ code, property, reason }) => `${code} ${property}: ${reason}`).join();
    };
    expect(await fault({ checks: ["nowhere"] })).toMatch(/^PS821 checks: nowhere: found no .sql file there/);
    expect(await fault({ checks: [] })).toMatch(/^PS601 checks: found none/);
    for (const [sql, said] of [
      ["-- check: a\ncommit;", "has a statement COMMIT"],
      ["select 1;", "found SQL before the first"],
      ["-- check: items.few\nselect 1;", "is in checks/items.sql too"],
      ["-- check: a\n", "has no statement"],
    ] as const) {
      project.write("other/bad.sql", sql);
      expect(await fault({ checks: ["checks", "other"] })).toContain(said);
    }
  });
});

describe("the rows before and after", () => {
  /** What a run says of rows in which something happens between baseline and verification. */
  async function rowsAfter(news: Properties, change: (session: Session) => Promise<unknown>): Promise<Answer[]> {
    const session = await run();
    await change(session);
    const verification = createVerification(session);
    const state = await put(verification, news).catch((error: unknown) => {
      if (error instanceof PartialFailure) return error.state;
      throw error;
    });
    return answers(state).filter(({ name }) => name.startsWith("rows"));
  }

  test("rows that the run itself writes are told apart", async () => {
    await filled(1);
    const found = await rowsAfter(STILL, (session) => put(createRow(session), row(1, "one")));
    expect(found).toMatchObject([
      {
        name: "rows",
        status: "PASS",
        measured: "1 tables with 2 rows are as they were; by this run: app.items +1 rows",
      },
    ]);
  });

  test.each([
    ["FAIL", STILL],
    ["WARNING", CHECKS],
  ])("a row that others have written is %s, as said of other writers", async (status, news) => {
    await filled(1);
    const found = await rowsAfter(news, async (session) => {
      await put(createRow(session), row(1, "one"));
      await database.query("insert into app.items values (2, 'other')");
    });
    expect(found).toMatchObject([
      { name: "rows", status: "PASS" },
      {
        name: "rows app.items",
        status,
        measured: "3 rows, before 1 (+2), of which this run added 1",
        expected: "2 rows",
      },
    ]);
  });

  test("a changed value is found although the number of rows is the same, also where a column was added", async () => {
    const state = await filled(2);
    const widen = (session: Session) => put(createLayer(session, project.directory), layer(WIDER), state);
    expect(await rowsAfter(STILL, widen)).toMatchObject([{ name: "rows", status: "PASS" }]);
    const wide = await put(createLayer(await run(), project.directory), layer(WIDER), state);
    const found = await rowsAfter(STILL, async (session) => {
      await put(
        createLayer(session, project.directory),
        layer(TABLE.replace("name text", "name text, more int, last int")),
        wide,
      );
      await database.query("update app.items set name = 'other' where id = 101");
    });
    expect(found[1]).toMatchObject({
      name: "rows app.items",
      status: "FAIL",
      measured: "2 rows as before, with other values",
    });
  });

  test("a table that the plan drops is told apart, and one that others drop is not", async () => {
    const two = `${TABLE} create table app.more (id int primary key);`;
    const state = await put(createLayer(await run(), project.directory), layer(two));
    const dropping = (session: Session) => put(createLayer(session, project.directory), layer(TABLE), state);
    expect(await rowsAfter(STILL, dropping)).toMatchObject([
      { status: "PASS", measured: expect.stringContaining("app.more dropped") },
    ]);
    await put(createLayer(await run(), project.directory), layer(two), state);
    const found = await rowsAfter(CHECKS, async (session) => {
      await put(createRow(session), row(1, "one"));
      await database.query("drop table app.more");
    });
    expect(found[1]).toMatchObject({ name: "rows app.more", status: "FAIL", measured: "the table is gone" });
  });

  test("rows of a renamed table, and of one that became a partition, are found again", async () => {
    await filled(3);
    await database.query("create table app.whole (id int primary key, name text) partition by range (id)");
    const found = await rowsAfter(STILL, async (session) => {
      await put(createRow(session), row(1, "one"));
      await database.query(
        "alter table app.items rename to parts; alter table app.whole attach partition app.parts default",
      );
      await database.query("create table app.items (id int primary key, name text)");
    });
    expect(found).toMatchObject([{ name: "rows", status: "PASS" }]);
    expect(found[0]?.measured).toMatch(/with 4 rows are as they were/);
  });
});

test("a table whose rows may not be seen is a warning, and stops nothing", async () => {
  await filled(1);
  const session = await run();
  await put(createRow(session), row(1, "one"));
  session.record.baseline?.tables.forEach((table) => {
    table.rows = undefined;
  });
  const state = await put(createVerification(session), CHECKS);
  expect(answer(state, "rows app.items")).toMatchObject({ status: "WARNING" });
});

test("of a query the last statement is timed, and not what prepares it", async () => {
  project.write(
    "timings/items.sql",
    "-- query: items\nselect pg_sleep(0.1), set_config('app.limit', '10', true);\nselect 1;\n",
  );
  const session = await run();
  await put(createLayer(session, project.directory), layer(TABLE));
  const medians = session.record.baseline?.timings.map(({ medianMs }) => medianMs);
  expect(medians).toHaveLength(1);
  expect(medians?.[0]).toBeLessThan(60);
});

test("the times of queries are taken before and after, and told without a time before where there is none", async () => {
  const session = await run();
  await put(createLayer(session, project.directory), layer(TABLE));
  expect(session.record.baseline?.timings).toEqual([]);
  const state = await put(createVerification(session), CHECKS);
  expect(answer(state, "time items")).toMatchObject({
    status: "PASS",
    measured: expect.stringMatching(/^\d+\.\d\d ms; no time before$/),
  });
  const later = await run();
  await put(createRow(later), row(1, "one"));
  expect(answer(await put(createVerification(later), CHECKS, state), "time items")?.measured).toMatch(/ ms, before /);
});

test("an update that makes a query slower fails", async () => {
  await filled(2);
  const session = await run();
  await put(createRow(session), row(1, "one"));
  await database.query(
    "alter table app.items rename to slow; create view app.items as select s.*, pg_sleep(0.03)::text as wait from app.slow s",
  );
  project.write("checks/items.sql", COUNT.replace("from app.items", "from app.slow"));
  const { state } = await failing(put(createVerification(session), CHECKS));
  expect(answer(state, "time items")).toMatchObject({ status: "FAIL" });
});
