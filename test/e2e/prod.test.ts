import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { changesIn, countsIn, diagnosticsIn } from "../support/cliOutput.ts";
import { createPlatformStack, type PlatformStack, WHOLE } from "../support/platformStack.ts";

const SECRETS = {
  "pgstrata:mongodbConnectionString": { secret: "mongodb://studio:mongo-secret@mongo.example:27017" },
  "pgstrata:redisConnectionString": { secret: "rediss://default:redis-secret@redis.example:6380" },
};

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack({
    stack: "prod",
    manageRoles: false,
    config: { "pgstrata:railwayEnvironment": "production" },
  });
});
afterAll(() => platform?.close());

const REGISTERED = `
select name, connection_string as masked, platform_private.connection_string_of(id) as full, ssl_enabled, status,
       metadata->>'environment' as environment
from platform.databases order by name`;

describe("the stack prod", () => {
  it("refuses to start without secrets, with the lines to run", async () => {
    const { stack, database } = platform;
    await stack.succeed("config", "rm", "databaseUrl");

    const preview = await stack.run("preview");

    expect(preview.exitCode).not.toBe(0);
    for (const key of ["databaseUrl", "mongodbConnectionString", "redisConnectionString"]) {
      expect(diagnosticsIn(preview)).toContain(
        `${key}: is not set; run  pulumi config set --secret ${key} --stack prod`,
      );
    }
    await stack.setConfig({ "pgstrata:databaseUrl": { secret: database.url }, ...SECRETS });
  });

  it("works once the secrets are set, with roles that another stack made", async () => {
    const { stack, database, standing } = platform;

    await stack.succeed("up", "--yes", "--skip-preview");

    expect(await standing()).toEqual(WHOLE);
    expect(await database.query(REGISTERED)).toEqual([
      {
        name: "Railway MongoDB",
        masked: "mongodb://mongo.example:27017",
        full: SECRETS["pgstrata:mongodbConnectionString"].secret,
        ssl_enabled: false,
        status: "active",
        environment: "production",
      },
      {
        name: "Railway Redis",
        masked: expect.stringMatching(/^rediss?:\/\/redis\.example:6380$/),
        full: SECRETS["pgstrata:redisConnectionString"].secret,
        ssl_enabled: true,
        status: "active",
        environment: "production",
      },
    ]);
  });

  it("writes a rotated connection string in place, and shows no more than that", async () => {
    const { stack, database } = platform;
    const ids = await database.query("select id from platform.databases order by id");
    const rotated = "rediss://default:rotated-secret@redis.example:6380";
    await stack.setConfig({ "pgstrata:redisConnectionString": { secret: rotated } });

    const up = await stack.succeed("up", "--yes", "--diff");

    expect(up.output).not.toMatch(/(rotated|redis)-secret/);
    // The probe and its row, the backup before it and the verification after it.
    expect(countsIn(up)).toMatchObject({ updated: 4 });
    expect(await database.query("select id from platform.databases order by id")).toEqual(ids);
    expect((await database.query<{ full: string }>(REGISTERED)).map(({ full }) => full)).toContain(rotated);
  });

  it("is the same after its state was exported, lost and imported", async () => {
    const { stack } = platform;
    const file = join(stack.directory, "..", "state.json");
    await writeFile(file, (await stack.succeed("stack", "export")).stdout);
    await stack.succeed("stack", "rm", "--yes", "--force", "--preserve-config");
    await stack.succeed("stack", "init", "prod");

    await stack.succeed("stack", "import", "--file", file);

    await stack.succeed("preview", "--expect-no-changes");
  });
});

describe("a stack that lost its state", () => {
  it("finds what stands in the database, with only the generated secret columns left as they are", async () => {
    const { stack, database, standing } = platform;
    const before = await database.query("select * from platform.databases order by id");
    await stack.succeed("stack", "rm", "--yes", "--force", "--preserve-config");
    await stack.succeed("stack", "init", "prod");

    const up = await stack.succeed("up", "--yes");

    // A key of its own beside the earlier one, with which applications go on.
    expect(changesIn(up)).toEqual([expect.stringMatching(/^insert platform_access\.context_keys name=/)]);
    expect(await database.query("select name from platform_access.context_keys")).toHaveLength(2);
    expect(await standing()).toEqual(WHOLE);
    expect(await database.query("select * from platform.databases order by id")).toEqual(before);
    expect(up.output).toContain("adopted the row that was there already; nothing had to be changed");
  });

  it("still knows its layers as its own, adopts the rows, and so refuses to drop what holds them", async () => {
    const { stack, standing, database } = platform;
    const layers = (await stack.exportState()).deployment.resources?.filter(({ type }) => type.endsWith(":Layer"));
    expect(layers?.map(({ outputs }) => outputs)).toEqual(
      Array.from({ length: 3 }, () => expect.objectContaining({ adopted: [] })),
    );
    const before = await database.query("select * from platform.databases order by id");

    const destroy = await stack.run("destroy", "--yes", "--skip-preview");

    expect(destroy.exitCode).not.toBe(0);
    expect(destroy.output).toMatch(/Refused to drop what holds rows: [^.]*table platform\.databases/);
    expect(await standing()).toMatchObject({ tables: WHOLE.tables, functions: expect.any(Number) });
    expect(await database.query("select * from platform.databases order by id")).toEqual(before);
  });
});

describe("a destroy of the protected platform", () => {
  it("is refused in its preview, before row security or anything else goes", async () => {
    const { stack, standing } = platform;
    await stack.setConfig({ "pgstrata:protect": "true" });
    await stack.succeed("up", "--yes", "--skip-preview");
    const before = await standing();
    for (const how of [["--preview-only"], ["--yes"]]) {
      const destroy = await stack.run("destroy", ...how);
      expect(destroy.exitCode).not.toBe(0);
      expect(destroy.output).toMatch(
        /PlatformSchema\$pgstrata:index:Layer::platform"? cannot be deleted\s+because it is protected/,
      );
    }
    expect(await standing()).toEqual(before);
    await stack.setConfig({ "pgstrata:protect": "false" });
    await stack.succeed("up", "--yes", "--skip-preview");
    expect((await stack.run("destroy", "--preview-only")).exitCode).toBe(0);
  });
});

describe("another stack on the same database", () => {
  it("adopts what stands there, and leaves all of it in place when it is destroyed", async () => {
    const { stack, database, standing } = platform;
    await stack.succeed("up", "--yes", "--skip-preview");
    const whole = await standing();
    const before = await database.query("select * from platform.databases order by id");
    const own = stack.env.PULUMI_STACK;
    const config = await readFile(join(stack.directory, "Pulumi.prod.yaml"), "utf8");
    await stack.write("Pulumi.other.yaml", config);
    stack.env.PULUMI_STACK = "other";
    await stack.succeed("stack", "init", "other");

    await stack.succeed("up", "--yes", "--skip-preview");
    const destroy = await stack.succeed("destroy", "--yes", "--skip-preview");

    stack.env.PULUMI_STACK = own;
    expect(destroy.output).toContain("adopted objects stay in place");
    expect(await standing()).toEqual(whole);
    expect(await database.query("select * from platform.databases order by id")).toEqual(before);
    await stack.succeed("preview", "--expect-no-changes");
  });
});
