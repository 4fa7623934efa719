import { readFile } from "node:fs/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createStackWorkspace, type StackWorkspace } from "../support/cli.ts";
import { createTestDatabase, type TestDatabase } from "../support/database.ts";
import { isStandIn } from "../support/standIn.ts";
import { startTestServer, type TestServer } from "../support/testServer.ts";

const program = `
import * as postgresql from "@pulumi/postgresql";
import { Config } from "@pulumi/pulumi";

const config = new Config("pgstrata");
const server = new URL(config.require("server"));
const provider = new postgresql.Provider("server", {
  host: server.hostname,
  port: Number(server.port),
  username: decodeURIComponent(server.username),
  password: decodeURIComponent(server.password),
  database: server.pathname.slice(1),
  sslmode: "disable",
});
const readers = new postgresql.Role("readers", { name: 'app "readers"' }, { provider });
const app = new postgresql.Role(
  "app",
  { name: "app", login: true, password: config.requireSecret("password"), connectionLimit: 7, searchPaths: ["platform", "$user"] },
  { provider, ignoreChanges: ["roles"] },
);
new postgresql.GrantRole("member", { role: app.name, grantRole: readers.name }, { provider });
if (config.getBoolean("schema")) new postgresql.Schema("schema", { name: "s" }, { provider });
`;

const firstPassword = "first-p'w\\d-canary";
const secondPassword = "second-canary";

let server: TestServer;
let database: TestDatabase;
let stack: StackWorkspace;

beforeAll(async () => {
  server = await startTestServer();
  database = await createTestDatabase({ name: "roles", server: server.url("postgres") });
  stack = await createStackWorkspace({
    program,
    config: { "pgstrata:server": database.url, "pgstrata:password": { secret: firstPassword } },
  });
});

afterAll(async () => {
  await stack?.remove();
  await database?.drop();
  await server?.stop();
});

const memberships = () =>
  database.query<{ member: string; role: string }>(
    `select m.rolname as member, g.rolname as role from pg_auth_members a
     join pg_roles m on m.oid = a.member join pg_roles g on g.oid = a.roleid where m.rolname = 'app'`,
  );

async function canLogIn(password: string): Promise<boolean> {
  const url = new URL(database.url);
  const client = new pg.Client({
    host: url.hostname,
    port: Number(url.port),
    database: database.name,
    user: "app",
    password,
  });
  try {
    await client.connect();
    return true;
  } catch {
    return false;
  } finally {
    await client.end();
  }
}

describe("the plugin postgresql", () => {
  it("makes roles and a membership, and then finds nothing to do", async () => {
    await stack.succeed("up", "--yes", "--skip-preview");
    const [role] = await database.query(
      "select rolcanlogin, rolconnlimit, rolsuper, rolconfig from pg_roles where rolname = 'app'",
    );
    expect(role).toEqual({
      rolcanlogin: true,
      rolconnlimit: 7,
      rolsuper: false,
      rolconfig: ['search_path=platform, "$user"'],
    });
    expect(await memberships()).toEqual([{ member: "app", role: 'app "readers"' }]);
    expect(await canLogIn(firstPassword)).toBe(true);
    await stack.succeed("preview", "--expect-no-changes");
  });

  it("keeps ids and outputs as the npm package declares them, and the password secret", async () => {
    const { deployment } = await stack.exportState();
    const role = deployment.resources?.find(({ id }) => id === "app");
    expect(role?.outputs).toMatchObject({ name: "app", login: true, connectionLimit: 7, validUntil: "infinity" });
    expect(role?.outputs).toHaveProperty("password.ciphertext");
    expect(deployment.resources?.map(({ id }) => id)).toContain('app_app "readers"_false');
    expect(await stack.stateText()).not.toContain(firstPassword);
  });

  it("sees and repairs what others changed", async () => {
    await database.query(`revoke "app ""readers""" from app`);
    await database.query("alter role app connection limit 3");
    await stack.succeed("refresh", "--yes");
    await stack.succeed("up", "--yes", "--skip-preview");
    expect(await memberships()).toHaveLength(1);
    const [role] = await database.query("select rolconnlimit from pg_roles where rolname = 'app'");
    expect(role).toEqual({ rolconnlimit: 7 });
  });

  it("changes a password in place", async () => {
    await stack.setConfig({ "pgstrata:password": { secret: secondPassword } });
    const { stdout } = await stack.succeed("up", "--yes", "--skip-preview");
    expect(stdout).toContain("~ 1 updated");
    expect(await canLogIn(secondPassword)).toBe(true);
    expect(await canLogIn(firstPassword)).toBe(false);
    expect(await memberships()).toHaveLength(1);
  });

  it("imports a role by its name", async () => {
    await database.query("create role legacy connection limit 4");
    const { deployment } = await stack.exportState();
    const provider = deployment.resources?.find(({ type }) => type === "pulumi:providers:postgresql");
    await stack.succeed(
      ...["import", "postgresql:index/role:Role", "legacy", "legacy", "--yes", "--skip-preview"],
      ...["--generate-code=false", "--protect=false", "--provider", `server=${provider?.urn}`],
    );
    const imported = (await stack.exportState()).deployment.resources?.find(({ id }) => id === "legacy");
    expect(imported?.outputs).toMatchObject({ name: "legacy", connectionLimit: 4, login: false });
    await stack.succeed("state", "delete", imported?.urn ?? "", "--yes");
  });

  it("hands what a role owns to the connected role when it drops it", async () => {
    await database.query("create table owned (i int)");
    await database.query("alter table owned owner to app");
    await stack.succeed("destroy", "--yes", "--skip-preview");
    expect(await database.query("select 1 from pg_roles where rolname in ('app', 'app \"readers\"')")).toEqual([]);
    const [table] = await database.query<{ heir: boolean }>(
      "select relowner::regrole::text = current_user as heir from pg_class where relname = 'owned'",
    );
    expect(table).toEqual({ heir: true });
  });
});

describe.runIf(isStandIn())("the stand-in of closed networks", () => {
  it("never sends a password in clear, so that the server's log holds none", async () => {
    const log = await readFile(server.logFile, "utf8");
    expect(log).toContain('CREATE ROLE "app"');
    expect(log).toContain("PASSWORD 'SCRAM-SHA-256$4096:");
    expect(log).not.toContain("canary");
  });

  it("says what it is when it is asked for more than roles", async () => {
    await stack.setConfig({ "pgstrata:schema": "true" });
    const { exitCode, output } = await stack.run("preview");
    expect(exitCode).not.toBe(0);
    expect(output).toContain("closed-network stand-in");
    expect(output).toContain("postgresql:index/schema:Schema is not part of it");
  });
});
