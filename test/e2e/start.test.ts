import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { execa, type Options } from "execa";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { projectRoot } from "../../tools/lib/paths.ts";
import { layoutOf } from "../../tools/setup/layout.ts";
import { readRecord } from "../../tools/setup/record.ts";

/** Not of a clone: what is installed or made there. */
const MADE = new Set([".git", ".pgstrata", "node_modules"]);

// One checkout goes through its life: each test starts where the one before it ended.
let home: string;
let checkout: string;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "pgstrata-start-"));
  checkout = join(home, "it's a clone");
  await cp(projectRoot, checkout, { recursive: true, filter: (path) => !MADE.has(basename(path)) });
  await withoutSalt(join(checkout, "Pulumi.dev.yaml"));
  await linkPackages();
  await git("init", "--quiet");
  await git("add", "--all");
  await git("-c", "user.name=Ann", "-c", "user.email=ann@example.org", "commit", "--quiet", "--message", "All");
});
afterAll(async () => {
  await run("npm", "run", "reset");
  await rm(home, { recursive: true, force: true });
});

describe("`npm start` in a new checkout", () => {
  it("sets all up, makes the platform and ends with a summary", async () => {
    const { exitCode, all } = await run("npm", "start");

    expect([exitCode, all]).toEqual([0, expect.anything()]);
    expect(all).toMatch(/Resources:\n +\+ 48 created/);
    const summary = all.slice(all.indexOf("The platform is up to date in the local database."));
    expect(summary).toMatch(/31 tables · \d+ indexes · 26 policies · 66 functions · 8 views/);
    expect(summary).toMatch(/Railway MongoDB +mongodb +mongodb:\/\/mongodb\.railway\.internal:27017 +inactive/);
    expect(summary).toMatch(/Railway Redis +redis +redis:\/\/redis\.railway\.internal:6379 +inactive/);
    expect(summary).toMatch(/^Local database: postgresql:\/\/\w+@127\.0\.0\.1:\d+\/studio \(/m);
    const next = summary.slice(summary.indexOf("Next:")).split("\n").slice(1, 5);
    expect(next.map((line) => line.trim().split(/ {2,}/)[0])).toEqual([
      'eval "$(npm run -s env)"',
      "pulumi preview --diff",
      'psql "$(npm run -s url)"',
      "",
    ]);
    const time = "\\d+\\.\\d s";
    const stages = ["set-up", "local database", "stack", "preview", "update"].map((stage) => `${stage} ${time}`);
    expect(summary).toMatch(new RegExp(`\nTook ${time}: ${stages.join(", ")}\\.$`));
    expect(all).not.toMatch(/EBADENGINE|deprecat/i);
    expect((await stat(layoutOf(checkout).passphrase)).mode & 0o777).toBe(0o600);
    expect(await git("status", "--porcelain")).toBe("");
  });

  it("changes nothing the second time", async () => {
    const { exitCode, all } = await run("npm", "start");

    expect([exitCode, all]).toEqual([0, expect.stringContaining("Nothing had to be changed")]);
    expect(all).toContain("runs already");
    expect(all).not.toContain("── update");
    expect(await git("status", "--porcelain")).toBe("");
  });
});

describe("the commands of a checkout that is set up", () => {
  it("print a URL that opens the database, and nothing else", async () => {
    const { stdout } = await run("npm", "run", "-s", "url");

    const client = new pg.Client({ connectionString: stdout.trim() });
    await client.connect();
    const { rows } = await client.query("select name from platform.databases order by name");
    await client.end();
    expect(rows).toEqual([{ name: "Railway MongoDB" }, { name: "Railway Redis" }]);
  });

  it("make the plain `pulumi` work in a shell", async () => {
    const { exitCode, all } = await run("sh", "-c", 'eval "$(npm run -s env)" && pulumi preview --expect-no-changes');

    expect([exitCode, all]).toEqual([0, expect.stringContaining("48 unchanged")]);
  });

  it("find no drift in what was just made", async () => {
    const { exitCode, all } = await run("npm", "run", "-s", "drift");

    expect([exitCode, all]).toEqual([0, expect.stringContaining("layer platform: as the last update left it")]);
  });

  it("stop the database, which then says how to start it again", async () => {
    const stop = await run("npm", "stop");
    const url = await run("npm", "run", "-s", "url");
    const drift = await run("npm", "run", "-s", "drift");

    expect([drift.exitCode, drift.all]).toEqual([1, expect.stringContaining("nothing accepts connections at")]);

    expect(stop.all).toContain("The local database is stopped");
    expect(url.exitCode).toBe(1);
    expect(url.all).toContain("Run `npm start`");
  });

  it("remove the database and its state, and leave the checkout as it was", async () => {
    const reset = await run("npm", "run", "reset");

    expect([reset.exitCode, reset.all]).toEqual([0, expect.stringContaining("the state of the stack dev")]);
    expect(await readdir(layoutOf(checkout).home)).not.toContain("postgres");
    expect(await git("status", "--porcelain")).toBe("");
    expect((await run("npm", "run", "reset")).all).toContain("There was nothing to remove.");
  });
});

/** As git has the file: that of a checkout which was started holds a salt. */
async function withoutSalt(file: string): Promise<void> {
  await writeFile(file, (await readFile(file, "utf8")).replace(/^encryptionsalt: .*\n?/m, ""));
}

/** A folder of links: only a folder is what `.gitignore` names. */
async function linkPackages(): Promise<void> {
  const packages = join(checkout, "node_modules");
  await mkdir(packages);
  for (const name of await readdir(join(projectRoot, "node_modules"))) {
    await symlink(join(projectRoot, "node_modules", name), join(packages, name));
  }
}

async function run(command: string, ...args: string[]) {
  const isBuilt = readRecord(layoutOf(projectRoot)).some(({ source }) => source === "built");
  const options = {
    cwd: checkout,
    // What was built here before is taken from the user's cache.
    env: isBuilt ? { PGSTRATA_NETWORK: "closed" } : {},
    stdin: "ignore",
    reject: false,
    all: true,
  } as const satisfies Options;
  return execa(command, args, options);
}

async function git(...args: string[]): Promise<string> {
  return (await execa("git", args, { cwd: checkout })).stdout;
}
