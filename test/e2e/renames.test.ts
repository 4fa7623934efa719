import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { changesIn, diagnosticsIn } from "../support/cliOutput.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";

const config = new pulumi.Config();
const provider = new Provider("target", { url: config.requireSecret("databaseUrl") });
const renames = config.getObject<Record<string, string>>("renames");
const shop = { name: "shop", files: ["sql/shop"], ...(renames === undefined ? {} : { renames }) };
const below = new Layer("shop", shop, { provider });
new Layer("shut", { name: "shut", files: ["sql/shut"], base: [shop] }, { provider, dependsOn: [below] });
`;

const shop = (table: string) =>
  `create schema shop;\ncreate table shop.${table} (\n  id serial primary key,\n  name text not null\n);\n`;
const shut = (table: string) =>
  `alter table shop.${table} enable row level security;\ncreate policy permissive_all_${table} on shop.${table} using (true);\n`;

// One stack goes through its life: each test starts where the one before it ended.
let stack: StackWorkspace;
let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  stack = await createStackWorkspace({
    program: PROGRAM,
    config: { "pgstrata:databaseUrl": { secret: database.url } },
    files: { "sql/shop/10-tables.sql": shop("jobs"), "sql/shut/10-policies.sql": shut("jobs") },
  });
  await stack.succeed("up", "--yes", "--skip-preview");
  await database.query("insert into shop.jobs (name) values ('kept')");
});
afterAll(async () => {
  await stack?.remove();
  await database?.drop();
});

describe("a table that has another name in the files", () => {
  it("stops a preview with a question while nobody says whether it is the same", async () => {
    await stack.write("sql/shop/10-tables.sql", shop("tasks"));
    await stack.write("sql/shut/10-policies.sql", shut("tasks"));

    const preview = await stack.run("preview");

    expect(preview.exitCode).not.toBe(0);
    expect(diagnosticsIn(preview)).toContain("Is table shop.tasks the table shop.jobs under a new name?");
    expect(diagnosticsIn(preview)).toContain('renames: {"shop.tasks":"jobs"}');
  });

  it("is renamed with its rows when the program says so, and with a column by a comment", async () => {
    await stack.write(
      "sql/shop/10-tables.sql",
      shop("tasks").replace("name text", "-- renamed from: name\n  title text"),
    );
    await stack.succeed("config", "set", "--path", 'pgstrata:renames["shop.tasks"]', "jobs");

    const preview = await stack.succeed("preview");
    await stack.succeed("up", "--yes", "--skip-preview");

    expect(changesIn(preview)).toEqual([
      "1 column shop.jobs.name, renamed to title · 1 row · locks ACCESS EXCLUSIVE",
      "2 constraint jobs_pkey on shop.jobs, renamed to tasks_pkey · 1 row · locks ACCESS EXCLUSIVE",
      "3 sequence shop.jobs_id_seq, renamed to tasks_id_seq",
      "4 table shop.jobs, renamed to shop.tasks · 1 row · locks ACCESS EXCLUSIVE",
      "1 policy permissive_all_jobs on shop.tasks · 1 row · locks ACCESS EXCLUSIVE",
      "2 policy permissive_all_tasks on shop.tasks · 1 row · locks ACCESS EXCLUSIVE",
    ]);
    expect(await database.query("select id, title from shop.tasks")).toEqual([{ id: 1, title: "kept" }]);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("goes with the stack under its new name", async () => {
    await database.query("delete from shop.tasks");

    await stack.succeed("destroy", "--yes", "--skip-preview");

    expect(await database.query("select nspname from pg_namespace where nspname = 'shop'")).toEqual([]);
  });
});
