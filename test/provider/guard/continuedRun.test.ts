import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CallContext } from "../../../provider/core/resourceType.ts";
import { type ContinuedRun, continuedRun, continuing } from "../../../provider/database/runLock.ts";
import { createRow } from "../../../provider/resources/row/row.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { defaults, project } from "../../support/layerHarness.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.query("create table public.codes (code text primary key)");
});
afterAll(() => database.drop());

const BACKUPS = join(project.directory, "backups-asked");
const backupsAsked = async (): Promise<number> => (await readFile(BACKUPS, "utf8")).trim().split("\n").length;

const context: CallContext = {
  urn: "urn:pulumi:prod::shop::pgstrata:index:Row::r",
  preview: false,
  signal: new AbortController().signal,
  report: { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} },
};

/** A run that inserts a row; each asks for a backup by others. */
async function run(code: string, continued?: ContinuedRun): Promise<Session> {
  const config = defaults({ url: database.url });
  const command = `date -u +%Y-%m-%dT%H:%M:%SZ | tee -a '${BACKUPS}'`;
  const session = createSession(
    { ...config, backup: { ...config.backup, mode: "external", command } },
    { projectDirectory: project.directory, continued },
  );
  const row = createRow(session);
  const { inputs } = await row.check(context, {}, { table: "public.codes", key: { code } });
  await row.create(context, inputs);
  return session;
}

test("a command that goes on with a run takes no second backup, as long as the run has kept its lock", async () => {
  await rm(BACKUPS, { force: true });
  const parent = await run("a");
  expect(await backupsAsked()).toBe(1);
  const { held } = parent.guard;
  if (held === undefined) throw new Error("a run that has changed something holds its lock");
  const continued = continuedRun(await continuing(held, parent.runNumber));

  await (await run("b", continued)).close();
  expect(await backupsAsked()).toBe(1);

  await parent.close();
  await (await run("c", continued)).close();
  expect(await backupsAsked()).toBe(2);
});

test.each(["", "1", "a:b", "1:2:3"])("a variable of another form is none: %s", (text) => {
  expect(continuedRun({ PGSTRATA_CONTINUED_RUN: text })).toBeUndefined();
});
