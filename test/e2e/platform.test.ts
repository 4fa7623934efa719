import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ExportedResource, StackWorkspace } from "../support/cli.ts";
import { changesIn, countsIn, sqlIn } from "../support/cliOutput.ts";
import { createTestDatabase } from "../support/database.ts";
import { createPlatformStack, NOTHING, type PlatformStack, standingIn, WHOLE } from "../support/platformStack.ts";

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack();
});
afterAll(() => platform?.close());

/** Shown by the first preview. */
let shownSql: string[] = [];

describe("an empty database", () => {
  it("is left empty by a preview, which shows every object and with --diff its exact SQL", async () => {
    const { stack, standing } = platform;

    const preview = await stack.succeed("preview", "--diff");

    shownSql = sqlIn(preview);
    expect(changesIn(preview)).toEqual(
      expect.arrayContaining([
        "03 schema platform · 1 grant, 1 comment",
        "06 table platform.addons · 12 columns, 6 constraints, 3 indexes, 1 trigger, 4 grants, 1 comment",
        "4 policy permissive_all_* on 26 tables",
        "insert platform.billing_plans id=tier_free",
        "insert platform.databases name=Railway Redis project_id=? type=redis",
      ]),
    );
    expect(shownSql).toContain(
      'CREATE POLICY "permissive_all_users" ON "platform"."users" FOR ALL TO PUBLIC USING (true) WITH CHECK (true)',
    );
    const counts = countsIn(preview);
    expect((counts["to create"] ?? 0) + (counts["to update"] ?? 0)).toBe(RESOURCES + changesIn(preview).length);
    expect(await standing()).toEqual(NOTHING);
  });

  it("becomes the platform with one update, which lists the statements before", async () => {
    const { stack, standing, database } = platform;

    const up = await stack.succeed("up", "--yes");

    expect(changesIn(up)).toEqual(expect.arrayContaining(["4 policy permissive_all_* on 26 tables"]));
    expect(countsIn(up)).toEqual({ created: RESOURCES });
    expect(await standing()).toEqual(WHOLE);
    const tests = await database.query<{ test_result: boolean }>("select * from platform.test_rls_policies()");
    expect(tests.map(({ test_result }) => test_result)).toEqual([true, true, true, true, true]);
    const registered = await database.query(
      `select name, connection_string as masked, password, status, metadata->>'placeholder' as placeholder,
              platform_private.connection_string_of(id) ~ '^(mongodb|redis)://\\w+:\\w{16,}@' as opens
       from platform.databases order by name`,
    );
    expect(registered).toEqual([
      {
        name: "Railway MongoDB",
        masked: "mongodb://mongodb.railway.internal:27017",
        password: null,
        status: "inactive",
        placeholder: "true",
        opens: true,
      },
      {
        name: "Railway Redis",
        masked: "redis://redis.railway.internal:6379",
        password: null,
        status: "inactive",
        placeholder: "true",
        opens: true,
      },
    ]);
  });

  it("gets by the shown SQL, run by hand, what the update makes of it", async () => {
    const { server, database } = platform;
    const byHand = await createTestDatabase({ name: "by_hand", server: server.url("postgres") });
    try {
      // As an update does, and as the script of `npm run plan -- --sql` says.
      await byHand.query("set check_function_bodies = off");
      for (const sql of shownSql) await byHand.query(sql);
      expect({ ...(await standingIn(byHand)), registered: WHOLE.registered }).toEqual(await standingIn(database));
    } finally {
      await byHand.drop();
    }
  });
});

describe("right after an update", () => {
  it("a preview expects no changes and says so as JSON", async () => {
    const { stack } = platform;

    const preview = await stack.succeed("preview", "--json", "--expect-no-changes");

    expect(JSON.parse(preview.stdout)).toMatchObject({ changeSummary: { same: RESOURCES } });
  });

  it("a second update changes nothing, in the database as in the state", async () => {
    const { stack, database } = platform;
    const lastChange = "select id, xmin::text as writer from platform.databases order by id";
    const before = await database.query(lastChange);
    const state = await resourcesOf(stack);

    const up = await stack.succeed("up", "--yes", "--skip-preview");

    expect(countsIn(up)).toEqual({ unchanged: RESOURCES });
    expect(await database.query(lastChange)).toEqual(before);
    expect(await resourcesOf(stack)).toEqual(state);
  });
});

describe("drift", () => {
  const DRIFT = [
    "1 table platform.invoices · ENABLE ROW LEVEL SECURITY",
    "2 policy permissive_all_users on platform.users",
    "update platform.billing_plans id=tier_pro",
  ];

  beforeAll(async () => {
    await platform.database.query(`
      drop policy permissive_all_users on platform.users;
      alter table platform.invoices disable row level security;
      update platform.billing_plans set price = 1 where id = 'tier_pro'`);
  });

  it("shows in a preview, and nothing else does", async () => {
    const preview = await platform.stack.succeed("preview", "--diff");

    expect(changesIn(preview).sort()).toEqual(DRIFT);
    expect(sqlIn(preview)).toEqual([
      'ALTER TABLE "platform"."invoices" ENABLE ROW LEVEL SECURITY',
      'CREATE POLICY "permissive_all_users" ON "platform"."users" FOR ALL TO PUBLIC USING (true) WITH CHECK (true)',
      `COMMENT ON POLICY "permissive_all_users" ON "platform"."users" IS 'lint-ignore PGL107: grants alone decide in this phase'`,
    ]);
    expect(preview.output).toContain("drift: values.price differs in the database");
  });

  it("is recorded by a refresh, which mends nothing", async () => {
    const { stack, database } = platform;

    const refresh = await stack.succeed("refresh", "--yes", "--skip-preview");

    expect(countsIn(refresh)).toEqual({ updated: 2, unchanged: RESOURCES - 2 });
    const { deployment } = await stack.exportState();
    const drift = (deployment.resources ?? []).flatMap(({ id, outputs }) =>
      outputs !== undefined && "drift" in outputs && Array.isArray(outputs.drift) ? [[id, outputs.drift]] : [],
    );
    expect(Object.fromEntries(drift.filter(([, found]) => found?.length !== 0))).toEqual({
      rls: [
        "comment on policy permissive_all_users on platform.users",
        "policy permissive_all_users on platform.users",
        "table platform.invoices",
      ],
      "platform.billing_plans/id=tier_pro": ["values.price"],
    });
    expect(await database.query("select price from platform.billing_plans where id = 'tier_pro'")).toEqual([
      { price: "1.00" },
    ]);
  });

  it("is put right by an update", async () => {
    const { stack, database, standing } = platform;

    const up = await stack.succeed("up", "--yes");

    expect(changesIn(up).sort()).toEqual(DRIFT);
    // The layer and the row; the backup before them, and the verification after them.
    expect(countsIn(up)).toEqual({ updated: 4, unchanged: RESOURCES - 4 });
    expect(await standing()).toEqual(WHOLE);
    expect(await database.query("select price from platform.billing_plans where id = 'tier_pro'")).toEqual([
      { price: "25.00" },
    ]);
  });
});

describe("a change of the SQL files", () => {
  it("shows as just that in a preview, and is applied without loss of rows", async () => {
    const { stack, database } = platform;
    await database.query("insert into platform.feature_flags (flag_key, flag_name) values ('dark_mode', 'Dark mode')");
    const organizations = await database.query("select * from platform.organizations");
    await appendTo(join(stack.directory, "sql", "platform", "20-reference.sql"), [
      "alter table platform.feature_flags add column owner_team text;",
      "create index idx_feature_flags_owner_team on platform.feature_flags (owner_team);",
    ]);

    const preview = await stack.succeed("preview", "--diff");

    expect(sqlIn(preview)).toEqual([
      'ALTER TABLE "platform"."feature_flags" ADD COLUMN "owner_team" text',
      expect.stringMatching(/^CREATE INDEX (CONCURRENTLY )?idx_feature_flags_owner_team ON platform.feature_flags /),
    ]);
    expect(changesIn(preview)).toHaveLength(2);
    await stack.succeed("up", "--yes", "--skip-preview");
    expect(await database.query("select flag_key, owner_team from platform.feature_flags")).toEqual([
      { flag_key: "dark_mode", owner_team: null },
    ]);
    expect(await database.query("select to_regclass('platform.idx_feature_flags_owner_team')::text as index")).toEqual([
      { index: "platform.idx_feature_flags_owner_team" },
    ]);
    expect(await database.query("select * from platform.organizations")).toEqual(organizations);
    await stack.succeed("preview", "--expect-no-changes");
  });
});

/** Number of resources of the program, the stack itself among them. */
const RESOURCES = 48;

/**
 * What the state says of each resource. Without the encrypted values, which are encrypted anew each time, and
 * the dependencies, whose order is that in which the program happened to name them.
 */
async function resourcesOf(stack: StackWorkspace): Promise<unknown> {
  const { deployment } = await stack.exportState();
  const plain = JSON.stringify(deployment.resources ?? []).replaceAll(/"ciphertext":"[^"]*"/g, '"ciphertext":""');
  const resources: (ExportedResource & { modified?: string })[] = JSON.parse(plain);
  return Object.fromEntries(
    resources.map(({ urn, id, inputs, outputs, modified }) => [urn, { id, inputs, outputs, modified }]),
  );
}

async function appendTo(file: string, lines: readonly string[]): Promise<void> {
  await writeFile(file, `${await readFile(file, "utf8")}\n${lines.join("\n")}\n`);
}
