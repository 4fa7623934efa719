import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { diagnosticsIn } from "../support/cliOutput.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../support/database.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Preflight } from "./components/release/Preflight.ts";
import { Verification } from "./components/release/Verification.ts";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import { Row } from "./components/resources/Row.ts";

const config = new pulumi.Config();
const provider = new Provider("target", { url: config.requireSecret("databaseUrl"), backup: "off" });
const promoteFrom = config.get("promoteFrom");
const preflight = new Preflight(
  "preflight",
  {
    schemas: ["shop"],
    sources: ["sql/shop", "sql/shop-checks"],
    checks: "sql/gate",
    ...(promoteFrom === undefined ? {} : { promoteFrom, promoteMaxAgeHours: config.getNumber("promoteMaxAgeHours") ?? 24 }),
  },
  { providers: [provider] },
);
const layer = new Layer("shop", { name: "shop", files: ["sql/shop"] }, { provider });
const rows = ["a", ...(config.getBoolean("second") ? ["b"] : [])].map(
  (code) => new Row(code, { table: "shop.codes", key: { code } }, { provider, dependsOn: [layer] }),
);
const verification = new Verification(
  "verification",
  { checks: ["sql/shop-checks"], desired: preflight.desired },
  { providers: [provider], dependsOn: [layer, ...rows] },
);
export const release = verification.release;
`;
const FILE = "sql/shop/10-tables.sql";
const withColumns = (...columns: string[]): string =>
  `create schema shop;\ncreate table shop.codes (\n  code text primary key${columns.map((name) => `,\n  ${name} text`).join("")}\n);\n`;
/** Fails for a row that a person has written. */
const CHECK = `-- check: shop.codes
select 'shop.codes' as name, case when count(*) > 0 then 'PASS' else 'FAIL' end as status, count(*) || ' codes' as measured,
  'a code' as expected
from shop.codes where not exists (select from shop.codes where code = 'bad');
`;

// Two databases, and two stacks in one project and one backend, that go through their lives.
let owner: TestRole;
let dev: TestDatabase;
let prod: TestDatabase;
let stack: StackWorkspace;
beforeAll(async () => {
  owner = await createTestRole({ attributes: "superuser" });
  [dev, prod] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  stack = await createStackWorkspace({
    stack: "dev",
    program: PROGRAM,
    config: { "pgstrata:databaseUrl": { secret: dev.urlFor(owner) } },
    files: {
      ".gitignore": "node_modules\n.pgstrata\nruns\nPulumi.*.yaml\n",
      [FILE]: withColumns(),
      "sql/shop-checks/10-codes.sql": CHECK,
      "sql/gate/readme.txt": "",
    },
  });
  await stack.succeed("stack", "init", "prod");
  await setProd("promoteFrom", "dev");
  await execa("pulumi", ["config", "set", "--secret", "pgstrata:databaseUrl", "--stack", "prod"], {
    ...{ cwd: stack.directory, env: stack.env, extendEnv: false, input: prod.urlFor(owner) },
  });
});
afterAll(async () => {
  await stack?.remove();
  await Promise.all([dev?.drop(), prod?.drop()]);
  await owner?.drop();
});

const setProd = (name: string, value: string) => stack.succeed("config", "set", name, value, "--stack", "prod");
const git = (...args: string[]) =>
  execa("git", ["-c", "user.name=Test", "-c", "user.email=test@localhost", ...args], { cwd: stack.directory });

async function promote(...args: string[]): Promise<{ exitCode: number; output: string }> {
  const { exitCode = -1, all = "" } = await execa(
    process.execPath,
    [join(stack.directory, "tools/commands/promote.ts"), "-C", stack.directory, ...args],
    { cwd: stack.directory, env: stack.env, extendEnv: false, reject: false, all: true, stdin: "ignore" },
  );
  return { exitCode, output: all };
}

async function columns({ query }: TestDatabase): Promise<string> {
  const rows = await query<{ name: string }>(
    "select attname::text as name from pg_attribute where attrelid = to_regclass('shop.codes') and attnum > 0 order by attnum",
  );
  return rows.map(({ name }) => name).join(" ");
}

async function release(): Promise<Record<string, string>> {
  return JSON.parse((await stack.succeed("stack", "output", "release", "--json", "--stack", "dev")).stdout);
}

describe("npm run promote", () => {
  it("refuses what dev has not verified, and a stack that does not exist", async () => {
    const { exitCode, output } = await promote("--yes");
    expect(output).toContain("Stack dev exports no verified release");
    expect(exitCode).toBe(1);

    await setProd("promoteFrom", "nowhere");
    const nowhere = await promote("--yes", "--from", "nowhere");
    expect(nowhere.output).toContain("no stack named 'nowhere' found");
    expect(nowhere.output).not.toMatch(/^ +at /m);
    const preview = await stack.run("preview", "--stack", "prod");
    expect(diagnosticsIn(preview)).toContain('unknown stack "organization/pgstrata/nowhere"');
    expect(preview.output).not.toMatch(/^ +at /m);
    await setProd("promoteFrom", "dev");
  });

  it("asks, and brings to prod what dev has run and verified, with its commit", async () => {
    await git("init", "--quiet", "--initial-branch=main");
    await git("add", "--all");
    await git("commit", "--quiet", "-m", "first");
    await stack.write("sql/gate/readme.txt", "Not committed.\n");
    await stack.succeed("up", "--yes", "--skip-preview");

    const asked = await promote();
    expect(asked.output).toContain("PS841");
    expect(await columns(prod)).toBe("");

    const { exitCode, output } = await promote("--yes");
    expect(output).toMatch(/^Promotes [0-9a-f]{10} from dev to prod: PASS at .*, commit [0-9a-f]{40}-dirty\.\n/);
    expect(output).toContain("verification: PASS, 1 of 1 checks pass");
    expect(exitCode).toBe(0);
    expect(await columns(prod)).toBe("code");
  });

  it("refuses what is too old, and other files than those that dev has verified", async () => {
    await stack.write(FILE, withColumns("name"));
    await setProd("promoteMaxAgeHours", "0");
    expect((await promote("--yes")).output).toMatch(
      /NO-GO\. promotion: it has files .* of commit .*-dirty; these are /,
    );

    await stack.succeed("up", "--yes", "--skip-preview");
    expect((await promote("--yes")).output).toMatch(/NO-GO\. promotion: it was verified at .* within 0 h/);
    expect(await columns(prod)).toBe("code");
    await setProd("promoteMaxAgeHours", "24");
  });

  it("refuses what dev has failed with since, until it is verified", async () => {
    await dev.query("insert into shop.codes values ('bad'); alter table shop.codes drop column name");
    expect((await stack.run("up", "--yes", "--skip-preview")).output).toContain("PS822");
    // The update that failed exports nothing.
    expect(await release()).toMatchObject({ result: "PASS" });
    expect((await promote("--yes")).output).toMatch(/PS843/);
    await dev.query("delete from shop.codes where code = 'bad'");
  });

  it("refuses a release whose update has deleted something after its checks, until it is verified again", async () => {
    await stack.setConfig({ "pgstrata:second": "true" });
    await stack.succeed("up", "--yes", "--skip-preview");
    await stack.setConfig({ "pgstrata:second": "false" });
    const deleting = await stack.succeed("up", "--yes", "--skip-preview");
    expect(diagnosticsIn(deleting)).toContain("this update has not come to Row b: it deletes them after the checks");
    expect(await release()).toMatchObject({ result: "PENDING" });
    expect((await promote("--yes")).output).toContain("says PENDING, expected PASS");

    await stack.succeed("up", "--yes", "--skip-preview");
    expect(await release()).toMatchObject({ result: "PASS" });
    await stack.succeed("preview", "--expect-no-changes");
    expect((await promote("--yes")).exitCode).toBe(0);
    expect(await columns(prod)).toBe("code name");
  });
});
