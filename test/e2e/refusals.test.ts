import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countsIn, deletedIn, diagnosticsIn } from "../support/cliOutput.ts";
import { createPlatformStack, type PlatformStack, WHOLE } from "../support/platformStack.ts";

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack();
  await platform.stack.succeed("up", "--yes", "--skip-preview");
});
afterAll(() => platform?.close());

describe("a destroy", () => {
  it("is refused while a deletion would cascade into a row of somebody else, and loses nothing of it", async () => {
    const { stack, database } = platform;
    await database.query(FOREIGN_PROJECT);

    const destroy = await stack.run(
      "destroy",
      "--yes",
      "--skip-preview",
      "--target",
      "**Tenant::tenant",
      "--target-dependents",
    );

    expect(destroy.exitCode).not.toBe(0);
    expect(diagnosticsIn(destroy)).toContain("platform.organizations slug=lancio is not deleted");
    expect(diagnosticsIn(destroy)).toContain("1 row of platform.projects: would be deleted");
    expect(await database.query("select slug from platform.organizations")).toEqual([{ slug: "lancio" }]);
    expect(await database.query("select slug from platform.projects")).toEqual([{ slug: "foreign" }]);
  });

  it("is made up for by an update, which finds the state as it was left", async () => {
    const { stack, standing, database } = platform;

    const up = await stack.succeed("up", "--yes", "--skip-preview");

    expect(countsIn(up)).toMatchObject({ created: expect.any(Number) });
    expect(await standing()).toEqual(WHOLE);
    await database.query("delete from platform.projects where slug = 'foreign'");
  });

  it("is refused while a table that it would drop holds rows, and keeps them", async () => {
    const { stack, database, standing } = platform;
    await database.query(
      "insert into platform.users (email, username, password_hash) values ('ann@example.org', 'ann', 'x')",
    );

    const destroy = await stack.run("destroy", "--yes", "--skip-preview");

    expect(destroy.exitCode).not.toBe(0);
    expect(diagnosticsIn(destroy)).toContain(
      "Refused to drop what holds rows: table platform.users. Nothing was changed.",
    );
    expect(await database.query("select username from platform.users")).toEqual([{ username: "ann" }]);
    expect(await standing()).toMatchObject({ tables: 25, roles: WHOLE.roles });
    const { deployment } = await stack.exportState();
    expect(deployment.resources?.map(({ id }) => id)).toContain("platform");
  });

  it("goes on where it stopped once the row is gone", async () => {
    const { stack, database, standing } = platform;
    await database.query("delete from platform.users");

    const destroy = await stack.succeed("destroy", "--yes", "--skip-preview");

    expect(deletedIn(destroy)).toContain("Layer platform");
    expect(await standing()).toMatchObject({ tables: 0, roles: [] });
  });
});

/** A project that the program knows nothing of, in its organization. */
const FOREIGN_PROJECT = `
insert into platform.projects (organization_id, slug, name, ref, database_host, database_port, database_name, database_user,
                               database_password, postgres_meta_url, supabase_url)
select id, 'foreign', 'Foreign', 'foreign-ref', 'db', 5432, 'db', 'u', 'p', 'http://meta', 'http://api' from platform.organizations`;
