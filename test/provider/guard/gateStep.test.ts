import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import type { CallContext, Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { createGate } from "../../../provider/resources/gate/gate.ts";
import { liveCatalogOf } from "../../../provider/resources/layer/catalogCache.ts";
import { createLayer } from "../../../provider/resources/layer/layer.ts";
import { createSession, type Session } from "../../../provider/resources/session.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases, relationsIn } from "../../support/freshDatabases.ts";
import { defaults, project } from "../../support/layerHarness.ts";
import { ServerLog } from "../../support/serverLog.ts";

const fresh = freshDatabases();
const TABLE = "create schema app; create table app.items (id int primary key);";
const CLOSED = { schemas: ["app"], incident: "INC-7", checks: "none" };
const OPEN = { schemas: ["app"], checks: "none" };

let database: TestDatabase;
const open: Session[] = [];
beforeEach(async () => {
  database = await fresh();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((session) => session.close()));
});

const context: CallContext = {
  urn: "urn:pulumi:test::test::pgstrata:index:Layer::test",
  preview: false,
  signal: new AbortController().signal,
  report: { info: () => {}, warn: () => {}, status: () => {}, plan: async () => {} },
};

/** One update, as far as a gate is declared in it. */
async function update(options: { gate?: Properties; requireGate?: boolean; hasProgram?: boolean }): Promise<Session> {
  const { gate, requireGate = false, hasProgram = true } = options;
  const session = createSession({
    ...defaults({ url: database.url, requireGate }),
    shadow: { url: inject("serverUrl") },
  });
  open.push(session);
  session.record.hasProgram = hasProgram;
  if (gate !== undefined) expect((await createGate(session).check(context, {}, { ...gate })).failures).toEqual([]);
  return session;
}

async function makeLayer(session: Session, sql = TABLE): Promise<ResourceState> {
  const layer = createLayer(session, project.directory);
  const { inputs } = await layer.check(context, {}, project.layer("app", sql));
  return { inputs, ...(await layer.create(context, inputs)) };
}

describe("the first change of an update", () => {
  test("is refused where the gate says NO-GO, and nothing is changed", async () => {
    const session = await update({ gate: CLOSED });
    await expect(makeLayer(session)).rejects.toThrow(
      /^NO-GO\. Nothing was changed\.\n(.*\n)* {2}NO-GO +incident: open: INC-7/,
    );
    expect(await relationsIn(database, "app")).toEqual([]);
  });

  test("is made where it says GO", async () => {
    await makeLayer(await update({ gate: OPEN, requireGate: true }));
    expect(await relationsIn(database, "app")).toContain("items");
  });

  test("is refused without a gate where one is required, with the line that mends it", async () => {
    const session = await update({ requireGate: true });
    await expect(makeLayer(session)).rejects.toThrow(
      'a run with --target names the gate as well: --target "**pgstrata:index:Gate::*"',
    );
    expect(await relationsIn(database, "app")).toEqual([]);
    await makeLayer(await update({}));
  });

  test("is held when it is a deletion, unless it belongs to a destroy", async () => {
    const state = await makeLayer(await update({}));
    // The lock of a run stays until its process ends.
    const remove = (session: Session): Promise<void> =>
      createLayer(session, project.directory)
        .delete(context, state)
        .finally(() => session.close());
    await expect(remove(await update({ gate: CLOSED }))).rejects.toThrow("INC-7");
    await expect(remove(await update({ requireGate: true }))).rejects.toThrow("This run has no gate");
    expect(await relationsIn(database, "app")).toContain("items");
    await remove(await update({ requireGate: true, hasProgram: false }));
    expect(await relationsIn(database, "app")).toEqual([]);
  });

  test("of a stack's first update is the gate itself, because roles are made by another provider", async () => {
    const session = await update({ gate: CLOSED });
    await expect(createGate(session).create(context, CLOSED)).rejects.toThrow("INC-7");
    await createGate(session).create({ ...context, preview: true }, CLOSED);
    const opened = await update({ gate: OPEN });
    expect(await createGate(opened).create(context, OPEN)).toMatchObject({ id: "gate" });
  });
});

describe("a run that changes nothing", () => {
  const log = new ServerLog();
  /** How often the server was asked for the whole catalog of a database. */
  const reads = (): number =>
    log
      .read()
      .split("\n")
      .filter((line) => line.includes("not i.indisvalid and c.relkind = 'i'")).length;

  test("reads the catalog once, for gate and layers together", async () => {
    const state = await makeLayer(await update({}));
    const noOp = async (gate: Properties | undefined): Promise<number> => {
      const before = reads();
      const session = await update(gate === undefined ? {} : { gate });
      const layer = createLayer(session, project.directory);
      const { inputs } = await layer.check(context, state.inputs, project.layer("app", TABLE));
      expect((await layer.diff(context, state, inputs)).changed).toBe(false);
      expect(session.guard.changes.made).toBe(0);
      await session.close();
      return reads() - before;
    };
    expect(await noOp(undefined)).toBeGreaterThan(0);
    // Other test files read catalogs on the same server meanwhile.
    await expect.poll(async () => (await noOp(OPEN)) - (await noOp(undefined)), { timeout: 50_000 }).toBe(0);
  });

  test("has one catalog for all who ask", async () => {
    const session = await update({});
    expect(liveCatalogOf(session)).toBe(liveCatalogOf(session));
    expect(liveCatalogOf(await update({}))).not.toBe(liveCatalogOf(session));
  });
});
