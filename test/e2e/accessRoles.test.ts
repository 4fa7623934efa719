import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { countsIn } from "../support/cliOutput.ts";
import { createTestDatabase } from "../support/database.ts";
import { createPlatformStack, type PlatformStack } from "../support/platformStack.ts";
import { isStandIn } from "../support/standIn.ts";

const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { AccessRoles } from "./components/platform/AccessRoles.ts";
import { targetProviders } from "./components/program/targetProviders.ts";

const config = new pulumi.Config();
const providers = await targetProviders({ url: config.requireSecret("databaseUrl") });
const access = new AccessRoles("access", { decryptors: config.requireObject("decryptors") }, { providers });
export const passwords = access.passwords;
`;

/** The same roles as earlier versions made them: with the password itself. */
const EARLIER_PROGRAM = `
import { GrantRole, Role } from "@pulumi/postgresql";
import * as pulumi from "@pulumi/pulumi";
import { RandomPassword } from "@pulumi/random";
import { targetProviders } from "./components/program/targetProviders.ts";

class AccessRoles extends pulumi.ComponentResource {
  readonly passwords: Record<string, pulumi.Output<string>> = {};
  constructor(opts: pulumi.ComponentResourceOptions) {
    super("pgstrata:components:AccessRoles", "access", {}, opts);
    const parent = this;
    const decrypt = new Role("studio_decrypt", { name: "studio_decrypt", login: false }, { parent });
    for (const name of ["studio_app", "studio_readonly"]) {
      const password = pulumi.secret(new RandomPassword(name, { length: 32, special: false }, { parent }).result);
      new Role(name, { name, login: true, password }, { parent });
      this.passwords[name] = password;
    }
    new GrantRole("checker-decrypts", { role: "checker", grantRole: decrypt.name }, { parent });
  }
}

const providers = await targetProviders({ url: new pulumi.Config().requireSecret("databaseUrl") });
export const passwords = new AccessRoles({ providers }).passwords;
`;

// One stack goes through its life: each test starts where the one before it ended.
let platform: PlatformStack;
beforeAll(async () => {
  platform = await createPlatformStack({ program: EARLIER_PROGRAM, config: { "pgstrata:decryptors": '["checker"]' } });
  await platform.database.query("create role checker login");
  await platform.stack.succeed("up", "--yes", "--skip-preview");
});
afterAll(() => platform?.close());

const ROLES = "select rolname as name, rolcanlogin as login from pg_roles where rolname like 'studio\\_%' order by 1";
const MEMBERS = `
select m.rolname as member from pg_auth_members a
join pg_roles g on g.oid = a.roleid join pg_roles m on m.oid = a.member where g.rolname = 'studio_decrypt'`;

async function passwords(): Promise<Record<string, string>> {
  const { stdout } = await platform.stack.succeed("stack", "output", "passwords", "--json", "--show-secrets");
  return JSON.parse(stdout);
}

/** Whether the role can sign in with the password that the stack gives out. */
async function canSignIn(role: string): Promise<boolean> {
  const url = new URL(platform.database.url);
  url.username = role;
  url.password = (await passwords())[role] ?? "";
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

const VERIFIER = "select rolpassword as verifier from pg_authid where rolname = 'studio_app'";

describe("the access roles", () => {
  it("of an earlier version get a verifier in place of the password, which stays", async () => {
    const { database, server, stack } = platform;
    const before = await passwords();
    const logged = (await readFile(server.logFile)).length;
    await stack.write("index.ts", PROGRAM);

    const up = await stack.succeed("up", "--yes", "--skip-preview");

    expect(countsIn(up)).toMatchObject({ created: 5, updated: 2 });
    expect(await passwords()).toMatchObject(before);
    expect(await canSignIn("studio_app")).toBe(true);
    expect(await canSignIn("studio_readonly")).toBe(true);
    const [role] = await database.query<{ verifier: string }>(VERIFIER);
    expect(role?.verifier).toMatch(/^SCRAM-SHA-256\$4096:/);
    // It is the program that makes it: no plugin gets the password.
    const { stdout } = await stack.succeed("stack", "export", "--show-secrets");
    expect(stdout).toContain(role?.verifier);
    const log = (await readFile(server.logFile)).subarray(logged).toString();
    expect(log).toContain(role?.verifier);
    for (const password of Object.values(before)) expect(log).not.toContain(password);
    await stack.succeed("up", "--yes", "--skip-preview", "--refresh", "--expect-no-changes");
  });

  it("are made with the passwords that the stack gives out, and with the members that are named", async () => {
    const { database, stack } = platform;

    expect(await database.query(ROLES)).toEqual([
      { name: "studio_app", login: true },
      { name: "studio_decrypt", login: false },
      { name: "studio_readonly", login: true },
      { name: "studio_system", login: true },
    ]);
    expect(await database.query(MEMBERS)).toEqual([{ member: "checker" }]);
    expect(await canSignIn("studio_app")).toBe(true);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("get a new password when it is replaced, and lose a member that is no longer named", async () => {
    const { database, stack } = platform;
    await stack.setConfig({ "pgstrata:decryptors": "[]" });
    const before = await database.query(VERIFIER);

    await stack.succeed("up", "--yes", "--skip-preview", "--replace", "**RandomPassword::studio_app");

    expect(await database.query(VERIFIER)).not.toEqual(before);
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

  it.runIf(isStandIn())("that another database uses stay, and what to run there is said", async () => {
    const { server, stack } = platform;
    const crm = await createTestDatabase({ name: 'crm "old"', server: server.url("postgres") });
    await crm.query("create table a (i int); create table b (i int); alter table a owner to studio_app");
    await crm.query("grant select on b to studio_app");

    const { exitCode, output } = await stack.run("destroy", "--yes", "--skip-preview");

    expect(exitCode).not.toBe(0);
    const [, database, objects, line = ""] =
      /database (.+): (\d+) objects belong to it or grant it something\. Run there: (.+;)/.exec(output) ?? [];
    expect([database, objects]).toEqual(['"crm ""old"""', "2"]);
    await crm.query(line);
    expect(await crm.query("select tablename from pg_tables where schemaname = 'public' order by 1")).toHaveLength(2);
    await stack.succeed("up", "--yes", "--skip-preview");
    expect(await canSignIn("studio_app")).toBe(true);
    await crm.drop();
  });

  it("are dropped by a destroy", async () => {
    const { database, stack } = platform;

    await stack.succeed("destroy", "--yes", "--skip-preview");

    expect(await database.query(ROLES)).toEqual([]);
    expect(await database.query("select rolname from pg_roles where rolname = 'checker'")).toHaveLength(1);
  });
});
