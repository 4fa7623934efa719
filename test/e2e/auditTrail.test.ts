import { execa } from "execa";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeApplication } from "../support/auditDatabase.ts";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runRollback } from "../support/rollbackCommand.ts";

// One stack goes through its life: each test starts where the one before it ended.
let database: TestDatabase;
let stack: StackWorkspace;
let profiles: unknown[];
beforeAll(async () => {
  database = await createTestDatabase();
  await makeApplication(database, "dev");
  profiles = await rows();
  stack = await createStackWorkspace({
    stack: "audit-dev",
    config: { "pgstrata:part": "audit", "pgstrata:databaseUrl": { secret: database.url } },
  });
});
afterAll(async () => {
  await stack?.remove();
  await database?.drop();
});

/** All that the application had before. */
const rows = (): Promise<unknown[]> =>
  database.query(`
    select (select json_agg(p order by id) from public.profiles as p) as profiles,
           (select json_agg(a order by id) from public.addresses as a) as addresses,
           (select json_agg(c order by id) from public.catering_requests as c) as requests,
           (select count(*) from public.user_audits) as audits, (select count(*) from public.upload_errors) as errors`);

async function command(name: string, ...args: string[]): Promise<{ exitCode: number; output: string }> {
  const { exitCode, all } = await execa(
    process.execPath,
    [`tools/commands/${name}.ts`, "--stack", "audit-dev", ...args],
    {
      ...{ cwd: stack.directory, env: stack.env, extendEnv: false, reject: false, all: true, stdin: "ignore" },
    },
  );
  return { exitCode: exitCode ?? -1, output: String(all) };
}

it("is deployed onto an environment that has drifted, once what it opens to all is closed", async () => {
  // As the gate says, see test/provider/gate/auditChecks.test.ts.
  await database.query("revoke all on public.upload_errors, public.user_audits from public, anon");

  const deployed = await command("deploy", "--yes", "-C", stack.directory);

  expect(deployed.output).toContain("DONE: Changed: Layer audit.");
  expect(deployed.exitCode).toBe(0);
  await stack.succeed("preview", "--expect-no-changes");
  expect(await rows()).toEqual(profiles);
});

it("has a verification that passes, and fails once something is broken", async () => {
  expect(await command("verify")).toMatchObject({ exitCode: 0 });
  await database.query("alter table public.profiles disable trigger trg_audit_profile_changes");

  const broken = await command("verify");

  expect(broken.exitCode).toBe(1);
  expect(broken.output).toMatch(/\nFAIL +trigger\.present /);
});

it("is rolled back by its own command alone, with every row as it was", async () => {
  const other = await runRollback(stack, "rls", "--yes");
  expect([other.exitCode, other.output]).toEqual([1, expect.stringContaining("stack audit-dev is of the part audit")]);

  const unasked = await runRollback(stack, "audit", "--yes");
  expect(unasked.output).toContain("--approve drop-column:public.upload_errors.resolvedBy");
  expect(unasked.exitCode).toBe(1);
  const approvals = ["resolvedAt", "resolvedBy"].flatMap((name) => [
    "--approve",
    `drop-column:public.upload_errors.${name}`,
  ]);
  const { output, exitCode } = await runRollback(stack, "audit", "--yes", ...approvals);

  expect(output).toMatch(/PASS +rows +5 tables with \d+ rows are as they were/);
  expect(output).toMatch(/PASS +objects of layer audit +none/);
  expect(exitCode).toBe(0);
  expect(await rows()).toEqual(profiles);
  expect(await database.query("select from pg_trigger where tgname = 'trg_audit_profile_changes'")).toEqual([]);
});
