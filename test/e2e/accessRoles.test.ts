import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countsIn } from "../support/cliOutput.ts";
import { createPlatformStack, type PlatformStack } from "../support/platformStack.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { AccessRoles } from "./components/platform/AccessRoles.ts";
import { targetProviders } from "./components/program/targetProviders.ts";

const config = new pulumi.Config();
const providers = targetProviders({ url: config.requireSecret("databaseUrl") });
const access = new AccessRoles("access", { decryptors: config.requireObject("decryptors") }, { providers });
export const passwords = access.passwords;
`;

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack({ program: PROGRAM, config: { "pgstrata:decryptors": '["checker"]' } });
  await platform.database.query("create role checker login");
  await platform.stack.succeed("up", "--yes", "--skip-preview");
});
afterAll(() => platform?.close());

const ROLES = "select rolname as name, rolcanlogin as login from pg_roles where rolname like 'studio\\_%' order by 1";
const MEMBERS = `
select m.rolname as member from pg_auth_members a
join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member where g.rolname = 'studio_decrypt'`;

/** Whether the role can sign in with the password that the stack gives out. */
async function canSignIn(role: string): Promise<boolean> {
  const { stdout } = await platform.stack.succeed("stack", "output", "passwords", "--json", "--show-secrets");
  const url = new URL(platform.database.url);
  url.username = role;
  url.password = JSON.parse(stdout)[role];
  const client = new pg.Client({ connectionString: url.href });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

describe("the access roles", () => {
  it("are made with the passwords that the stack gives out, and with the members that are named", async () => {
    const { database, stack } = platform;

    expect(await database.query(ROLES)).toEqual([
      { name: "studio_app", login: true },
      { name: "studio_decrypt", login: false },
      { name: "studio_readonly", login: true },
    ]);
    expect(await database.query(MEMBERS)).toEqual([{ member: "checker" }]);
    expect(await canSignIn("studio_app")).toBe(true);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("get a new password when it is replaced, and lose a member that is no longer named", async () => {
    const { database, stack } = platform;
    await stack.setConfig({ "pgstrata:decryptors": "[]" });
    const before = await database.query("select rolpassword from pg_authid where rolname = 'studio_app'");

    await stack.succeed("up", "--yes", "--skip-preview", "--replace", "**RandomPassword::studio_app");

    expect(await database.query("select rolpassword from pg_authid where rolname = 'studio_app'")).not.toEqual(before);
    expect(await canSignIn("studio_app")).toBe(true);
    expect(await database.query(MEMBERS)).toEqual([]);
  });

  it("are made again after they were dropped by hand, once a refresh has seen it", async () => {
    const { database, stack } = platform;
    await database.query("drop role studio_readonly");

    const up = await stack.succeed("up", "--yes", "--skip-preview", "--refresh");

    expect(countsIn(up)).toMatchObject({ created: 1 });
    expect(await canSignIn("studio_readonly")).toBe(true);
  });

  it("are dropped by a destroy", async () => {
    const { database, stack } = platform;

    await stack.succeed("destroy", "--yes", "--skip-preview");

    expect(await database.query(ROLES)).toEqual([]);
    expect(await database.query("select rolname from pg_roles where rolname = 'checker'")).toHaveLength(1);
  });
});
