import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ask, createTestDatabase, type TestDatabase } from "../support/database.ts";
import { createPlatformStack, type PlatformStack, WHOLE } from "../support/platformStack.ts";
import { interruptRollback, runRollback, runRotate } from "../support/rollbackCommand.ts";

const SECRETS = {
  mongodb: "mongodb://app:first-Secret-71@mongodb.railway.internal:27017",
  redis: "redis://default:second-Secret-72@redis.railway.internal:6379",
  other: "redis://other:third-Secret-73@other.railway.internal:6379",
  shop: "fourth-Secret-74",
};
/** With those that rotations make. */
const secrets = Object.values<string>(SECRETS);

const SHOP = { name: `shop_${process.pid}`, drop: async () => {} };

/** With the restrictive policies: those of `rls-matrix.csv`, of the system, and of those who decrypt. */
const ISOLATED = { ...WHOLE, policies: 95 };

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
/** A service of PostgreSQL beside the target. */
let shop: TestDatabase;
beforeAll(async () => {
  shop = await createTestDatabase();
  await shop.query(`create role ${SHOP.name} login password '${SECRETS.shop}'`);
  await shop.query(`grant create on schema public to ${SHOP.name}`);
  platform = await createPlatformStack({
    config: {
      "shop:url": { secret: shop.urlFor({ ...SHOP, password: SECRETS.shop }) },
      "shop:admin": { secret: shop.url },
      "pgstrata:rls": "restrictive",
      "pgstrata:mongodbConnectionString": { secret: SECRETS.mongodb },
      "pgstrata:redisConnectionString": { secret: SECRETS.redis },
    },
  });
  await platform.stack.write("programs/platform.ts", await programWithShop());
  await platform.stack.succeed("up", "--yes", "--skip-preview");
  await platform.database.query(`
    insert into platform.databases (project_id, name, type, host, port, connection_string, status)
    select id, 'By hand', 'redis', 'other.railway.internal', 6379, '${SECRETS.other}', 'maintenance' from platform.projects;
    update platform.databases set health_check_status = 'unhealthy', last_health_check_at = now(), health_check_error = 'no answer' where name = 'Railway Redis';
    insert into platform.audit_logs (event_type, action, resource_type) select 'test.row', 'test', 'row ' || n from generate_series(1, 20) as n`);
});
afterAll(async () => {
  await platform?.close();
  const logins = await shop.query<{ name: string }>(
    "select rolname as name from pg_roles where starts_with(rolname, $1)",
    [SHOP.name],
  );
  const names = logins.map(({ name }) => name).join(", ");
  await shop.query(`drop owned by ${names}; drop role ${names}`);
  await shop.drop();
});

/** The program with one more registration, which is rotated. */
async function programWithShop(): Promise<string> {
  const text = await readFile(join(platform.stack.directory, "programs", "platform.ts"), "utf8");
  const declared = `
const shopConfig = new Config("shop");
const shop = new RegisteredDatabase("shop", {
  databases,
  project: tenant.project,
  type: "postgresql",
  databaseName: "Shop",
  connectionString: shopConfig.requireSecret("url"),
  adminConnectionString: shopConfig.requireSecret("admin"),
  probe: "require",
}, { providers });
`;
  return `import { Config } from "@pulumi/pulumi";\nimport { RegisteredDatabase } from "../components/registry/RegisteredDatabase.ts";\n${text
    .replace("// Last: it reports", `${declared}$&`)
    .replaceAll("railway]", "railway, shop]")}`;
}

/** Rotates the credential of that one. @returns the user that is registered then. */
async function rotateShop(): Promise<string> {
  const { exitCode, stdout, output } = await runRotate(platform.stack, "Shop", "--grace", "0s", "--yes", "--json");
  expect(exitCode, output).toBe(0);
  const [{ secret = "" } = {}] = await platform.database.query<{ secret: string }>(
    "select platform_private.connection_string_of(id) as secret from platform.databases where name = 'Shop'",
  );
  expect(await ask(secret, "select current_user::text as name")).toEqual([{ name: SHOP.name }]);
  secrets.push(new URL(secret).password);
  for (const each of secrets) expect(output).not.toContain(each);
  expect(JSON.parse(stdout)).toMatchObject({ step: "ended", name: "Shop" });
  return JSON.parse(stdout).user;
}

async function expectNoChanges(): Promise<void> {
  const { output } = await platform.stack.succeed("preview", "--expect-no-changes");
  for (const each of secrets) expect(output).not.toContain(each);
}

const REGISTRATIONS = `
  select id, name, status, health_check_status, health_check_error, created_at::text,
         platform_private.connection_string_of(id) as secret
    from platform.databases order by name`;
const AUDIT = "select count(*)::int, sum(hashtextextended(a::text, 0))::text from platform.audit_logs as a";

async function report(...args: string[]) {
  const { exitCode, stdout, output } = await runRollback(platform.stack, ...args, "--yes", "--json");
  expect(exitCode, output).toBe(0);
  for (const secret of secrets) expect(output).not.toContain(secret);
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

  it("says what stays where it is interrupted, and has the registrations in their table again, a rotated one too", async () => {
    const { database } = platform;
    expect(await rotateShop()).toBe(`${SHOP.name}_a`);
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
    expect(stopped.output).toContain("The registry still stands, and its 4 registrations are in it again.");
    expect(await database.query(REGISTRATIONS)).toEqual(before);
  }, 400_000);

  it("archives the registrations after their salt and a credential were rotated, opens none of their secrets, and brings back what it took", async () => {
    const { database } = platform;
    const before = await database.query(REGISTRATIONS);
    expect(before.map(({ secret }) => secret)).toEqual([
      ...[SECRETS.other, SECRETS.mongodb, SECRETS.redis],
      expect.stringContaining(`${SHOP.name}_a`),
    ]);
    const saltNow = async () =>
      (await database.query<{ salt: string }>("select salt from platform_private.encryption_salts"))[0]?.salt ?? "";
    const first = await saltNow();

    const rotation = await runRotate(platform.stack, "salt", "--yes", "--json");

    expect(rotation.exitCode, rotation.output).toBe(0);
    expect(JSON.parse(rotation.stdout)).toMatchObject({ version: 2, rows: 4, isResumed: false });
    const salt = await saltNow();
    expect(salt).not.toBe(first);
    for (const secret of [...secrets, first, salt]) expect(rotation.output).not.toContain(secret);
    expect(await database.query(REGISTRATIONS)).toEqual(before);

    const older = await dumps();
    expect(await report("databases")).toMatchObject({ archived: 4 });
    // The archive and the destroy are one run: one backup, taken before both.
    expect((await dumps()).filter((name) => !older.includes(name))).toHaveLength(1);

    expect(await platform.standing()).toMatchObject({ tables: 25, registered: undefined });
    const archive = await archiveText();
    expect(archive).toContain("Railway Redis");
    for (const secret of [...secrets, "Secret-7", salt]) expect(archive).not.toContain(secret);

    expect(await report("undo")).toMatchObject({ inserted: 1, updated: 3, notOpened: [] });
    const registered = ["By hand", ...(WHOLE.registered ?? []), "Shop"];
    expect(await platform.standing()).toEqual({ ...ISOLATED, registered });
    expect(await database.query(REGISTRATIONS)).toEqual(before);
    expect(await archiveText()).not.toContain("Railway Redis");
    // An update of targets is not verified: the whole one is.
    expect(await verified()).toBe("PENDING");
    await platform.stack.succeed("up", "--yes", "--skip-preview");
    expect(["PASS", "WARNING"]).toContain(await verified());
    await expectNoChanges();
    expect(await stateIds()).toEqual(
      before
        .filter(({ name }) => name !== "By hand")
        .map(({ id }) => id)
        .toSorted(),
    );
    expect(await rotateShop()).toBe(`${SHOP.name}_b`);
  });

  it("has nothing to undo where all stands, and changes nothing then", async () => {
    const { stack } = platform;
    const before = await stack.exportState();

    const { exitCode, output } = await runRollback(stack, "undo", "--yes");

    expect([exitCode, output]).toEqual([0, expect.stringMatching(/^Nothing to undo: /)]);
    expect((await stack.exportState()).deployment).toEqual(before.deployment);
  });

  it("takes both, row-level security first, and an archive of two rollbacks comes back whole", async () => {
    const { database, stack } = platform;
    const before = await database.query(REGISTRATIONS);
    await report("databases");
    const { output } = await stack.succeed("up", "--yes", "--skip-preview");
    expect(output).toContain(`that of "${SHOP.name}_b" takes its place`);
    for (const secret of secrets) expect(output).not.toContain(secret);

    const { archived, checks } = await report("both");

    expect(archived).toBe(3);
    expect(checks).toContainEqual({ name: "registry", status: "PASS", measured: "gone", expected: "gone" });
    expect(await platform.standing()).toMatchObject({ tables: 25, policies: 0, secured: 0 });
    await report("undo");
    const after = await database.query(REGISTRATIONS);
    expect(after.map(({ name, secret }) => [name, secret])).toEqual(before.map(({ name, secret }) => [name, secret]));
    await stack.succeed("up", "--yes", "--skip-preview");
    await expectNoChanges();
  });
});

/** Result of the last verification. */
async function verified(): Promise<unknown> {
  const { deployment } = await platform.stack.exportState();
  const outputs = deployment.resources?.find(({ urn }) => urn.includes("pgstrata:index:Verification"))?.outputs;
  return /"result":"(\w+)"/.exec(JSON.stringify(outputs))?.[1];
}

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
