import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { projectRoot } from "../../tools/lib/paths.ts";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { countsIn } from "../support/cliOutput.ts";
import { ask, createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../support/database.ts";
import { findPgDump } from "../support/pgDump.ts";

const PROGRAM = `
import { Backup } from "./components/release/Backup.ts";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import * as pulumi from "@pulumi/pulumi";
const target = new Provider("target", {
  url: new pulumi.Config().requireSecret("databaseUrl"), backup: "dump", backupProof: "restore", backupFolder: "backups", backupKeep: 5,
});
const app = new Layer("app", { name: "app", files: ["app"], forceDestroy: true }, { provider: target });
const view = new Layer("view", { name: "view", files: ["view"], base: [{ name: "app", files: ["app"] }] }, { provider: target, dependsOn: app });
new Backup("backup", { after: [app, view] }, { providers: [target] });
`;
const TABLE = "create schema app; create table app.items (id int primary key, name text);";
const VIEW = "create view app.names as select name from app.items;";

/** What a schema of somebody else has in it, with a secret that only the server and its dumps may hold. */
const CANARY = "canary-of-the-mapping";
const odd = (owner: string): string => `
  create schema "Of ""others""" authorization "${owner}";
  create table "Of ""others"""."My Table" ("a ""b""" text primary key, "ÄÖ" int);
  alter table "Of ""others"""."My Table" owner to "${owner}";
  insert into "Of ""others"""."My Table" values ('x''y', 1), (E'tab\\tnew\\nline', 2);
  select lo_from_bytea(0, 'large');
  create foreign data wrapper "Odd wrapper";
  create server "Odd server" foreign data wrapper "Odd wrapper" options (host 'nowhere');
  create user mapping for "${owner}" server "Odd server" options (password '${CANARY}')`;

let owner: TestRole;
let database: TestDatabase;
let replacement: TestDatabase;
let stack: StackWorkspace;
beforeAll(async () => {
  await findPgDump();
  owner = await createTestRole({ prefix: "Odd Owner" });
  database = await createTestDatabase({ name: `The "Odd" Shop ${process.pid}` });
  replacement = await createTestDatabase({ name: `The "Odd" Shop ${process.pid} new` });
  stack = await createStackWorkspace({
    program: PROGRAM,
    files: { "app/items.sql": TABLE, "view/names.sql": VIEW },
    config: { "pgstrata:databaseUrl": { secret: database.url } },
  });
});
afterAll(async () => {
  const kept = (
    await ask(
      inject("serverUrl"),
      `select datname from pg_database where datname ^@ '${database.name}_' or datname ^@ '${replacement.name}_'`,
    )
  ).map(({ datname }) => String(datname));
  await stack.remove();
  await Promise.all([database.drop(), replacement.drop()]);
  for (const name of kept) await ask(inject("serverUrl"), `drop database if exists ${quoteIdent(name)} with (force)`);
  await owner.drop();
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
    await database.query(odd(owner.name));

    const deployed = await tool("deploy", "--stack", stack.stack, "--yes");

    expect(deployed.stdout).toMatch(/backup: \S+\.dump \(/);
    expect(deployed.stdout).toContain("DONE: Changed: Layer app.");
    const { resources = [] } = (await stack.exportState()).deployment;
    const record = resources.find(({ type }) => type === "pgstrata:index:Backup");
    expect(record?.outputs).toMatchObject({
      mode: "dump",
      rowCounts: { '"app"."items"': 100, '"Of ""others"""."My Table"': 2 },
      sha256: expect.any(String),
      proof: expect.stringMatching(/^restore: embedded PostgreSQL/),
    });
    expect(await dumps()).toHaveLength(2);
  });

  it("holds what the server holds, secrets of user mappings too, in a file for its user alone", async () => {
    const folder = join(stack.directory, "backups");
    const found: string[] = [];
    for (const name of await readdir(folder)) {
      expect(((await stat(join(folder, name))).mode & 0o777).toString(8)).toBe("600");
      if ((await readFile(join(folder, name))).includes(CANARY)) found.push(name);
    }
    expect(found).toEqual([(await dumps())[1]]);
    const runs = await readdir(join(stack.directory, "runs"), { recursive: true, withFileTypes: true });
    for (const file of runs.filter((entry) => entry.isFile()))
      expect(await readFile(join(file.parentPath, file.name), "utf8")).not.toContain(CANARY);
    expect(await stack.stateText()).not.toContain(CANARY);
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
      /^test\.\S+\.\d{8}T\d{6}Z +\d+ (s|min) old +\d+ KB +2 tables, 102 rows +restored into embedded PostgreSQL \S+ +with the state +of this database$/,
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
      "present state",
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
    expect(
      await ask(
        database.url,
        `select m.umoptions, (select "ÄÖ" from "Of ""others"""."My Table" where "a ""b""" = 'x''y') as odd,
                (select convert_from(lo_get(oid), 'UTF8') from pg_largeobject_metadata where lo_get(oid) = 'large') as large
           from pg_user_mappings as m`,
      ),
    ).toEqual([{ umoptions: [`password=${CANARY}`], odd: 1, large: "large" }]);
    // The view of before the destroy is part of both again.
    expect(await ask(database.url, "select viewname from pg_views where schemaname = 'app'")).toEqual([
      { viewname: "names" },
    ]);
    // The destroy had begun with the record of the last backup, which depends on all else.
    const preview = await stack.succeed("preview");
    expect(preview.output).toContain("pgstrata:index:Backup backup create");
    expect(countsIn(preview)).toEqual({ "to create": 1, unchanged: expect.any(Number) });
  });

  it("refuses an update that was killed, before it restores", async () => {
    const locks = join(dirname(stack.directory), "state", ".pulumi", "locks", "organization", "pgstrata", stack.stack);
    await mkdir(locks, { recursive: true });
    const lock = { pid: 1, username: "a", hostname: "h", timestamp: "2026-01-31T00:00:00Z" };
    await writeFile(join(locks, "killed.json"), JSON.stringify(lock));
    const { stdout, exitCode } = await tool("restore", "latest", "--stack", stack.stack, "--yes", "--json");
    expect([exitCode, JSON.parse(stdout).error]).toEqual([1, expect.objectContaining({ code: "PS846" })]);
    await stack.succeed("cancel", "--yes");
  });

  it("restores into a database on a new server, whose URL is set, and an update goes on from there", async () => {
    const [backup = ""] = (await dumps()).toReversed();
    const name = backup.replace(/\.dump$/, "");
    await stack.setConfig({ "pgstrata:databaseUrl": { secret: replacement.url } });
    const refused = await tool("restore", name, "--stack", stack.stack, "--yes");
    expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining("PS845")]);

    const { exitCode } = await tool("restore", name, "--stack", stack.stack, "--from-other-database", "--yes");

    expect(exitCode).toBe(0);
    expect(await ask(replacement.url, "select count(*)::int as n from app.items")).toEqual([{ n: 100 }]);
    await stack.succeed("up", "--yes", "--skip-preview");
    await stack.succeed("preview", "--expect-no-changes");
    expect(await ask(replacement.url, "select count(*)::int as n from app.items")).toEqual([{ n: 100 }]);
  });
});
