import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { hostname, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { countsIn } from "../support/cliOutput.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../support/database.ts";
import { descendants, stillRunning } from "../support/processTree.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";

const url = new pulumi.Config().requireSecret("databaseUrl");
const provider = new Provider("target", { url });
new Layer("shop", { name: "shop", files: ["sql/shop"] }, { provider });
export const database = url;
`;
const FILE = "sql/shop/10-tables.sql";
const withColumns = (...columns: string[]) =>
  `create schema shop;\ncreate table shop.jobs (\n  id int primary key${columns.map((name) => `,\n  ${name} text`).join("")}\n);\n`;

const ORPHAN_LIMIT_MS = 15_000;
const passphrase = randomBytes(16).toString("hex");

// One stack goes through its life in two checkouts: each test starts where the one before it ended.
let owner: TestRole;
let keeper: TestRole;
let target: TestDatabase;
let state: TestDatabase;
let ann: StackWorkspace;
let ben: StackWorkspace;
beforeAll(async () => {
  [owner, keeper] = await Promise.all([createTestRole({ attributes: "superuser" }), createTestRole()]);
  [target, state] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await state.query(`alter database ${quoteIdent(state.name)} owner to ${quoteIdent(keeper.name)}`);
  const url = new URL(state.urlFor(keeper));
  url.password = "";
  const shared = {
    stack: "team",
    program: PROGRAM,
    backend: {
      url: `${url.href.replace(/^postgresql:/, "postgres:")}?sslmode=disable`,
      passphrase,
      env: { PGPASSWORD: keeper.password },
    },
  };
  ann = await createStackWorkspace({
    ...shared,
    config: { "pgstrata:databaseUrl": { secret: target.urlFor(owner) } },
    files: { [FILE]: withColumns("name") },
  });
  await ann.succeed("up", "--yes", "--skip-preview");
  const settings = "Pulumi.team.yaml";
  const text = await readFile(join(ann.directory, settings), "utf8");
  ben = await createStackWorkspace({
    ...shared,
    joins: true,
    files: { [FILE]: withColumns("name"), [settings]: text },
  });
});
afterAll(async () => {
  await Promise.all([ann?.remove(), ben?.remove()]);
  await Promise.all([target?.drop(), state?.drop()]);
  await Promise.all([owner?.drop(), keeper?.drop()]);
});

describe("two checkouts with their state in one Postgres database", () => {
  it("see the same stack, and each the other's update", async () => {
    const { stdout } = await ben.succeed("stack", "ls", "--json");

    expect(JSON.parse(stdout)).toMatchObject([{ name: "team", resourceCount: 3 }]);
    await ben.succeed("preview", "--expect-no-changes");
  });

  it("update one at a time: the other one is refused, and told who it is", async () => {
    await bothWrite(withColumns("name", "region"));
    const users = await lockJobs();
    const update = await startUpdate(ann);

    const refused = await ben.run("up", "--yes", "--skip-preview");

    expect(refused.exitCode).not.toBe(0);
    expect(refused.output).toContain("the stack is currently locked by 1 lock(s)");
    expect(refused.output).toContain(`created by ${userInfo().username}@${hostname()} (pid ${update.pid}) at `);
    expect(refused.output).not.toContain(keeper.password);
    await users.leave();
    expect((await update.ended).exitCode).toBe(0);
    expect(await locks()).toEqual([]);
    await ben.succeed("preview", "--expect-no-changes");
  });

  it("go on after one was killed in an update: the other one cancels it, and its own update makes up for it", async () => {
    await bothWrite(withColumns("name", "region", "priority"));
    const users = await lockJobs();
    const update = await startUpdate(ann);
    await update.kill();
    await users.leave();

    const refused = await ben.run("up", "--yes", "--skip-preview");
    expect(refused.output).toContain(`(pid ${update.pid})`);
    await ben.succeed("cancel", "--yes");

    expect(await locks()).toEqual([]);
    expect(countsIn(await ben.succeed("up", "--yes", "--skip-preview"))).toEqual({ updated: 1, unchanged: 2 });
    await ann.succeed("preview", "--expect-no-changes");
  });

  it("leave no secret in the clear there", async () => {
    const texts = await stored();

    // The state itself, its backups and its history are found, so that the absence of secrets means
    // something.
    expect(texts.filter((text) => text.includes("pgstrata:index:Layer")).length).toBeGreaterThan(3);
    for (const secret of [owner.password, keeper.password, passphrase]) {
      expect(texts.filter((text) => text.includes(secret))).toEqual([]);
    }
  });
});

/** As git would bring the same commit to both. */
async function bothWrite(sql: string): Promise<void> {
  await Promise.all([ann.write(FILE, sql), ben.write(FILE, sql)]);
}

/** A session that works on the table, so that an update has to wait. */
async function lockJobs(): Promise<{ leave(): Promise<void> }> {
  const client = await target.pool.connect();
  await client.query("begin; lock table shop.jobs in row exclusive mode");
  return {
    leave: async () => {
      await client.query("rollback");
      client.release();
    },
  };
}

/** Starts an update in a checkout; it waits for the table when this returns. */
async function startUpdate({ directory, env }: StackWorkspace) {
  const child = execa("pulumi", ["--non-interactive", "--color", "never", "up", "--yes", "--skip-preview"], {
    cwd: directory,
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    all: true,
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("the command has no process");
  let output: string | undefined;
  child.then((result) => {
    output = result.all;
  });
  const isWaiting = async () =>
    (await target.query("select from pg_locks where relation = to_regclass('shop.jobs') and not granted")).length > 0;
  while (!(await isWaiting())) {
    if (output !== undefined) throw new Error(`the update ended before it had to wait:\n${output}`);
    await sleep(20);
  }
  return {
    pid,
    ended: child,
    /** Ends the CLI as a lost machine would, and what it started. */
    kill: async () => {
      const family = descendants(pid);
      process.kill(pid, "SIGKILL");
      const ours = family.filter(({ command }) => command.includes("provider/main.ts"));
      expect(await stillRunning(ours, ORPHAN_LIMIT_MS)).toEqual([]);
      // Pulumi's language host is no process of ours, and may outlive a command that is killed.
      for (const orphan of await stillRunning(family, 0)) process.kill(orphan.pid, "SIGKILL");
      await child;
    },
  };
}

/** The CLI keeps each of its files as a row, in base64. */
async function stored(): Promise<string[]> {
  const rows = await state.query<{ text: string }>(
    "select convert_from(decode(data->>'data', 'base64'), 'utf8') as text from pulumi_state",
  );
  return rows.map(({ text }) => text);
}

async function locks(): Promise<string[]> {
  const rows = await state.query<{ key: string }>("select key from pulumi_state where key like '%/.pulumi/locks/%'");
  return rows.map(({ key }) => key);
}
