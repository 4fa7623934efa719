import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask } from "../../support/database.ts";
import type { ProcedureCrash } from "../../support/procedureCrash.ts";
import { ROWS_DIGEST } from "../../support/procedureProgram.ts";
import { startTestServer, type TestServer } from "../../support/testServer.ts";
import { killRestoreAt, loseRows, type RestoreBoundary } from "./killedRestore.ts";
import { createRegistry, killRollbackAt, type RollbackBoundary } from "./killedRollback.ts";
import { createUpdatable, killUpdateAt, type UpdateBoundary } from "./killedStages.ts";
import { namesOf, RESTORE, ROLLBACK, UPDATE } from "./stageBoundaries.ts";

describe("an update", () => {
  let crash: ProcedureCrash;
  beforeAll(async () => {
    crash = await createUpdatable();
  });
  afterAll(() => crash?.close());

  it.each(namesOf<UpdateBoundary>(UPDATE))("by the CLI that is killed %s is finished by the next one", async (name) => {
    await crash.reset();
    expect(await killUpdateAt(crash, ["pulumi", "up", "--yes", "--skip-preview"], name)).toEqual([]);
  });

  it.each(namesOf<UpdateBoundary>(UPDATE))("by deploy that is killed %s is finished by the next one", async (name) => {
    await crash.reset();
    expect(await killUpdateAt(crash, ["deploy", "--yes"], name)).toEqual([]);
  });
});

describe("a restore", () => {
  let crash: ProcedureCrash;
  let rows: Record<string, unknown>[];
  beforeAll(async () => {
    crash = await createUpdatable();
    rows = await ask(crash.url, ROWS_DIGEST);
    await loseRows(crash);
  });
  afterAll(() => crash?.close());

  it.each(namesOf<RestoreBoundary>(RESTORE))("that is killed %s is done by the next one", async (name) => {
    await crash.reset();
    expect(await killRestoreAt(crash, name, rows)).toEqual([]);
  });
});

describe("a rollback of the registry", () => {
  let server: TestServer;
  let crash: ProcedureCrash;
  beforeAll(async () => {
    server = await startTestServer();
    crash = await createRegistry(server.url("postgres"));
  });
  afterAll(async () => {
    await crash?.close();
    await server?.stop();
  });

  it.each(namesOf<RollbackBoundary>(ROLLBACK))("that is killed %s is ended by the next one", async (name) => {
    await crash.reset();
    expect(await killRollbackAt(crash, name, "rollback")).toEqual([]);
  });

  it.each(namesOf<RollbackBoundary>(ROLLBACK))("that is killed %s is taken back by its undo", async (name) => {
    await crash.reset();
    expect(await killRollbackAt(crash, name, "undo")).toEqual([]);
  });
});
