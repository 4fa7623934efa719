import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countsIn, deletedIn } from "../support/cliOutput.ts";
import { createPlatformStack, NOTHING, type PlatformStack, WHOLE } from "../support/platformStack.ts";

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack();
  await platform.stack.succeed("up", "--yes", "--skip-preview");
});
afterAll(() => platform?.close());

/** As a person would roll one component back. */
const rollBack = (component: string) =>
  platform.stack.succeed("destroy", "--yes", "--skip-preview", "--target", `**${component}`, "--target-dependents");

describe("a destroy of one component", () => {
  it("takes row-level security off and leaves all tables and rows", async () => {
    const { database, standing } = platform;
    const rows = await database.query("select * from platform.databases");

    const destroy = await rollBack("RowLevelSecurity::rls");

    expect(deletedIn(destroy)).toEqual(["Backup backup", "Layer rls", "Verification verification"]);
    expect(await standing()).toEqual({ ...WHOLE, secured: 0, policies: 0, functions: WHOLE.functions - 2 });
    expect(await database.query("select * from platform.databases")).toEqual(rows);
  });

  it("takes one registration back and leaves the other", async () => {
    const destroy = await rollBack("RegisteredDatabase::railway-redis");

    expect(deletedIn(destroy)).toEqual(["Row railway-redis"]);
    expect(await platform.standing()).toMatchObject({ tables: 29, registered: ["Railway MongoDB"] });
  });

  it("takes the registry back with what is registered in it, and leaves the platform", async () => {
    const { database, standing } = platform;

    const destroy = await rollBack("DatabasesTable::databases");

    expect(deletedIn(destroy)).toEqual([
      "Layer databases",
      "RandomPassword databases-salt",
      "Row databases-salt",
      "Row railway-mongodb",
    ]);
    expect(destroy.output).not.toContain("drift");
    expect(await standing()).toMatchObject({ tables: 25, views: 5, registered: undefined });
    expect(await database.query("select slug from platform.projects")).toEqual([{ slug: "lancio-studio" }]);
  });

  it("is made up for by the next update", async () => {
    const { stack, standing } = platform;

    await stack.succeed("up", "--yes", "--skip-preview");

    expect(await standing()).toEqual(WHOLE);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("takes the platform back with all that stands on it, and leaves the roles", async () => {
    const { database, standing } = platform;

    const destroy = await rollBack("PlatformSchema::platform");

    expect(deletedIn(destroy).filter((name) => name.startsWith("Layer "))).toEqual([
      "Layer databases",
      "Layer platform",
      "Layer rls",
    ]);
    expect(await standing()).toEqual({ ...NOTHING, roles: WHOLE.roles });
    expect(await database.query("select nspname from pg_namespace where nspname like 'platform%'")).toEqual([]);
  });
});

describe("a complete destroy", () => {
  it("leaves no roles and nothing but the notes on decryptions, and the program can start again", async () => {
    const { stack, standing, database } = platform;
    await stack.succeed("up", "--yes", "--skip-preview");
    await database.query(
      "select platform.decrypt_databases(array_agg(id)), platform.record_database_health((array_agg(id))[1], 'healthy') from platform.databases",
    );

    const destroy = await stack.succeed("destroy", "--yes");

    expect(countsIn(destroy).deleted).toBeGreaterThan(30);
    expect(await standing()).toEqual(NOTHING);
    // Who has read secrets is not forgotten with them.
    expect(destroy.output).toContain("table platform_audit.decryptions holds rows and stays in place");
    expect(await database.query("select count(*)::int from platform_audit.decryptions")).toEqual([{ count: 1 }]);
    expect(await database.query(LEFT)).toEqual([
      { kind: "extension", name: "plpgsql" },
      { kind: "schema", name: "platform_audit" },
      { kind: "schema", name: "public" },
    ]);
    expect((await stack.exportState()).deployment.resources ?? []).toEqual([]);
    const preview = await stack.succeed("preview");
    expect(countsIn(preview)["to create"]).toBeGreaterThan(100);
  });
});

/** All that a database has which is not the server's own. */
const LEFT = `
select 'schema' as kind, nspname::text as name from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
union all select 'extension', extname from pg_extension
union all select 'object in public', oid::regclass::text from pg_class where relnamespace = 'public'::regnamespace
union all select 'function in public', oid::regproc::text from pg_proc where pronamespace = 'public'::regnamespace
order by 1, 2`;
