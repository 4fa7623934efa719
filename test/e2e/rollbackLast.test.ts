import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../tools/lib/paths.ts";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { runRollback } from "../support/rollbackCommand.ts";
import { startTestServer, type TestServer } from "../support/testServer.ts";

/** One layer, and what the platform's program keeps of its files. */
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { keepTree } from "./components/program/keptTree.ts";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";

if (!pulumi.runtime.isDryRun()) keepTree(pulumi.getStack()).catch((error) => pulumi.log.warn(String(error)));
const config = new pulumi.Config();
const keepDroppedDays = config.getNumber("keepDropped") ?? 0;
const provider = new Provider("target", { url: config.requireSecret("databaseUrl"), keepDroppedDays });
const allow = config.getObject<string[]>("allow") ?? [];
new Layer("shop", { name: "shop", files: ["sql/shop"], allow }, { provider });
`;

const table = (...columns: string[]) =>
  `create schema shop;\ncreate table shop.items (id integer primary key${columns.map((each) => `, ${each}`).join("")});\n`;

let server: TestServer;
let database: TestDatabase;
let stack: StackWorkspace;

beforeAll(async () => {
  server = await startTestServer();
  database = await createTestDatabase({ name: "shop", server: server.url("postgres") });
  stack = await createStackWorkspace({
    config: { "pgstrata:databaseUrl": { secret: database.url } },
    program: PROGRAM,
    files: { ".gitignore": "node_modules\n.pgstrata\nruns\n", "sql/shop/10-items.sql": table() },
  });
});
afterAll(async () => {
  await stack?.remove();
  await database?.drop();
  await server?.stop();
});

const git = (...args: string[]) =>
  execa("git", ["-c", "user.name=Test", "-c", "user.email=test@localhost", ...args], { cwd: stack.directory });

async function commit(message: string): Promise<string> {
  await git("add", "--all");
  await git("commit", "--quiet", "-m", message);
  return (await git("rev-parse", "HEAD")).stdout;
}

const up = () => stack.succeed("up", "--yes", "--skip-preview");

async function columns(): Promise<string> {
  const rows = await database.query<{ name: string }>(
    "select attname::text as name from pg_attribute where attrelid = 'shop.items'::regclass and attnum > 0 and not attisdropped order by attname",
  );
  return rows.map(({ name }) => name).join(" ");
}

const patches = () => readdir(join(stack.directory, "runs", "trees")).catch(() => []);

// One stack goes through its life: each test starts where the one before it ended.
describe("a rollback to the last update", () => {
  it("says so where the update was made outside of git", async () => {
    await up();
    await stack.write("sql/shop/10-items.sql", table("a integer"));
    await up();

    const { exitCode, output } = await runRollback(stack, "last", "--yes");

    expect(exitCode).toBe(1);
    expect(output).toContain("names no commit, because it was not made in a git repository");
    expect(await patches()).toEqual([]);
  });

  it("says so where no earlier update had other files", async () => {
    await git("init", "--quiet", "--initial-branch=main");
    await commit("a");
    await stack.succeed("stack", "rm", "--yes", "--force", "--preserve-config");
    await stack.succeed("stack", "init", stack.stack);
    await up();

    const { exitCode, output } = await runRollback(stack, "last", "--yes");

    expect(exitCode).toBe(1);
    expect(output).toContain("has no earlier update with other files that ended well");
  });

  it("brings files back that were not committed, and asks before rows that were written since are lost", async () => {
    await stack.write("sql/shop/10-items.sql", table("a integer", "b integer"));
    await stack.write("sql/shop/20-more.sql", "create table shop.more (id integer primary key);\n");
    await up();
    expect(await patches()).toHaveLength(1);
    await stack.write("sql/shop/10-items.sql", table("a integer", "b integer", "c integer"));
    const latest = await commit("c");
    await up();
    await database.query("insert into shop.items select n, n, n, n from generate_series(1, 3) as n");

    const stopped = await runRollback(stack, "last", "--yes");

    expect(stopped.exitCode, stopped.output).toBe(1);
    expect(stopped.output).toContain("run it again with --approve drop-column:shop.items.c");
    expect(await columns()).toBe("a b c id");

    const done = await runRollback(stack, "last", "--yes", "--json", "--approve", "drop-column:shop.items.c");

    expect(done.exitCode, done.output).toBe(0);
    expect(JSON.parse(done.stdout)).toMatchObject({ dirty: true, stack: "test" });
    expect(await columns()).toBe("a b id");
    expect(await database.query("select count(*)::int as n, sum(b)::int as b from shop.items")).toEqual([
      { n: 3, b: 6 },
    ]);
    expect(await database.query("select to_regclass('shop.more') is not null as there")).toEqual([{ there: true }]);
    expect((await git("rev-parse", "HEAD")).stdout).toBe(latest);
    expect((await git("worktree", "list", "--porcelain")).stdout.match(/^worktree /gm)).toHaveLength(1);
  });

  it("goes one update further the second time, and an update returns to the files of the checkout", async () => {
    const second = await runRollback(
      stack,
      ...["last", "--yes", "--approve", "drop-column:shop.items.b", "--approve", "drop-table:shop.more"],
    );

    expect(second.exitCode, second.output).toBe(0);
    expect(await columns()).toBe("a id");
    expect(await database.query("select count(*)::int as n from shop.items")).toEqual([{ n: 3 }]);

    await up();
    expect(await columns()).toBe("a b c id");
  });

  it("says so where the commit is not in the repository", async () => {
    await rm(join(stack.directory, ".git"), { recursive: true });
    // The project is a folder of another repository now.
    const outer = dirname(stack.directory);
    await writeFile(join(outer, ".gitignore"), "/*\n!/project\n");
    await execa("git", ["init", "--quiet", "--initial-branch=main", outer]);
    await commit("another history");

    const { exitCode, output } = await runRollback(stack, "last", "--yes");

    expect(exitCode).toBe(1);
    expect(output).toContain("which is not in this repository");
  });

  it("gives back what it has kept, with the packages of then, in a project that is a folder of a repository", async () => {
    await stack.write("package-lock.json", '{ "of": "then" }\n');
    await commit("with c");
    await up();
    await database.query("update shop.items set c = id * 7; insert into shop.items values (9, 1, 1, 63)");
    const rows = await database.query("select * from shop.items order by id");
    await stack.setConfig({ "pgstrata:keepDropped": "30", "pgstrata:allow": '["drop-column:shop.items.c"]' });
    await stack.write("sql/shop/10-items.sql", table("a integer", "b integer"));
    await stack.write("package-lock.json", '{ "of": "now" }\n');
    await commit("without c");
    await up();
    expect(await columns()).toMatch(/^a b id pgstrata_kept_\d+_c$/);
    await database.query("insert into shop.items values (10, 1, 1)");

    // A stand-in for npm tells what it is asked, and where.
    const bin = join(dirname(stack.directory), "bin");
    await mkdir(bin);
    const said = join(bin, "said");
    const npm = `#!/bin/sh\necho "$1 $(cat package-lock.json)" >> "${said}"\nln -s "${projectRoot}/node_modules" node_modules\n`;
    await writeFile(join(bin, "npm"), npm, { mode: 0o755 });
    const env = { ...stack.env, PATH: `${bin}:${stack.env.PATH}` };
    const done = await runRollback({ ...stack, env }, "last", "--yes");

    expect(done.exitCode, done.output).toBe(0);
    expect(await readFile(said, "utf8")).toBe('ci { "of": "then" }\n');
    expect(await columns()).toBe("a b c id");
    expect(await database.query("select * from shop.items where id < 10 order by id")).toEqual(rows);
    expect(await database.query("select c from shop.items where id = 10")).toEqual([{ c: null }]);
  });
});
