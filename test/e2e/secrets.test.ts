import { chmod, mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gunzipSync } from "node:zlib";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../tools/lib/paths.ts";
import { layoutOf } from "../../tools/setup/layout.ts";
import type { CliResult } from "../support/cli.ts";
import { ask } from "../support/database.ts";
import { createPlatformStack, type PlatformStack } from "../support/platformStack.ts";
import { type QuotingServer, startQuotingServer } from "../support/quotingServer.ts";
import { type Seen, watchForSecrets } from "../support/secretWatch.ts";

const OWNER = "canary-of-the-owner";
const SHADOW = "canary-of-the-shadow";
const MONGODB = "canary-of-mongodb";
const REDIS = "canary-of-redis";
const ROTATED = "canary-of-redis-rotated";

const LOUDEST = ["-v=9", "--logtostderr"];
/**
 * Lines of the engine itself, at its loudest level only, that hold values of properties in the clear: its
 * filter of secrets runs before it formats the values.
 */
const ENGINE_LINE = /^\{"time":"[^"]+","level":"INFO","msg":"(?:Unm|M)arshaling property for RPC\[.*,"v":9\}$/;

/**
 * The settings in the clear, which Pulumi gives to the program and to the script that starts the provider;
 * that hands them on to nothing.
 */
const GIVEN_SETTINGS =
  /^(?:[^\n]*node [^\n]*cmd\/run\/index\.js |\/bin\/sh [^\n]+\/pulumi-resource-pgstrata)[^\n]*: PULUMI_CONFIG=/;
/** Of each table, all rows. */
const ALL_ROWS = `
  select c.oid::regclass::text as name,
         query_to_xml(format('select t::text from %s as t', c.oid::regclass), true, false, '')::text as text
    from pg_class as c
   where c.relkind = 'r' and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
   order by 1`;

/** What shows as much as a server can; it logs every statement as all test servers do. */
const OPEN_SERVER = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "all",
  track_activity_query_size: "1MB",
};
const SALTS = "select salt from platform_private.encryption_salts";
/** Tables that keep a generated secret in the clear, readable for the owner and who is granted it. */
const KEEPING = ["platform.projects", "platform_access.context_keys", "platform_private.encryption_salts"];

let platform: PlatformStack;
let redis: QuotingServer;
/** What the commands printed, by command. */
const printed: Record<string, CliResult> = {};
let secrets: string[] = [];
/** Of the registry's encryption, before and after its rotation. */
let salts: string[] = [];
let state = "";
let exported = "";
/** Text of all rows, by table. */
let rows: Record<string, unknown>[] = [];
let seen: Seen;

beforeAll(async () => {
  redis = await startQuotingServer();
  platform = await createPlatformStack({ server: OPEN_SERVER });
  const { stack, database, server } = platform;
  // Passwords as verifiers, so that the log does not get them from here.
  await withoutLog(`create role owner login superuser password '${OWNER}'`);
  await withoutLog(`create role shadow_owner login superuser password '${SHADOW}'`);
  // A server that logs parameters, unless a session does not want that.
  await database.query("alter database studio set log_parameter_max_length = -1");
  await database.query("alter database studio set log_parameter_max_length_on_error = -1");
  await ask(server.url("postgres"), "create extension pg_stat_statements");
  await stack.setConfig({
    "pgstrata:databaseUrl": { secret: urlAs("owner", OWNER, database.url) },
    "pgstrata:mongodbConnectionString": { secret: `mongodb://user:${MONGODB}@mongo.example:27017` },
    "pgstrata:redisConnectionString": { secret: redis.url(REDIS) },
  });
  stack.env.PULUMI_HOME = await homeOfItsOwn();
  await keepProviderStderr();

  const run = async (name: string, ...args: string[]) => {
    printed[name] = await stack.run(...args);
    const { exitCode, stdout } = printed[name];
    expect([name, exitCode, stdout.slice(-2000)]).toEqual([name, 0, stdout.slice(-2000)]);
  };
  const watch = await watchForSecrets(server.url("postgres"));
  await command("deploy", [0], "--yes");
  // The shadow needs the roles, which the first update makes.
  await stack.setConfig({
    "pgstrata:shadow": { secret: urlAs("shadow_owner", SHADOW, server.url("postgres")) },
    "pgstrata:redisConnectionString": { secret: redis.url(ROTATED) },
  });
  await stack.write(
    "sql/rls/permissive/99-comment.sql",
    "comment on policy permissive_all_users on platform.users is 'All';\n",
  );
  await Promise.all(["--diff", "--json", "--debug"].map((option) => run(`preview ${option}`, "preview", option)));
  await run("up -v=8", "up", "--yes", "--skip-preview", "--diff", "-v=8", "--logtostderr");
  salts = await saltsNow();
  await command("rotate", [0], "salt", "--yes");
  salts.push(...(await saltsNow()));
  // Neither service takes the login, and so the health is bad; measured beside others, times may be too.
  await Promise.all([command("gate", [0]), command("health", [1]), command("verify", [0, 1], "--json")]);
  await database.query("select platform.decrypt_databases(array(select id from platform.databases))");
  await run("refresh -v=9", "refresh", "--yes", "--skip-preview", ...LOUDEST);
  state = await stack.stateText();
  secrets = await allSecrets();
  exported = (await stack.succeed("stack", "export")).stdout;
  rows = await database.query(ALL_ROWS);
  await run("up -v=9", "up", "--yes", "--skip-preview", ...LOUDEST);
  await run("destroy -v=9", "destroy", "--yes", "--skip-preview", ...LOUDEST);
  seen = await watch.stop();
}, 300_000);
afterAll(async () => {
  await platform?.close();
  await redis?.close();
});

describe("a secret", () => {
  it("is known to this test wherever the state keeps one", () => {
    const known = secrets.join("\n");
    for (const canary of [OWNER, SHADOW, MONGODB, ROTATED]) expect(known).toContain(canary);
    // Both roles' passwords, the salt and the project's database password are generated.
    expect(secrets.filter((secret) => /^\w{32,64}$/.test(secret)).length).toBeGreaterThanOrEqual(4);
  });

  it("was told to services that quote it in what they answer", () => {
    expect(redis.received()).toContain(REDIS);
    expect(redis.received()).toContain(ROTATED);
    expect(printed.health?.stdout).toContain("unhealthy");
  });

  it("is in no command's output, quiet or at its loudest, but for the engine's own lines at -v=9", () => {
    // Each stream by itself: as they come, a line of one may stand within a line of the other.
    for (const [name, { stdout, stderr }] of Object.entries(printed)) {
      const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => !ENGINE_LINE.test(line));
      expect([name, lines.join("\n").length > 200]).toEqual([name, true]);
      expect([name, lines.filter((line) => secretsIn(line).length > 0)]).toEqual([name, []]);
    }
  });

  it("is printed by the engine at -v=9 and not before: once this fails, the exception above can go", () => {
    for (const [name, { output }] of Object.entries(printed)) {
      expect([name, secretsIn(output).length > 0]).toEqual([name, name.endsWith("-v=9")]);
    }
  });

  it("is neither in the state nor in what `stack export` prints", () => {
    expect(secretsIn(state)).toEqual([]);
    expect(secretsIn(exported)).toEqual([]);
    expect(exported).toContain("ciphertext");
  });

  it("is not in what the provider writes to stderr", async () => {
    expect(secretsIn(await readFile(providerStderr(), "utf8"))).toEqual([]);
  });

  it("is not in the log of a server that logs every statement", async () => {
    const log = await readFile(platform.server.logFile, "utf8");

    expect(log).toContain('INSERT INTO "platform"."databases"');
    expect(withoutVerifiers(secretsIn(log))).toEqual([]);
  });

  it("is in no file that the commands leave, but for the dumps: logs, reports, temporary ones", async () => {
    const home = join(platform.stack.directory, "..");
    const found = await readdir(home, { recursive: true, withFileTypes: true });
    const files = found.filter((file) => file.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    const paths = files.map((file) => relative(home, file));
    for (const folder of [/^home\/logs\//, /^project\/runs\//, /^state\//, /^data\//]) {
      expect([folder, paths.filter((path) => folder.test(path)).length > 1]).toEqual([folder, true]);
    }
    expect(paths.filter((path) => path.startsWith("tmp/"))).toEqual([]);
    const leaks: unknown[] = [];
    for (const path of paths.filter((each) => !each.endsWith(".dump"))) {
      const bytes = await readFile(join(home, path));
      const text = bytes.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(bytes) : bytes;
      const secretsFound = secretsIn(text.toString("latin1"));
      if (secretsFound.length > 0) leaks.push([path, secretsFound]);
    }
    expect(leaks).toEqual([]);
  });

  it("is in no row but the keys', an old one in none at all: not in health, audit or results", () => {
    const tables = rows.map(({ name }) => name);
    for (const name of ["platform.databases", "platform_audit.decryptions"]) expect(tables).toContain(name);
    const holding = rows.filter(({ text }) => secretsIn(String(text)).length > 0);
    expect(holding.map(({ name }) => name)).toEqual(KEEPING);
    // One each: of a project its password, the key of request contexts, the salt that counts.
    const held = holding.map(({ text }) => secretsIn(String(text)));
    expect(held).toEqual([[expect.stringMatching(/^\w{32}$/)], [expect.stringMatching(/^\w{64}$/)], [salts[1]]]);
  });

  it("is not in what the server tells its users of statements, while they run and afterwards", async () => {
    const kept = await ask(platform.server.url("postgres"), "select query from pg_stat_statements");
    const queries = kept.map(({ query }) => String(query)).join("\n");
    expect(queries).toContain('INSERT INTO "platform"."databases"');
    expect(withoutVerifiers(secretsIn(queries))).toEqual([]);

    const running = [...seen.statements].join("\n");
    expect(running).toContain("pgstrata");
    expect(withoutVerifiers(secretsIn(running))).toEqual([]);
  });

  it.runIf(process.platform === "linux")("is in no arguments of a process, those of a backup included", () => {
    const commands = [...seen.commands].join("\n");
    expect(commands).toContain("pg_dump");
    expect(secretsIn(commands)).toEqual([]);
  });

  it.runIf(process.platform === "linux")(
    "is in no environment but those in which Pulumi gives settings away, and in none below them",
    () => {
      const variables = [...seen.variables];
      expect(variables.some((variable) => variable.includes("PGPASSFILE="))).toBe(true);
      const holding = variables.filter((variable) => secretsIn(variable).length > 0);
      expect(holding.filter((variable) => !GIVEN_SETTINGS.test(variable))).toEqual([]);
      expect(holding.length).toBeGreaterThan(0);
    },
  );
});

/** The secrets that a text holds, old ones included. */
function secretsIn(text: string): string[] {
  const all = new Set([...secrets, ...salts, OWNER, SHADOW, MONGODB, REDIS, ROTATED]);
  return [...all].filter((secret) => text.includes(secret));
}

/** Statements give a role's password as its verifier, which the state keeps secret as well. */
const withoutVerifiers = (found: string[]): string[] => found.filter((secret) => !secret.startsWith("SCRAM-SHA-256$"));

/** Runs a command of `tools/commands/` in the project of the stack. */
async function command(name: string, exitCodes: number[], ...args: string[]): Promise<void> {
  const { directory, stack, env } = platform.stack;
  const result = await execa(process.execPath, [`tools/commands/${name}.ts`, "--stack", stack, ...args], {
    ...{ cwd: directory, env, extendEnv: false, reject: false, all: true },
  });
  const { exitCode = -1, stdout, stderr, all } = result;
  printed[name] = { exitCode, stdout, stderr, output: all };
  if (!exitCodes.includes(exitCode)) throw new Error(`${name} ended with ${exitCode}:\n${all}`);
}

async function saltsNow(): Promise<string[]> {
  return (await platform.database.query<{ salt: string }>(SALTS)).map(({ salt }) => salt);
}

/** Every secret string of the state, in the clear. */
async function allSecrets(): Promise<string[]> {
  const { stdout } = await platform.stack.succeed("stack", "export", "--show-secrets");
  const found = new Set<string>();
  const collect = (value: unknown, isSecret: boolean): void => {
    if (typeof value === "string" && isSecret && value.length >= 8) found.add(value);
    if (typeof value !== "object" || value === null) return;
    if ("plaintext" in value && typeof value.plaintext === "string") collect(JSON.parse(value.plaintext), true);
    else for (const part of Object.values(value)) collect(part, isSecret);
  };
  collect(JSON.parse(stdout), false);
  return [...found];
}

/** Runs a statement of the test itself that holds a password. */
async function withoutLog(sql: string): Promise<void> {
  const client = await platform.database.pool.connect();
  try {
    await client.query("set log_statement = 'none'");
    await client.query("set log_min_duration_statement = -1; set pg_stat_statements.track = 'none'");
    await client.query(sql);
  } finally {
    client.release(true);
  }
}

function urlAs(username: string, password: string, text: string): string {
  const url = new URL(text);
  url.username = username;
  url.password = password;
  return url.href;
}

/** A PULUMI_HOME with the plugins of the checkout and logs of its own. */
async function homeOfItsOwn(): Promise<string> {
  const home = join(platform.stack.directory, "..", "home");
  await mkdir(home);
  await symlink(join(layoutOf(projectRoot).pulumiHome, "plugins"), join(home, "plugins"));
  return home;
}

const providerStderr = (): string => join(platform.stack.directory, "..", "provider-stderr");

/** Puts a script before the provider that keeps what it writes to stderr. */
async function keepProviderStderr(): Promise<void> {
  const executable = join(platform.stack.directory, "provider", "pulumi-resource-pgstrata");
  await rename(executable, `${executable}-itself`);
  await writeFile(providerStderr(), "");
  await writeFile(executable, `#!/bin/sh\nexec "$0-itself" "$@" 2>>'${providerStderr()}'\n`);
  await chmod(executable, 0o755);
}
