import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { projectRoot } from "../../tools/lib/paths.ts";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { countsIn } from "../support/cliOutput.ts";
import { ask, createTestDatabase, type TestDatabase } from "../support/database.ts";
import { findPgDump } from "../support/pgDump.ts";

const PROGRAM = `
import { Backup } from "./components/release/Backup.ts";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import * as pulumi from "@pulumi/pulumi";
const target = new Provider("target", {
  url: new pulumi.Config().requireSecret("databaseUrl"), backup: "dump", backupFolder: "backups", backupKeep: 5,
});
const app = new Layer("app", { name: "app", files: ["app"], forceDestroy: true }, { provider: target });
const view = new Layer("view", { name: "view", files: ["view"], base: [{ name: "app", files: ["app"] }] }, { provider: target, dependsOn: app });
new Backup("backup", { after: [app, view] }, { providers: [target] });
`;
const TABLE = "create schema app; create table app.items (id int primary key, name text);";
const VIEW = "create view app.names as select name from app.items;";

let database: TestDatabase;
let stack: StackWorkspace;
beforeAll(async () => {
  await findPgDump();
  database = await createTestDatabase();
  stack = await createStackWorkspace({
    program: PROGRAM,
    files: { "app/items.sql": TABLE, "view/names.sql": VIEW },
    config: { "pgstrata:databaseUrl": { secret: database.url } },
  });
});
afterAll(async () => {
  const kept = (
    await ask(inject("serverUrl"), `select datname from pg_database where datname ^@ '${database.name}_'`)
  ).map(({ datname }) => String(datname));
  await stack.remove();
  await database.drop();
  for (const name of kept) await ask(inject("serverUrl"), `drop database if exists "${name}" with (force)`);
});

const dumps = async (): Promise<string[]> =>
  (await readdir(join(stack.directory, "backups"))).filter((name) => name.endsWith(".dump")).sort();

async function tool(name: string, ...args: string[]) {
  const node = join(projectRoot, "node_modules", ".bin", "node");
  return execa(node, [join(stack.directory, "tools", "commands", `${name}.ts`), ...args], {
    cwd: stack.directory,
    env: stack.env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
  });
}

describe("a stack with backups", () => {
  it("takes one before its first change, with the state, and none where nothing changes", async () => {
    const preview = await stack.succeed("preview");
    expect(preview.output).toContain("pgstrata:index:Backup backup create");
    const up = await stack.succeed("up", "--yes", "--skip-preview");
    expect(up.output).toMatch(/backup: .*\.dump \(0 tables, 0 rows; restored into embedded PostgreSQL/);
    expect(up.output).not.toContain("the state of the stack is not part of it");
    expect(await dumps()).toHaveLength(1);

    expect(
      countsIn(await stack.succeed("up", "--yes", "--skip-preview", "--expect-no-changes")).updated,
    ).toBeUndefined();
    expect(await dumps()).toHaveLength(1);
  });

  it("shows in a preview that one will be taken, and takes it with the rows", async () => {
    await database.query("insert into app.items select n, 'row ' || n from generate_series(1, 100) n");
    await stack.write("app/items.sql", TABLE.replace("name text", "name text, more int"));
    const preview = await stack.succeed("preview");
    expect(preview.output).toMatch(/pgstrata:index:Backup backup update/);
    await stack.succeed("up", "--yes", "--skip-preview");
    const { resources = [] } = (await stack.exportState()).deployment;
    const record = resources.find(({ type }) => type === "pgstrata:index:Backup");
    expect(record?.outputs).toMatchObject({
      mode: "dump",
      rowCounts: { '"app"."items"': 100 },
      sha256: expect.any(String),
    });
    expect(await dumps()).toHaveLength(2);
  });

  it("takes one before a destroy of a part of it", async () => {
    await stack.succeed(
      "destroy",
      "--yes",
      "--skip-preview",
      "--target",
      "**pgstrata:index:Layer::view",
      "--target-dependents",
    );
    expect(await dumps()).toHaveLength(3);
    expect(await database.query("select 1 from pg_views where schemaname = 'app'")).toEqual([]);
  });

  it("lists them, newest first, with age, size and proof", async () => {
    const { stdout, exitCode } = await tool("backups", "--stack", stack.stack);
    expect([exitCode, stdout.split("\n").length]).toEqual([0, 3]);
    expect(stdout.split("\n")[0]).toMatch(
      /^test\.\S+\.\d{8}T\d{6}Z +\d+ (s|min) old +\d+ KB +1 tables, 100 rows +restored into embedded PostgreSQL \S+ +with the state$/,
    );
    const json = JSON.parse((await tool("backups", "--stack", stack.stack, "--json")).stdout);
    expect(
      json.backups.map(({ rows }: { rows: Record<string, { count: number }> }) => rows['"app"."items"']?.count),
    ).toEqual([100, 100, undefined]);
    expect(JSON.stringify(json)).not.toContain(new URL(database.url).password);
  });

  it("gets rows and state back", async () => {
    await database.query("delete from app.items where id > 7");
    const asked = await tool("restore", "latest", "--stack", stack.stack);
    expect([asked.exitCode, asked.stderr]).toEqual([1, expect.stringContaining("or with --yes")]);

    const { stdout, stderr, exitCode } = await tool("restore", "latest", "--stack", stack.stack, "--yes", "--json");

    expect([exitCode, stderr]).toEqual([0, expect.stringContaining("becomes that of the backup")]);
    const done = JSON.parse(stdout);
    expect(done.stages.map(({ name }: { name: string }) => name)).toEqual([
      "check",
      "new database",
      "restore",
      "proof",
      "swap",
      "state",
    ]);
    expect(done.hasState).toBe(true);
    expect(await ask(database.url, "select count(*)::int as n from app.items")).toEqual([{ n: 100 }]);
    const kept = new URL(database.url);
    kept.pathname = `/${done.keptAs}`;
    expect(await ask(kept.href, "select count(*)::int as n from app.items")).toEqual([{ n: 7 }]);
    // The view of before the destroy is part of both again.
    expect(await ask(database.url, "select viewname from pg_views where schemaname = 'app'")).toEqual([
      { viewname: "names" },
    ]);
    // The destroy had begun with the record of the last backup, which depends on all else.
    const preview = await stack.succeed("preview");
    expect(preview.output).toContain("pgstrata:index:Backup backup create");
    expect(countsIn(preview)).toEqual({ "to create": 1, unchanged: expect.any(Number) });
  });
});
