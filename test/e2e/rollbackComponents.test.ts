import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createPlatformStack, type PlatformStack, WHOLE } from "../support/platformStack.ts";
import { interruptRollback, runRollback, runRotate } from "../support/rollbackCommand.ts";

const SECRETS = {
  mongodb: "mongodb://app:first-Secret-71@mongodb.railway.internal:27017",
  redis: "redis://default:second-Secret-72@redis.railway.internal:6379",
  other: "redis://other:third-Secret-73@other.railway.internal:6379",
};

/** With the restrictive policies: those of `rls-matrix.csv`, of the system, and of those who decrypt. */
const ISOLATED = { ...WHOLE, policies: 96 };

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack({
    config: {
      "pgstrata:rls": "restrictive",
      "pgstrata:mongodbConnectionString": { secret: SECRETS.mongodb },
      "pgstrata:redisConnectionString": { secret: SECRETS.redis },
    },
  });
  await platform.stack.succeed("up", "--yes", "--skip-preview");
  await platform.database.query(`
    insert into platform.databases (project_id, name, type, host, port, connection_string, status)
    select id, 'By hand', 'redis', 'other.railway.internal', 6379, '${SECRETS.other}', 'maintenance' from platform.projects;
    update platform.databases set health_check_status = 'unhealthy', last_health_check_at = now(), health_check_error = 'no answer' where name = 'Railway Redis';
    insert into platform.audit_logs (event_type, action, resource_type) select 'test.row', 'test', 'row ' || n from generate_series(1, 20) as n`);
});
afterAll(() => platform?.close());

const REGISTRATIONS = `
  select id, name, status, health_check_status, health_check_error, created_at::text,
         platform_private.connection_string_of(id) as secret
    from platform.databases order by name`;
const AUDIT = "select count(*)::int, sum(hashtextextended(a::text, 0))::text from platform.audit_logs as a";

async function report(...args: string[]) {
  const { exitCode, stdout, output } = await runRollback(platform.stack, ...args, "--yes", "--json");
  expect(exitCode, output).toBe(0);
  for (const secret of Object.values(SECRETS)) expect(output).not.toContain(secret);
  return JSON.parse(stdout);
}

describe("a rollback of components", () => {
  it("asks for an answer where there is no terminal, and changes nothing", async () => {
    const { exitCode, output } = await runRollback(platform.stack, "rls");

    expect(exitCode).toBe(1);
    expect(output).toContain("Give --yes to answer beforehand.");
    expect(await platform.standing()).toMatchObject({ policies: ISOLATED.policies });
  });

  it("takes row-level security off, leaves the audit log as it was, and checks both", async () => {
    const audit = await platform.database.query(AUDIT);

    const { checks, elapsedMs, budgetMs } = await report("rls");

    expect(checks.map(({ name, status }: { name: string; status: string }) => `${status} ${name}`)).toEqual([
      "PASS objects of layer rls",
      "PASS policies",
      "PASS tables with row-level security",
      "PASS base tables",
      "PASS audit_logs",
    ]);
    expect(elapsedMs).toBeLessThan(budgetMs);
    expect(await platform.standing()).toMatchObject({ policies: 0, secured: 0, tables: WHOLE.tables });
    expect(await platform.database.query(AUDIT)).toEqual(audit);
    expect(audit).toMatchObject([{ count: 20 }]);
  });

  it("has nothing to do where a component is gone already", async () => {
    const { exitCode, output } = await runRollback(platform.stack, "rls", "--yes");

    expect([exitCode, output]).toEqual([0, "Nothing to roll back: the state of stack test has no layer rls."]);
  });

  it("says what stays where it is interrupted, and has the registrations in their table again", async () => {
    const { database } = platform;
    const before = await database.query(REGISTRATIONS);
    const reader = await database.pool.connect();
    await reader.query("begin; lock table platform.databases in access share mode");
    // The archive does not wait for a reader, and the destroy does.
    const waiting = async (): Promise<boolean> =>
      (await database.query("select from pg_locks where not granted and relation = 'platform.databases'::regclass"))
        .length > 0;
    const stopped = await interruptRollback(platform.stack, waiting, "databases", "--yes");
    await reader.query("rollback");
    reader.release();
    expect(stopped.exitCode).toBe(1);
    expect(stopped.output).toContain("The registry still stands, and its 3 registrations are in it again.");
    expect(await database.query(REGISTRATIONS)).toEqual(before);
  }, 400_000);

  it("archives the registrations after their salt was rotated, opens none of their secrets, and brings back what it took", async () => {
    const { database } = platform;
    const before = await database.query(REGISTRATIONS);
    expect(before.map(({ secret }) => secret)).toEqual([SECRETS.other, SECRETS.mongodb, SECRETS.redis]);
    const saltNow = async () =>
      (await database.query<{ salt: string }>("select salt from platform_private.encryption_salts"))[0]?.salt ?? "";
    const first = await saltNow();

    const rotation = await runRotate(platform.stack, "salt", "--yes", "--json");

    expect(rotation.exitCode, rotation.output).toBe(0);
    expect(JSON.parse(rotation.stdout)).toMatchObject({ version: 2, rows: 3, isResumed: false });
    const salt = await saltNow();
    expect(salt).not.toBe(first);
    for (const secret of [...Object.values(SECRETS), first, salt]) expect(rotation.output).not.toContain(secret);
    expect(await database.query(REGISTRATIONS)).toEqual(before);

    const older = await dumps();
    expect(await report("databases")).toMatchObject({ archived: 3 });
    // The archive and the destroy are one run: one backup, taken before both.
    expect((await dumps()).filter((name) => !older.includes(name))).toHaveLength(1);

    expect(await platform.standing()).toMatchObject({ tables: 25, registered: undefined });
    const archive = await archiveText();
    expect(archive).toContain("Railway Redis");
    for (const secret of [...Object.values(SECRETS), "Secret-7", salt]) expect(archive).not.toContain(secret);

    expect(await report("undo")).toMatchObject({ inserted: 1, updated: 2, notOpened: [] });
    expect(await platform.standing()).toEqual({ ...ISOLATED, registered: ["By hand", ...(WHOLE.registered ?? [])] });
    expect(await database.query(REGISTRATIONS)).toEqual(before);
    expect(await archiveText()).not.toContain("Railway Redis");
    await platform.stack.succeed("preview", "--expect-no-changes");
    expect(await stateIds()).toEqual(
      before
        .filter(({ name }) => name !== "By hand")
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it("takes both, row-level security first, and an archive of two rollbacks comes back whole", async () => {
    const { database, stack } = platform;
    const before = await database.query(REGISTRATIONS);
    await report("databases");
    await stack.succeed("up", "--yes", "--skip-preview");

    const { archived, checks } = await report("both");

    expect(archived).toBe(2);
    expect(checks).toContainEqual({ name: "registry", status: "PASS", measured: "gone", expected: "gone" });
    expect(await platform.standing()).toMatchObject({ tables: 25, policies: 0, secured: 0 });
    await report("undo");
    const after = await database.query(REGISTRATIONS);
    expect(after.map(({ name, secret }) => [name, secret])).toEqual(before.map(({ name, secret }) => [name, secret]));
    await stack.succeed("preview", "--expect-no-changes");
  });
});

async function dumps(): Promise<string[]> {
  const names = await readdir(platform.stack.env.XDG_DATA_HOME ?? "", { recursive: true });
  return names.filter((name) => name.endsWith(".dump"));
}

async function archiveText(): Promise<string> {
  const rows = await platform.database.query<{ text: string }>(
    "select encode(lo_get(oid), 'escape') as text from pg_largeobject_metadata",
  );
  return rows.map(({ text }) => text).join("\n");
}

/** IDs of registrations as the state has them. */
async function stateIds(): Promise<string[]> {
  const { deployment } = await platform.stack.exportState();
  return (deployment.resources ?? [])
    .filter(({ urn }) => urn.includes("RegisteredDatabase$pgstrata:index:Row"))
    .map(({ outputs }) => JSON.stringify(outputs).match(/"id":"([0-9a-f-]{36})"/)?.[1] ?? "")
    .toSorted();
}
