/** A stack of the platform in a project, a git repository and a database of its own, and its commands. */
import { appendFile, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import pg from "pg";
import { z } from "zod";
import { createStackWorkspace } from "../../test/support/cli.ts";

const run = z.object({
  result: z.string(),
  elapsedMs: z.number(),
  stages: z.array(z.object({ name: z.string(), status: z.string(), elapsedMs: z.number() })),
  errors: z.array(z.string()),
});

/** The report of `npm run deploy`, as far as it tells times. */
export type Deployed = z.output<typeof run>;

/** A command's own report, with the time of the whole command. */
export interface Answered<T> {
  report: T;
  wallMs: number;
}

export interface ProcedureStack {
  deploy(): Promise<Answered<Deployed>>;
  /** Runs one of `tools/commands/` with `--json`. */
  command<T>(form: z.ZodType<T>, name: string, ...args: string[]): Promise<Answered<T>>;
  /** Adds one object to each of the three layers, and commits the files. */
  changeLayers(): Promise<void>;
  query<Row extends pg.QueryResultRow>(sql: string): Promise<Row[]>;
  remove(): Promise<void>;
}

/** One object for each layer, whose build grows with the rows of its table. */
const CHANGES: Readonly<Record<string, string>> = {
  "sql/platform/10-users.sql":
    "create index idx_users_procedure on platform.users (created_at, email);\n" +
    "create index idx_user_sessions_procedure on platform.user_sessions (created_at, token);",
  "sql/databases/10-databases.sql": "create index idx_databases_procedure on platform.databases (created_at, name);",
  "sql/rls/permissive/10-policies.sql":
    "comment on policy permissive_all_projects on platform.projects is 'Every role that a grant lets in';",
};

/** @param url of an empty database. */
export async function createProcedureStack(url: string): Promise<ProcedureStack> {
  const workspace = await createStackWorkspace({
    config: { "pgstrata:databaseUrl": { secret: url }, "pgstrata:allowPlaceholders": "true" },
    files: { ".gitignore": "node_modules\n.pgstrata\nruns\n" },
  });
  const { directory, env, stack } = workspace;
  const git = (...args: string[]) =>
    execa("git", ["-c", "user.name=Bench", "-c", "user.email=bench@localhost", ...args], { cwd: directory });
  const commit = async (message: string): Promise<void> => {
    await git("add", "--all");
    await git("commit", "--quiet", "-m", message);
  };
  await git("init", "--quiet", "--initial-branch=main");
  await commit("The platform");

  const start = async (name: string, args: readonly string[]) => {
    const started = performance.now();
    const file = join(directory, "tools", "commands", `${name}.ts`);
    const { exitCode, stdout, all } = await execa(process.execPath, [file, "--stack", stack, ...args], {
      ...{ cwd: directory, env, extendEnv: false, stdin: "ignore", reject: false, all: true },
    });
    if (exitCode !== 0) throw new Error(`${name} ${args.join(" ")} ended with ${exitCode}:\n${all}`);
    return { stdout, wallMs: performance.now() - started };
  };

  return {
    async deploy() {
      const runs = join(directory, "runs");
      const known = await readdir(runs).catch((): string[] => []);
      const { wallMs } = await start("deploy", ["--yes"]);
      const added = (await readdir(runs)).find((name) => name !== "trees" && !known.includes(name));
      const report = run.parse(JSON.parse(await readFile(join(runs, added ?? "", "report.json"), "utf8")));
      if (report.result !== "DONE") throw new Error(`deploy: ${report.result}\n${report.errors.join("\n")}`);
      return { report, wallMs };
    },
    async command(form, name, ...args) {
      const { stdout, wallMs } = await start(name, [...args, "--yes", "--json"]);
      return { report: form.parse(JSON.parse(stdout)), wallMs };
    },
    async changeLayers() {
      for (const [file, sql] of Object.entries(CHANGES)) await appendFile(join(directory, file), `\n${sql}\n`);
      await commit("One object more for each layer");
    },
    async query<Row extends pg.QueryResultRow>(sql: string) {
      const client = new pg.Client(url);
      await client.connect();
      try {
        return (await client.query<Row>(sql)).rows;
      } finally {
        await client.end();
      }
    },
    async remove() {
      await rm(join(directory, "runs"), { recursive: true, force: true });
      await workspace.remove();
    },
  };
}
