import { afterAll, beforeAll, expect, it } from "vitest";
import { createPlatformStack, type PlatformStack } from "../support/platformStack.ts";

const SECRET = "canary-5e1f9c27";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import { Rows } from "./components/resources/Rows.ts";

const provider = new Provider("target", { url: new pulumi.Config().requireSecret("databaseUrl") });
const layer = new Layer("world", { name: "world", files: ["sql/world"] }, { provider });
const countries = new Rows(
  "countries",
  { table: "world.countries", key: ["code"], file: "data/countries.csv", exclusive: true },
  { provider, dependsOn: [layer] },
);
new Rows(
  "tokens",
  { table: "world.tokens", key: ["name"], rows: [{ name: "api", token: "${SECRET}" }], secretColumns: ["token"] },
  { provider, dependsOn: [countries] },
);
`;

let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack({ manageRoles: false, program: PROGRAM });
  const { stack } = platform;
  await stack.write(
    "sql/world/10-world.sql",
    "create schema world;\ncreate table world.countries (code text primary key, name text not null);\n" +
      "create table world.tokens (name text primary key, token text);\n",
  );
  await stack.write("data/countries.csv", "code,name\nIT,Italy\nFR,France\n");
});
afterAll(() => platform?.close());

it("sets of rows are made with their table, followed by file, hold no secret in the clear, and go with a destroy", async () => {
  const { stack, database } = platform;
  const said: string[] = [];
  const run = async (...args: string[]): Promise<string> => {
    const { output } = await stack.succeed(...args);
    said.push(output);
    return output;
  };

  const first = await run("preview", "--diff");
  expect(first).toContain("insert 2 of 2 rows into world.countries");
  await run("up", "--yes", "--skip-preview");
  await run("preview", "--expect-no-changes");

  await stack.write("data/countries.csv", "code,name\nIT,Italia\nES,Spain\n");
  const second = await run("preview", "--diff");
  expect(second).toContain("insert 1 of 2 rows into world.countries: code=ES");
  expect(second).toContain("update 1 of 2 rows of world.countries: code=IT");
  expect(second).toContain("delete 1 row of world.countries not in the set: code=FR");
  await run("up", "--yes", "--skip-preview");
  expect(await database.query("select code, name from world.countries order by code")).toEqual([
    { code: "ES", name: "Spain" },
    { code: "IT", name: "Italia" },
  ]);
  expect(await database.query("select token from world.tokens")).toEqual([{ token: SECRET }]);

  const state = JSON.stringify(await stack.exportState());
  expect(state).not.toContain("Italia");
  await run("destroy", "--yes", "--skip-preview");
  for (const text of [...said, state]) expect(text).not.toContain(SECRET);
  expect(await database.query("select pg_catalog.to_regclass('world.countries') as it")).toEqual([{ it: null }]);
});
