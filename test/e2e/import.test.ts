import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { deletedIn } from "../support/cliOutput.ts";
import { createPlatformStack, type PlatformStack } from "../support/platformStack.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";
import { Row } from "./components/resources/Row.ts";

const provider = new Provider("target", { url: new pulumi.Config().requireSecret("databaseUrl") });
if (process.env.IMPORTED) {
  const layer = new Layer("notes", { name: "notes", files: ["sql/notes"] }, { provider });
  new Row("first", { table: "public.notes", key: { id: 1 }, values: { body: "changed" } }, { provider, dependsOn: [layer] });
}
`;

let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack({ manageRoles: false, program: PROGRAM });
  const { stack, database } = platform;
  await stack.write(
    "sql/notes/10-notes.sql",
    "create table public.notes (id int primary key, body text);\ncreate index notes_body on public.notes (body);\n",
  );
  await database.query("create table public.notes (id int primary key, body text)");
  await database.query("insert into public.notes values (1, 'first'), (2, 'second')");
  await stack.succeed("up", "--yes", "--skip-preview");
});
afterAll(() => platform?.close());

describe("`pulumi import`", () => {
  it("adopts a layer and a row that stand already, and changes nothing", async () => {
    const { stack, database } = platform;
    const { deployment } = await stack.exportState();
    const provider = deployment.resources?.find(({ type }) => type === "pulumi:providers:pgstrata");
    const adopt = (type: string, name: string, id: string) =>
      stack.succeed(
        ...["import", `pgstrata:index:${type}`, name, id, "--provider", `target=${provider?.urn}`],
        ...["--yes", "--skip-preview", "--generate-code=false", "--protect=false"],
      );

    await adopt("Layer", "notes", "notes?files=sql/notes");
    await adopt("Row", "first", "public.notes/id=1");

    const resources = (await stack.exportState()).deployment.resources ?? [];
    expect(resources.find(({ id }) => id === "notes")?.outputs).toMatchObject({
      adopted: expect.arrayContaining(["table public.notes"]),
      drift: ["index public.notes_body"],
    });
    expect(resources.find(({ id }) => id === "public.notes/id=1")?.outputs).toMatchObject({ adopted: true });
    expect(await database.query("select * from public.notes order by id")).toEqual([
      { id: 1, body: "first" },
      { id: 2, body: "second" },
    ]);
  });

  it("lets an update bring the adopted ones to what the program says", async () => {
    const { stack, database } = platform;
    stack.env.IMPORTED = "yes";

    await stack.succeed("up", "--yes", "--skip-preview");

    expect(await database.query("select to_regclass('public.notes_body') is not null as made")).toEqual([
      { made: true },
    ]);
    expect(await database.query("select body from public.notes where id = 1")).toEqual([{ body: "changed" }]);
  });

  it("makes a destroy leave what was adopted, and drop what was added", async () => {
    const { stack, database } = platform;

    const destroy = await stack.succeed("destroy", "--yes", "--skip-preview");

    expect(deletedIn(destroy)).toEqual(expect.arrayContaining(["Layer notes", "Row first"]));
    expect(
      await database.query("select id, to_regclass('public.notes_body') as index from public.notes order by id"),
    ).toEqual([
      { id: 1, index: null },
      { id: 2, index: null },
    ]);
  });
});
