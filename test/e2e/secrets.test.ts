import { chmod, mkdir, readdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../tools/lib/paths.ts";
import { layoutOf } from "../../tools/setup/layout.ts";
import type { CliResult } from "../support/cli.ts";
import { createPlatformStack, type PlatformStack } from "../support/platformStack.ts";

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

let platform: PlatformStack;
/** What the commands printed, by command. */
const printed: Record<string, CliResult> = {};
let secrets: string[] = [];
let state = "";
let exported = "";

beforeAll(async () => {
  platform = await createPlatformStack();
  const { stack, database, server } = platform;
  // Passwords as verifiers, so that the log does not get them from here.
  await database.query("set log_statement = 'none'; set log_min_duration_statement = -1");
  await withoutLog(`create role owner login superuser password '${OWNER}'`);
  await withoutLog(`create role shadow_owner login superuser password '${SHADOW}'`);
  await stack.setConfig({
    "pgstrata:databaseUrl": { secret: urlAs("owner", OWNER, database.url) },
    "pgstrata:mongodbConnectionString": { secret: `mongodb://user:${MONGODB}@mongo.example:27017` },
    "pgstrata:redisConnectionString": { secret: `redis://user:${REDIS}@redis.example:6379` },
  });
  stack.env.PULUMI_HOME = await homeOfItsOwn();
  await keepProviderStderr();

  const run = async (name: string, ...args: string[]) => {
    printed[name] = await stack.run(...args);
    expect([name, printed[name].exitCode]).toEqual([name, 0]);
  };
  await run("up", "up", "--yes", "--diff");
  // The shadow needs the roles, which the first update makes.
  await stack.setConfig({
    "pgstrata:shadow": { secret: urlAs("shadow_owner", SHADOW, server.url("postgres")) },
    "pgstrata:redisConnectionString": { secret: `redis://user:${ROTATED}@redis.example:6379` },
  });
  await stack.write(
    "sql/rls/permissive/99-comment.sql",
    "comment on policy permissive_all_users on platform.users is 'All';\n",
  );
  await run("preview --diff", "preview", "--diff");
  await run("preview --json", "preview", "--json");
  await run("preview --debug", "preview", "--debug");
  await run("up -v=8", "up", "--yes", "--skip-preview", "-v=8", "--logtostderr");
  await run("refresh -v=9", "refresh", "--yes", "--skip-preview", ...LOUDEST);
  state = await stack.stateText();
  secrets = await allSecrets();
  exported = (await stack.succeed("stack", "export")).stdout;
  await run("up -v=9", "up", "--yes", "--skip-preview", ...LOUDEST);
  await run("destroy -v=9", "destroy", "--yes", "--skip-preview", ...LOUDEST);
});
afterAll(() => platform?.close());

describe("a secret", () => {
  it("is known to this test wherever the state keeps one", () => {
    const known = secrets.join("\n");
    for (const canary of [OWNER, SHADOW, MONGODB, ROTATED]) expect(known).toContain(canary);
    // Both roles' passwords, the salt and the project's database password are generated.
    expect(secrets.filter((secret) => /^\w{32,64}$/.test(secret)).length).toBeGreaterThanOrEqual(4);
  });

  it("is in no command's output, quiet or at its loudest, but for the engine's own lines at -v=9", () => {
    for (const [name, { output }] of Object.entries(printed)) {
      const text = output
        .split("\n")
        .filter((line) => !ENGINE_LINE.test(line))
        .join("\n");
      expect([name, text.length > 200]).toEqual([name, true]);
      expect([name, secretsIn(text)]).toEqual([name, []]);
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
    // Of the passwords of the roles it has the verifiers, which the state keeps secret as well.
    const found = secretsIn(log).filter((secret) => !secret.startsWith("SCRAM-SHA-256$"));
    expect(found).toEqual([]);
  });

  it("is not in the logs that the CLI keeps", async () => {
    const folder = join(platform.stack.env.PULUMI_HOME ?? "", "logs");
    const files = await readdir(folder);
    expect(files.length).toBeGreaterThan(5);
    for (const file of files) {
      const bytes = await readFile(join(folder, file));
      const text = bytes.subarray(0, 2).equals(Buffer.from([0x1f, 0x8b])) ? gunzipSync(bytes) : bytes;
      expect([file, secretsIn(text.toString("latin1"))]).toEqual([file, []]);
    }
  });
});

/** The secrets that a text holds. */
function secretsIn(text: string): string[] {
  return [...secrets, OWNER, SHADOW, MONGODB, REDIS, ROTATED].filter((secret) => text.includes(secret));
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
    await client.query("set log_min_duration_statement = -1");
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
