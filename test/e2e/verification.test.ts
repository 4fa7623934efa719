import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createPlatformStack, type PlatformStack, WHOLE } from "../support/platformStack.ts";

/** Fails until somebody has signed off, which is a row that no program writes. */
const SIGN_OFF = `
-- check: sign_off
select 'sign_off' as name, case when count(*) = 1 then 'PASS' else 'FAIL' end as status,
  count(*) || ' flags' as measured, '1 flag' as expected
from platform.feature_flags
where flag_key = 'signed_off';
`;

let made: PlatformStack;

beforeAll(async () => {
  made = await createPlatformStack();
  await made.stack.write("sql/checks/verify/99-sign-off.sql", SIGN_OFF);
});
afterAll(async () => {
  await made.close();
});

interface Kept {
  result: string;
  report: { name: string; status: string }[];
}

/** What the state holds of the verification. */
async function kept(): Promise<Kept> {
  const { deployment } = await made.stack.exportState();
  const found = deployment.resources?.find(({ type }) => type === "pgstrata:index:Verification");
  return JSON.parse(JSON.stringify(found?.outputs));
}

const verifyAlone = (...args: string[]) =>
  execa(process.execPath, ["tools/commands/verify.ts", "--stack", made.stack.stack, ...args], {
    cwd: made.stack.directory,
    env: made.stack.env,
    extendEnv: false,
    reject: false,
  });

test("FAIL fails the update and keeps its report, the next one asks again, and one without changes is quiet", async () => {
  const { stack, database } = made;
  const first = await stack.run("up", "--yes", "--skip-preview");
  expect(first.exitCode).not.toBe(0);
  expect(first.output).toContain("1 of ");
  expect(first.output).toContain("sign_off: found 0 flags, expected 1 flag");
  expect(first.output).toContain(`npm run rollback -- last --stack ${stack.stack}`);
  expect(first.output).toContain("PS822 · docs/errors/PS822.md");
  expect((await made.standing()).tables).toBe(WHOLE.tables);
  const failed = await kept();
  expect(failed.result).toBe("FAIL");
  expect(failed.report.filter(({ status }) => status === "FAIL").map(({ name }) => name)).toEqual(["sign_off"]);

  const alone = await verifyAlone("--junit", "report.xml");
  expect(alone.exitCode).toBe(1);
  expect(alone.stdout).toMatch(/\nFAIL {5}sign_off .*0 flags\n.*expected: 1 flag\nFAIL: 1 FAIL, \d+ PASS$/);
  const junit = await readFile(join(stack.directory, "report.xml"), "utf8");
  expect(junit).toContain('<failure message="found 0 flags, expected 1 flag"/>');

  const again = await stack.run("up", "--yes", "--skip-preview");
  expect(again.exitCode).not.toBe(0);
  expect(again.output).toContain("sign_off: found 0 flags");

  await database.query("insert into platform.feature_flags (flag_key, flag_name) values ('signed_off', 'Signed off')");
  await stack.succeed("up", "--yes", "--skip-preview");
  expect((await kept()).result).toBe("PASS");
  await stack.succeed("up", "--yes", "--skip-preview", "--expect-no-changes");
  await stack.succeed("preview", "--expect-no-changes");

  const json = await verifyAlone("--json");
  expect(json.exitCode).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ databases: [{ result: "PASS" }] });
  expect(await stack.stateText()).not.toMatch(/redis:\/\/[^"]*:[^"]*@/);
}, 400_000);
