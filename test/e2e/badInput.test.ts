import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { diagnosticsIn } from "../support/cliOutput.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../support/database.ts";
import { createPlatformStack, NOTHING, type PlatformStack } from "../support/platformStack.ts";

let platform: PlatformStack;
let weak: TestRole;
let forerunner: TestDatabase;
beforeAll(async () => {
  platform = await createPlatformStack({ manageRoles: false });
  const server = platform.server.url("postgres");
  weak = await createTestRole({ prefix: "weak", server });
  forerunner = await createTestDatabase({ name: "forerunner", server });
  await forerunner.query("create schema platform; create table platform.databases (id serial primary key, dsn text)");
});
afterAll(async () => {
  await forerunner?.drop();
  await weak?.drop();
  await platform?.close();
});

const PASSWORD = "hunter2-is-not-printed";

/** The URL of the stack's database, changed. */
function changed(change: (url: URL) => void): string {
  const url = new URL(platform.database.url);
  change(url);
  return url.href;
}

/** What `pulumi preview` says about a program that ends in an error. */
async function refusal(): Promise<string> {
  const preview = await platform.stack.run("preview");
  expect(preview.exitCode).not.toBe(0);
  expect(preview.output).not.toContain(PASSWORD);
  expect(preview.output).not.toMatch(/PS900|internal error|\.ts:\d+|Warning:/);
  expect(await platform.standing()).toEqual({ ...NOTHING, roles: expect.anything() });
  return diagnosticsIn(preview);
}

describe("faults in the settings", () => {
  it("are named all at once, each with what to do, and never with a secret", async () => {
    const { stack } = platform;
    await stack.setConfig({
      "pgstrata:mongodbConnectionString": { secret: `mongodb://user:${PASSWORD}/@host` },
      "pgstrata:redisConnectionString": { secret: `mongodb://user:${PASSWORD}@host` },
      "pgstrata:lockRetries": "-1",
      "pgstrata:databseUrl": "x",
    });

    const said = await refusal();

    expect(said).toContain('the configuration of stack "test" has 4 faults:');
    expect(said).toContain("mongodbConnectionString: ");
    expect(said).toContain('redisConnectionString: it is a connection string of type "mongodb"');
    expect(said).toContain("lockRetries: expected a whole number");
    expect(said).toContain("databseUrl: is not a setting; remove it: pulumi config rm databseUrl --stack test");
    for (const code of ["PS612", "PS613", "PS615"]) expect(said).toContain(`${code} · docs/errors/${code}.md`);
    for (const key of ["mongodbConnectionString", "redisConnectionString", "lockRetries", "databseUrl"]) {
      await stack.succeed("config", "rm", key);
    }
  });
});

describe("a database that cannot be used", () => {
  it.each([
    [
      "of a server that is not there",
      () => changed((url) => (url.port = "1")),
      "nothing accepts connections at 127.0.0.1:1",
    ],
    ["with a wrong password", () => changed((url) => (url.password = PASSWORD)), "the server rejects the password"],
    [
      "that does not exist",
      () => changed((url) => (url.pathname = "/nowhere")),
      'the server has no database "nowhere"',
    ],
    [
      "in which the role may not create",
      () => platform.database.urlFor(weak),
      "no CREATE on the database for schema platform, platform_access, platform_private, platform_audit",
    ],
    [
      "with a forerunner of the registry",
      () => forerunner.url,
      "table platform.databases: found a table of another shape",
    ],
  ])("%s is refused with one clear message", async (_what, url, message) => {
    await platform.stack.setConfig({ "pgstrata:databaseUrl": { secret: url() } });

    expect(await refusal()).toContain(message);
  });
});

describe("programs that contradict themselves", () => {
  const HEAD = `
    import * as pulumi from "@pulumi/pulumi";
    import { Layer } from "./components/resources/Layer.ts";
    import { Provider } from "./components/resources/Provider.ts";
    const provider = new Provider("target", { url: new pulumi.Config().requireSecret("databaseUrl") });
    const roles = ["studio_app", "studio_decrypt", "studio_readonly", "studio_system"];
    const platform = new Layer("platform", { name: "platform", files: ["sql/platform"], roles }, { provider });`;

  beforeAll(() => platform.stack.setConfig({ "pgstrata:databaseUrl": { secret: platform.database.url } }));

  it("name file, line and column of SQL that has a fault", async () => {
    const { stack } = platform;
    await stack.write("sql/broken/10-first.sql", "create table fine (id int);\n");
    await stack.write(
      "sql/broken/20-second.sql",
      "create table also_fine (id int);\n\ncreate tabel broken (id int);\n",
    );
    await stack.write(
      "index.ts",
      `${HEAD}\nnew Layer("broken", { name: "broken", files: ["sql/broken"] }, { provider });`,
    );

    expect(await refusal()).toContain('sql/broken/20-second.sql:3:8: syntax error at or near "tabel"');
  });

  it("may not use objects of a layer that is no base", async () => {
    const { stack } = platform;
    await stack.write("sql/above/10-view.sql", "create view public.names as select username from platform.users;\n");
    await stack.write(
      "index.ts",
      `${HEAD}\nnew Layer("above", { name: "above", files: ["sql/above"] }, { provider });`,
    );

    const said = await refusal();

    expect(said).toContain('sql/above/10-view.sql:1:50: relation "platform.users" does not exist');
    // Pulumi may come to this layer first: then nobody knows yet whose the table is.
    expect(said).toMatch(/Add it to `base`|add that one to `base`/);
  });

  it("may not claim an object twice", async () => {
    await platform.stack.write(
      "index.ts",
      `${HEAD}\nnew Layer("twin", { name: "twin", files: ["sql/platform"], roles }, { provider, dependsOn: [platform] });`,
    );

    expect(await refusal()).toMatch(/The layers "platform" and "twin" both declare /);
  });

  it.each([
    [
      "parts",
      `type: "redis", host: "elsewhere"`,
      'host: "elsewhere" was given, but the connection string says "cache"',
    ],
    [
      "type",
      `type: "oracle"`,
      'type: "oracle" is not a database type; expected one of mongodb, redis, postgresql, mysql, neon, convex',
    ],
  ])("are told of a registration of wrong %s, and no more than that", async (_what, registration, message) => {
    await platform.stack.write(
      "index.ts",
      `
      import * as pulumi from "@pulumi/pulumi";
      import { AccessRoles } from "./components/platform/AccessRoles.ts";
      import { DatabasesTable } from "./components/platform/DatabasesTable.ts";
      import { PlatformSchema } from "./components/platform/PlatformSchema.ts";
      import { RegisteredDatabase } from "./components/registry/RegisteredDatabase.ts";
      import { targetProviders } from "./components/program/targetProviders.ts";
      const opts = { providers: await targetProviders({ url: new pulumi.Config().requireSecret("databaseUrl") }) };
      const platform = new PlatformSchema("platform", { access: new AccessRoles("access", { manage: false }, opts) }, opts);
      const databases = new DatabasesTable("databases", { platform }, opts);
      const connectionString = pulumi.secret("redis://user:${PASSWORD}@cache:6379");
      const project = "00000000-0000-4000-8000-000000000000";
      const odd = new RegisteredDatabase("odd", { databases, project, databaseName: "Odd", connectionString, ${registration} }, opts);
      export const masked = odd.maskedConnectionString;`,
    );

    expect(await refusal()).toContain(message);
  });
});
