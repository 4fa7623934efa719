import { existsSync } from "node:fs";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { projectRoot } from "../../tools/lib/paths.ts";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../support/database.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Backup } from "./components/release/Backup.ts";
import { Preflight } from "./components/release/Preflight.ts";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import { Verification } from "./components/resources/Verification.ts";

const config = new pulumi.Config();
const provider = new Provider("target", {
  url: config.requireSecret("databaseUrl"),
  backup: "external",
  backupCommand: config.require("backupCommand"),
});
new Preflight(
  "preflight",
  { schemas: ["shop"], sources: ["sql/shop"], checks: "sql/gate", ...(config.get("approvedPlan") ? { approvedPlan: config.get("approvedPlan") } : {}) },
  { providers: [provider] },
);
const layer = new Layer("shop", { name: "shop", files: ["sql/shop"] }, { provider });
new Backup("backup", { after: [layer] }, { providers: [provider] });
new Verification("verification", { checks: ["sql/shop-checks"] }, { provider, dependsOn: [layer] });
`;
const FILE = "sql/shop/10-tables.sql";
const CHECK = "sql/shop-checks/10-jobs.sql";
const NOW = "date -u +%Y-%m-%dT%H:%M:%SZ";
const withColumns = (...columns: string[]): string =>
  `create schema shop;\ncreate table shop.jobs (\n  id int primary key${columns.map((name) => `,\n  ${name} text`).join("")}\n);\n`;
const checkOf = (status: string): string =>
  `-- check: shop.jobs\nselect 'shop.jobs' as name, '${status}' as status, 'found' as measured, 'expected' as expected;\n`;

const CANARY = "canary-of-the-webhook";

const report = z.object({
  result: z.string(),
  stays: z.string(),
  digest: z.string().optional(),
  stages: z.array(z.object({ name: z.string(), status: z.string() })),
  changed: z.array(z.string()),
  warnings: z.array(z.string()),
});

interface Deployed {
  exitCode: number;
  output: string;
  report: z.output<typeof report>;
  /** All that was written and posted. */
  texts: string[];
}

// One stack goes through its life: each test starts where the one before it ended.
let owner: TestRole;
let database: TestDatabase;
let stack: StackWorkspace;
let hook: Server;
let posted: string[] = [];
beforeAll(async () => {
  owner = await createTestRole({ attributes: "superuser" });
  database = await createTestDatabase();
  hook = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => {
      body += part;
    });
    request.on("end", () => {
      posted.push(body);
      response.end();
    });
  });
  await new Promise<void>((resolve) => void hook.listen(0, "127.0.0.1", resolve));
  const address = hook.address();
  if (address === null || typeof address === "string") throw new Error("the webhook has no port");
  stack = await createStackWorkspace({
    program: PROGRAM,
    config: {
      "pgstrata:databaseUrl": { secret: database.urlFor(owner) },
      "pgstrata:notifyUrl": { secret: `http://127.0.0.1:${address.port}/${CANARY}` },
      "pgstrata:backupCommand": NOW,
    },
    files: { [FILE]: withColumns(), [CHECK]: checkOf("PASS"), "sql/gate/readme.txt": "" },
  });
});
afterAll(async () => {
  hook?.close();
  await stack?.remove();
  await database?.drop();
  await owner?.drop();
});

describe("npm run deploy", () => {
  it("goes through all stages, keeps a report, and tells a webhook", async () => {
    const { exitCode, output, report, texts } = await deploy();

    expect(output).toContain("DONE: Changed: Layer shop.");
    expect(exitCode).toBe(0);
    expect(report).toMatchObject({ result: "DONE", changed: ["Layer shop"] });
    expect(statusesOf(report)).toEqual({
      ...{ gate: "passed", plan: "passed", question: "passed" },
      ...{ backup: "passed", update: "passed", verification: "passed" },
    });
    expect(posted.map((body) => JSON.parse(body).event)).toEqual(["start", "end"]);
    expect(output).toMatch(/Took 0:\d\d of 60:00\./);
    for (const secret of [owner.password, CANARY]) expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  });

  it("has nothing to do afterwards", async () => {
    const { exitCode, report } = await deploy();

    expect(report).toMatchObject({ result: "NOTHING TO DO", stays: "Nothing was changed." });
    expect(exitCode).toBe(0);
    expect(posted).toEqual([]);
  });

  it("carries out the approved plan and no other, and warns of a webhook that is dead", async () => {
    await stack.write(FILE, withColumns("name"));
    const other = await deploy("--approved-plan", "0000000000-0000000000-0000000000-0000000000");

    expect(other.output).toContain("PS842");
    expect(other.report.result).toBe("NO-GO");
    expect(other.exitCode).toBe(1);
    expect(await columns()).toEqual(["id"]);
    expect(posted.map((body) => JSON.parse(body).event)).toEqual(["FAIL"]);

    await stack.setConfig({ "pgstrata:notifyUrl": { secret: `http://127.0.0.1:1/${CANARY}` } });
    const approved = await deploy("--approved-plan", other.report.digest ?? "");

    expect(approved.report.result).toBe("DONE");
    expect(approved.output).toContain("WARNING: end was not told: the webhook of notifyUrl cannot be reached");
    expect(approved.texts.filter((text) => text.includes(CANARY))).toEqual([]);
    expect(await columns()).toEqual(["id", "name"]);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("says what stays when it is interrupted, in each stage that takes its time", async () => {
    await stack.setConfig({ "pgstrata:backupCommand": "sleep 60" });
    await stack.write(FILE, withColumns("name", "region"));
    const inPlan = await deployUntil("── plan");
    expect(inPlan).toMatchObject({ exitCode: 130, report: { result: "INTERRUPTED", stays: "Nothing was changed." } });

    const inQuestion = await deployUntil("Type test for yes", asking);
    expect(inQuestion).toMatchObject({
      ...{ exitCode: 130, report: { result: "INTERRUPTED", stays: "Nothing was changed." } },
      output: expect.stringContaining("INTERRUPTED: Nothing was changed."),
    });
    expect(statusesOf(inQuestion.report)).toMatchObject({ plan: "passed", question: "interrupted", update: "open" });

    const inBackup = await deployUntil("── backup");
    expect(inBackup).toMatchObject({ exitCode: 130, report: { result: "INTERRUPTED", stays: "Nothing was changed." } });
    expect(statusesOf(inBackup.report)).toMatchObject({ backup: "interrupted", verification: "open" });
    expect(await columns()).toEqual(["id", "name"]);

    await stack.setConfig({ "pgstrata:backupCommand": NOW });
    const client = await database.pool.connect();
    await client.query("begin; lock table shop.jobs in row exclusive mode");
    const inUpdate = await deployUntil("Layer shop: ");
    await client.query("rollback");
    client.release();
    expect(inUpdate.exitCode).toBe(130);
    expect(inUpdate.report.stays).toMatch(
      /No resource was changed\. Not finished: .*Layer shop|No resource was changed/,
    );
    expect(await columns()).toEqual(["id", "name"]);
  });

  it("fails with a verification that fails, and says that the changes stay", async () => {
    await stack.write(CHECK, checkOf("FAIL"));
    const { exitCode, output, report } = await deploy();

    expect(exitCode).toBe(1);
    expect(report.result).toBe("FAIL");
    expect(statusesOf(report)).toMatchObject({ update: "passed", verification: "failed" });
    expect(report.stays).toContain("Changed, and kept: Layer shop.");
    expect(output).toContain("npm run rollback -- last");
    expect(await columns()).toEqual(["id", "name", "region"]);
  });
});

describe("an interrupt of npm run deploy while it verifies", () => {
  it("leaves what was changed, and says so", async () => {
    await stack.write(CHECK, checkOf("PASS").replace(";", " from pg_sleep(100);"));
    await stack.write(FILE, withColumns("name", "region", "city"));
    const { exitCode, report } = await deployUntil("── verification");

    expect(exitCode).toBe(130);
    expect(report.result).toBe("INTERRUPTED");
    expect(report.stays).toBe("Changed, and kept: Layer shop. Run this again: it goes on from there.");
  });
});

describe("npm run plan -- --markdown", () => {
  it("is a comment as well where the program crashes, without its secrets", async () => {
    // The CLI masks a secret that is printed as a whole.
    await stack.write(
      "index.ts",
      `import * as pulumi from "@pulumi/pulumi";\nthrow new Error("crash with " + new URL(new pulumi.Config().require("databaseUrl")).password);\n`,
    );
    const { stdout, exitCode } = await command("plan", "--markdown");

    expect(stdout).toMatch(/^### Stopped: plan of stack `test`\n/);
    expect(stdout).toContain("crash with");
    expect(stdout).not.toContain(owner.password);
    expect(exitCode).toBe(1);
  });
});

const statusesOf = ({ stages }: Deployed["report"]): Record<string, string> =>
  Object.fromEntries(stages.map(({ name, status }) => [name, status]));

const columns = async (): Promise<string[]> =>
  (
    await database.query<{ attname: string }>(
      "select attname from pg_attribute where attrelid = 'shop.jobs'::regclass and attnum > 0 order by attnum",
    )
  ).map(({ attname }) => attname);

const toolOf = (name: string, ...args: string[]): string[] => {
  const tool = join(projectRoot, "tools", "commands", `${name}.ts`);
  return [tool, "--stack", "test", "-C", stack.directory, ...args];
};

function started(args: readonly string[], stdin: "ignore" | "pipe") {
  return execa(process.execPath, args, {
    ...{ cwd: stack.directory, env: stack.env, extendEnv: false, reject: false, all: true, stdin },
  });
}

const command = (name: string, ...args: string[]) => started(toolOf(name, ...args), "ignore");

/** Deploys with an open input that the command takes for a terminal, so that it asks. */
function asking() {
  const terminal = ["--import", "data:text/javascript,process.stdin.isTTY=true"];
  return started([...terminal, ...toolOf("deploy")], "pipe");
}

async function deploy(...args: string[]): Promise<Deployed> {
  posted = [];
  await rm(join(stack.directory, "runs"), { recursive: true, force: true });
  return deployed(command("deploy", "--yes", ...args));
}

/** Interrupts the command, and nothing that it has started, as soon as it prints something. */
async function deployUntil(text: string, start = () => command("deploy", "--yes")): Promise<Deployed> {
  await rm(join(stack.directory, "runs"), { recursive: true, force: true });
  const child = start();
  let output = "";
  child.all?.on("data", (part) => {
    output += part;
  });
  const ended = child.then(() => true);
  while (!new RegExp(text).test(output)) {
    if (await Promise.race([ended, sleep(50)])) throw new Error(`it ended before ${text}:\n${output}`);
  }
  await sleep(300);
  child.kill("SIGINT");
  return deployed(child);
}

async function deployed(child: ReturnType<typeof command>): Promise<Deployed> {
  const { exitCode = -1, all = "" } = await child;
  const runs = join(stack.directory, "runs");
  if (!existsSync(runs)) throw new Error(`no report was written:\n${all}`);
  const [folder = ""] = await readdir(runs);
  const files = await readdir(join(runs, folder));
  const texts = await Promise.all(files.map((name) => readFile(join(runs, folder, name), "utf8")));
  const modes = await Promise.all(
    [runs, join(runs, folder), ...files.map((name) => join(runs, folder, name))].map((path) => stat(path)),
  );
  expect(modes.map(({ mode }) => (mode & 0o777).toString(8))).toEqual(["700", "700", ...files.map(() => "600")]);
  expect(files.sort()).toEqual(["report.json", "report.md"]);
  const json = await readFile(join(runs, folder, "report.json"), "utf8");
  return {
    exitCode,
    output: String(all),
    report: report.parse(JSON.parse(json)),
    texts: [...texts, String(all), ...posted],
  };
}
