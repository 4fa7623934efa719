import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";
import type { TestDatabase } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { type GatedRun, gatedRun } from "../../support/gateHarness.ts";

const fresh = freshDatabases();
let database: TestDatabase;
let directory: string;
const open: GatedRun[] = [];

beforeEach(async () => {
  database = await fresh();
  directory = mkdtempSync(join(tmpdir(), "pgstrata-gate-"));
  mkdirSync(join(directory, "checks"));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((run) => run.close()));
  rmSync(directory, { recursive: true });
});

async function run(gate: Properties, where = directory): Promise<GatedRun> {
  const made = await gatedRun(database.url, gate, { directory: where });
  open.push(made);
  return made;
}

/** A run whose only own checks are these, by the names of their files. */
function withChecks(files: Record<string, string>, gate: Properties = {}): Promise<GatedRun> {
  for (const [name, sql] of Object.entries(files)) writeFileSync(join(directory, "checks", name), sql);
  return run({ checks: "checks", ...gate });
}

const ROW = "select 'mine' as name, 'NO-GO' as status, '7' as measured, 'less' as expected, 'Do less.' as mend";

describe("a check of the project's own", () => {
  test("of the kind plan stops a preview", async () => {
    const { failures, line } = await withChecks({ "a.sql": `-- kind: plan\n${ROW}` });
    expect(failures.map(({ code }) => code)).toEqual(["PS801"]);
    expect(line("mine")).toBe("NO-GO         mine: 7; expected less → Do less.");
  });

  test("of the kind run is a forecast in a preview", async () => {
    const { failures, said } = await withChecks({ "a.sql": `-- What it asks.\n-- kind: run\n${ROW}` });
    expect(failures).toEqual([]);
    expect(said[0]).toMatch(/^would be NO-GO now/);
  });

  test("gives as many results as it has rows, each with its own name", async () => {
    const rows = "values ('one', 'PASS', '', ''), ('two', 'WARNING', 'x', 'y')";
    const { failures, line } = await withChecks({
      "a.sql": `-- kind: plan\nselect * from (${rows}) t (name, status, measured, expected)`,
    });
    expect(failures).toEqual([]);
    expect(line("two")).toBe("WARNING       two: x; expected y → See checks/a.sql.");
  });

  test("reads the settings of the stack", async () => {
    const sql = `-- kind: plan
      select 'region' as name, 'WARNING' as status, current_setting('pgstrata.region') as measured,
             current_setting('pgstrata.project')::jsonb ->> 'slug' as expected`;
    const { line } = await withChecks({ "a.sql": sql }, { settings: { region: "north", project: { slug: "shop" } } });
    expect(line("region")).toContain("north; expected shop");
  });

  test.each([
    ["that says no kind", ROW, "does not say its kind"],
    ["of an unknown kind", `-- kind: later\n${ROW}`, "does not say its kind"],
    ["with an error", "-- kind: plan\nselect * from nowhere", 'relation "nowhere" does not exist (42P01)'],
    ["without a row", "-- kind: plan\nselect 1 where false", "returns no row"],
    ["without a status", "-- kind: plan\nselect 1 as measured", "returns no status"],
    ["with another status", "-- kind: plan\nselect 'FINE' as status", 'returns the status "FINE"'],
    ["that takes too long", "-- kind: plan\nselect pg_sleep(5)", "no answer within 200 ms"],
    ["of two statements", "-- kind: plan\nselect 1; select 2", "cannot insert multiple commands"],
    ["that ends the transaction", "-- kind: plan\n/* now */ commit", "is no query"],
  ])("is INCONCLUSIVE: one %s", async (_, sql, reason) => {
    const found = await withChecks({ "mine.sql": sql }, { thresholds: { checkTimeoutMs: 200 } });
    expect(found.failures.map(({ code }) => code)).toEqual(["PS801"]);
    expect(found.line("mine")).toMatch(/^INCONCLUSIVE/);
    expect(found.line("mine")).toContain(reason);
  });

  test("spoils no other one with its error", async () => {
    const { line } = await withChecks({
      "a.sql": "-- kind: plan\nselect * from nowhere",
      "b.sql": `-- kind: plan\n${ROW}`,
    });
    expect(line("mine")).toMatch(/^NO-GO/);
  });

  test.each(["insert into public.t values (1) returning 'PASS' as status", "commit", "rollback to own_check"])(
    "changes nothing: %s",
    async (sql) => {
      await database.query("create table public.t (id int)");
      const insert = "-- kind: plan\ninsert into public.t values (1) returning 'PASS' as status";
      const { line } = await withChecks({ "a.sql": `-- kind: plan\n${sql}`, "b.sql": insert });
      expect(line("b")).toMatch(/^INCONCLUSIVE/);
      expect(await database.query("select from public.t")).toEqual([]);
    },
  );

  test("shows no value of a row in an error", async () => {
    await database.query("create table public.t (word text)");
    await database.query("insert into public.t values ('hunter2')");
    const { line } = await withChecks({ "mine.sql": "-- kind: plan\nselect word::int from public.t" });
    expect(line("mine")).toContain("SQLSTATE 22P02");
    expect(line("mine")).not.toContain("hunter2");
  });
});

describe("the checks of this program", () => {
  const settings = { organization: { slug: "lancio" }, project: { slug: "studio", ref: "studio-ref" } };
  const platform = (): Promise<GatedRun> => run({ settings }, projectRoot);
  const BASE = `
    create schema platform;
    create table platform.organizations (id int, slug text);
    create table platform.projects (id int, organization_id int, slug text, ref text);
    create table platform.audit_logs (id int, organization_id int);
    create function platform.update_updated_at_column() returns trigger language plpgsql as 'begin return new; end'`;

  test("say GO for an empty database, and for one that has what the parts stand on", async () => {
    expect((await platform()).said[0]).toMatch(/^GO/);
    await database.query(BASE);
    expect((await platform()).said[0]).toMatch(/^GO/);
  });

  test("ask for a new salt once it is older than the stack says, and not before", async () => {
    const said = async (own: Properties): Promise<string | undefined> =>
      (await run({ settings: { ...settings, ...own } }, projectRoot)).line("salt-rotation");
    await database.query(
      "create schema platform_private; create table platform_private.encryption_salts (name text, created_at timestamptz)",
    );
    await database.query(
      "insert into platform_private.encryption_salts values ('databases', now() - interval '91 days'), ('other', now() - interval '1 year')",
    );
    expect(await said({ saltRotateEvery: "90d" })).toMatch(
      /^WARNING .*salt-rotation: the salt is of .*npm run rotate -- salt/,
    );
    expect(await said({ saltRotateEvery: "92d" })).toBeUndefined();
    expect(await said({})).toBeUndefined();
  });

  test("say NO-GO where only a part of it is there", async () => {
    await database.query(BASE);
    await database.query("drop table platform.audit_logs");
    expect((await platform()).line("base-objects")).toMatch(/^NO-GO .*missing: platform\.audit_logs;/);
  });

  test("say NO-GO for tables of earlier migrations in another shape, and not for drift of our own", async () => {
    await database.query(BASE);
    await database.query(
      "create table platform.databases (id int, error_count int, connection_string_encrypted bytea)",
    );
    await database.query("alter table platform.audit_logs drop organization_id");
    expect((await platform()).said[0]).toMatch(/^GO/);
    await database.query("alter table platform.databases drop connection_string_encrypted");
    await database.query("alter table platform.audit_logs add entity_type text");
    expect((await platform()).line("conflicting-tables")).toContain(
      "NO-GO         conflicting-tables: platform.audit_logs has entity_type and lacks organization_id; " +
        "platform.databases has error_count and lacks connection_string_encrypted;",
    );
  });

  test("say NO-GO where another project has the reference", async () => {
    await database.query(BASE);
    await database.query("insert into platform.organizations values (1, 'lancio'), (2, 'other')");
    await database.query("insert into platform.projects values (1, 2, 'studio', 'studio-ref')");
    expect((await platform()).line("project")).toMatch(/^NO-GO .*another project has the reference studio-ref/);
    await database.query("update platform.projects set organization_id = 1");
    expect((await platform()).said[0]).toMatch(/^GO/);
  });
});
