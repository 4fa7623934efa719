import { randomBytes } from "node:crypto";
import { cp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import pg from "pg";
import { inject } from "vitest";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { readCatalog } from "../../provider/catalog/readCatalog.ts";
import { AFTER, BEFORE, LEFT_OVERS, MARKS, PROGRAM, ROWS, ROWS_DIGEST, STANDING } from "../long/chaos/shop/program.ts";
import { createStackWorkspace } from "./cli.ts";
import { ask } from "./database.ts";
import { type KillPoint, killOnce, terminateBackend } from "./kills.ts";
import { descendants, type ProcessEntry, stillRunning } from "./processTree.ts";
import { type Boundary, startStatementProxy } from "./statementProxy.ts";
import { watch } from "./watch.ts";

/** Who is killed: the provider, the CLI, the server's process behind the connection, or the network. */
export type Victim = "provider" | "command" | "backend" | "connection";

/**
 * A stack whose database is to be updated, of which an update can be killed at any statement, again and
 * again.
 */
export interface CrashStack {
  /** Statements of the undisturbed update. */
  statements: string[];
  /**
   * Runs the update, kills, and then does what a person would: takes Pulumi's own lock away if there is one,
   * and runs the update again. Looks whether the second plan is empty, the rows are untouched, the catalog is
   * as after the undisturbed update, and nobody saw half a layer meanwhile.
   */
  killAndRecover(point: KillPoint, victim: Victim): Promise<Outcome>;
  /** Destroys the stack; names what it leaves in the database. */
  destroy(): Promise<string[]>;
  /** Database and state as before the update. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

export interface Outcome {
  /** Beginning of the statement; undefined when the run never came to the boundary. */
  killedAt: string | undefined;
  /** What the killed command printed. */
  output: string;
  /** Whether the killed run had changed the catalog. */
  changed: boolean;
  /** How often another session looked. */
  looks: number;
  /** What is not as it must be; empty when all is well. */
  problems: string[];
}

const ORPHAN_LIMIT_MS = 15_000;

export async function createCrashStack(): Promise<CrashStack> {
  const server = inject("serverUrl");
  const proxy = await startStatementProxy({ host: "127.0.0.1", port: Number(new URL(server).port) });
  const name = `shop_${randomBytes(6).toString("hex")}`;
  const origin = `${name}_before`;
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  const stack = await createStackWorkspace({
    program: PROGRAM,
    files: BEFORE,
    config: { databaseUrl: { secret: `${proxy.url(url)}?sslmode=disable` }, supplier: "the house" },
  });
  const state = fileURLToPath(String(stack.env.PULUMI_BACKEND_URL));
  const stateBefore = `${state}.before`;

  const administrate = async (sql: string): Promise<void> => {
    await ask(server, sql);
  };
  const copyDatabase = async (from: string, to: string): Promise<void> => {
    await administrate(`drop database if exists ${quoteIdent(to)} with (force)`);
    await administrate(`create database ${quoteIdent(to)} template ${quoteIdent(from)}`);
  };
  const query = async (sql: string): Promise<Record<string, unknown>> => {
    const [row] = await ask(url, sql);
    return row ?? {};
  };
  const rootHash = async (): Promise<string> => {
    const pool = new pg.Pool({ connectionString: url, max: 1, pipeline: true });
    return readCatalog(pool, "postgres")
      .then(({ facts }) => facts.rootHash)
      .finally(() => pool.end());
  };
  const reset = async (): Promise<void> => {
    await copyDatabase(origin, name);
    await rm(state, { recursive: true, force: true });
    await cp(stateBefore, state, { recursive: true });
  };
  const start = () =>
    execa("pulumi", ["--non-interactive", "--color", "never", "up", "--yes", "--skip-preview"], {
      cwd: stack.directory,
      env: stack.env,
      extendEnv: false,
      stdin: "ignore",
      reject: false,
      all: true,
      // Orphans keep the pipes open for a while.
      forceKillAfterDelay: false,
    });

  await copyDatabase("template0", name);
  await stack.succeed("up", "--yes", "--skip-preview");
  for (const sql of ROWS) await query(sql);
  await copyDatabase(name, origin);
  await cp(state, stateBefore, { recursive: true });
  const rowsBefore = (await query(ROWS_DIGEST)).digest;
  for (const [path, text] of Object.entries(AFTER)) await stack.write(path, text);
  await stack.setConfig({ supplier: "our own" });
  proxy.restart();
  await stack.succeed("up", "--yes", "--skip-preview");
  const statements = [...proxy.statements];
  const complete = await rootHash();
  await stack.succeed("preview", "--expect-no-changes");
  if ((await query(ROWS_DIGEST)).digest !== rowsBefore) throw new Error("the undisturbed update changes rows");
  await reset();
  const outdated = await rootHash();

  const recover = async (): Promise<void> => {
    let again = await stack.run("up", "--yes", "--skip-preview");
    if (again.exitCode !== 0 && /currently locked/.test(again.output)) {
      await stack.succeed("cancel", "--yes");
      again = await stack.run("up", "--yes", "--skip-preview");
    }
    if (again.exitCode !== 0) throw new Error(`the update after the kill failed:\n${again.output}`);
    await stack.succeed("preview", "--expect-no-changes");
    if ((await query(ROWS_DIGEST)).digest !== rowsBefore) throw new Error("rows are not as they were");
    const { names } = await query(LEFT_OVERS);
    if (Array.isArray(names) && names.length > 0) throw new Error(`left over: ${names.join(", ")}`);
    if ((await rootHash()) !== complete) throw new Error("the catalog is not as the undisturbed update leaves it");
  };

  return {
    statements,
    reset,
    async killAndRecover(point, victim) {
      const watching = await watch(url, MARKS);
      const command = start();
      let family: ProcessEntry[] = [];
      const kill = async (boundary: Boundary): Promise<void> => {
        if (command.pid === undefined) throw new Error("the command has no process");
        family = descendants(command.pid);
        const provider = family.find(isProvider);
        if (provider === undefined) throw new Error("found no process of the provider");
        if (victim === "command") process.kill(command.pid, "SIGKILL");
        else if (victim === "provider") process.kill(provider.pid, "SIGKILL");
        else if (victim === "backend") await terminateBackend(boundary, server);
        else boundary.connection.cut();
      };
      const { hold, killedAt } = killOnce(point, statements, kill);
      proxy.restart(hold);
      const { all: output, exitCode } = await command;
      const changed = (await rootHash()) !== outdated;
      const problems: string[] = [];
      await recover().catch((error: unknown) => problems.push(String(error)));
      proxy.restart();
      const { seen, looks } = await watching.stop();
      const lostConnection = victim === "backend" || victim === "connection";
      if (lostConnection && exitCode !== 0 && !/connection to the database was lost|cannot connect to/.test(output))
        problems.push(`the lost connection is not explained:\n${output}`);
      problems.push(...seen.filter(isHalf).map((marks) => `half a layer was seen: ${marks}`));
      const ours = family.filter((entry) => isProvider(entry) || entry.command.includes("postgres"));
      const orphans = await stillRunning(ours, ORPHAN_LIMIT_MS);
      problems.push(...orphans.map(({ command: line }) => `did not end by itself: ${line}`));
      // Pulumi's language host is no process of ours, and may outlive a command that is killed.
      for (const { pid } of await stillRunning(family, 0)) process.kill(pid, "SIGKILL");
      return { killedAt: killedAt(), output, changed, looks, problems };
    },
    async destroy() {
      await stack.succeed("destroy", "--yes", "--skip-preview");
      const { names } = await query(STANDING);
      return Array.isArray(names) ? names.map(String) : [];
    },
    async close() {
      await stack.remove();
      await proxy.close();
      for (const database of [name, origin])
        await administrate(`drop database if exists ${quoteIdent(database)} with (force)`);
    },
  };
}

const isProvider = ({ command }: ProcessEntry): boolean => command.includes("provider/main.ts");

/** Whether the marks that a session saw show one of the changes of a layer without the others. */
function isHalf(marks: string): boolean {
  const { orders, access, ...rest }: Record<"orders" | "access" | "indexed by name", unknown> = JSON.parse(marks);
  const isMixed = (list: unknown): boolean => !Array.isArray(list) || new Set(list).size !== 1;
  return isMixed(orders) || isMixed(access) || rest["indexed by name"] !== true;
}
