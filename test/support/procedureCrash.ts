/**
 * A stack with a gate, backups and a verification, whose commands are killed between two stages, again and
 * again: the command, the CLI and the plugins at once. Programs of Postgres go on, as they have a process
 * group of their own.
 */
import { randomBytes } from "node:crypto";
import { chmod, cp, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { inject } from "vitest";
import { listBackups, sha256Of } from "../../provider/backup/backupFiles.ts";
import { quoteIdent } from "../../provider/catalog/quote.ts";
import { createStackWorkspace, type StackWorkspace } from "./cli.ts";
import { ask } from "./database.ts";
import { findPgDump } from "./pgDump.ts";
import { descendants, type ProcessEntry, stillRunning } from "./processTree.ts";
import { startStatementProxy } from "./statementProxy.ts";

/** Where a command is killed. */
export type StageBoundary =
  /** At the first statement like this that comes after one like that, on the way to the server or back. */
  | { sql: RegExp; side: "before" | "after"; follows?: RegExp }
  /** When `pg_dump` has written a part of its dump, or `pg_restore` is started with this parameter. */
  | { program: "pg_dump" | "--list" | "--dbname" };

/** A command line: `pulumi …`, or the name of one of `tools/commands/` and its parameters. */
export type Command = readonly string[];

export interface Ended {
  exitCode: number;
  output: string;
}

export interface ProcedureCrash {
  stack: StackWorkspace;
  /** URL of the database, without a proxy in between. */
  url: string;
  /** Runs a command to its end. */
  run(command: Command): Promise<Ended>;
  /**
   * Runs a command and kills it at the boundary. Throws when it ends before that, or when something of ours
   * does not end by itself afterwards.
   */
  killAt(command: Command, boundary: StageBoundary): Promise<Ended>;
  /** Runs a command; where Pulumi's lock stands in the way, as its message says, takes that away first. */
  recover(command: Command): Promise<Ended>;
  /** What is not as it must be of the folder of backups. */
  backupProblems(): Promise<string[]>;
  /** Names of the databases whose name begins with that of the stack's. */
  databases(): Promise<string[]>;
  /** Keeps database and state as they are now, for `reset`. */
  keep(): Promise<void>;
  /** Database, state and backups as they were kept. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const ORPHAN_LIMIT_MS = 15_000;
const BOUNDARY_LIMIT_MS = 120_000;

/** Programs that run on in a process group of their own. */
const isTool = ({ command }: ProcessEntry): boolean => /\bpg_dump\b|\bpg_restore\b|postgres/.test(command);
const isOurs = (entry: ProcessEntry): boolean => isTool(entry) || entry.command.includes("provider/main.ts");

/**
 * @param options.config of the stack; `databaseUrl` is set here.
 * @param options.server URL of the server; default the one that all test files share.
 */
export async function createProcedureCrash(
  options: {
    program?: string;
    files?: Readonly<Record<string, string>>;
    config?: Readonly<Record<string, string>>;
    server?: string;
  } = {},
): Promise<ProcedureCrash> {
  const { config = {}, server = inject("serverUrl"), ...project } = options;
  const proxy = await startStatementProxy({ host: "127.0.0.1", port: Number(new URL(server).port) });
  const name = `procedure_${randomBytes(6).toString("hex")}`;
  const origin = `kept_${name}`;
  const url = Object.assign(new URL(server), { pathname: `/${name}` }).href;
  await ask(server, `create database ${quoteIdent(name)} template template0`);
  const stack = await createStackWorkspace({
    ...project,
    config: { ...config, "pgstrata:databaseUrl": { secret: `${proxy.url(url)}?sslmode=disable` } },
  });
  const holder = await programsOf(stack);
  const state = fileURLToPath(String(stack.env.PULUMI_BACKEND_URL));
  const backups = join(stack.directory, "backups");
  const kept = join(dirname(state), "kept");

  const start = ([first = "", ...rest]: Command) => {
    const isCli = first === "pulumi";
    const [file, args] = isCli
      ? ["pulumi", ["--non-interactive", "--color", "never", ...rest]]
      : [
          process.execPath,
          [join(stack.directory, "tools", "commands", `${first}.ts`), "--stack", stack.stack, ...rest],
        ];
    return execa(file, args, {
      ...{ cwd: stack.directory, env: stack.env, extendEnv: false, stdin: "ignore", reject: false, all: true },
      // Orphans keep the pipes open for a while.
      forceKillAfterDelay: false,
    });
  };
  const run = async (command: Command): Promise<Ended> => {
    const { exitCode = -1, all } = await start(command);
    return { exitCode, output: all };
  };

  return {
    stack,
    url,
    run,
    async killAt(command, boundary) {
      let reached: () => void = () => {};
      const arrival = new Promise<void>((resolve) => {
        reached = resolve;
      });
      let killed: () => void = () => {};
      const end = new Promise<void>((resolve) => {
        killed = resolve;
      });
      if ("sql" in boundary) {
        let isDue = boundary.follows === undefined;
        let isReached = false;
        proxy.restart(async ({ sql, side, connection }) => {
          if (!isDue) isDue = side === "after" && boundary.follows?.test(sql) === true;
          else if (!isReached && side === boundary.side && boundary.sql.test(sql)) {
            isReached = true;
            reached();
            await end;
            // What is held must not come to the server after all.
            connection.cut();
          }
        });
      } else await holder.hold(boundary, reached);
      const child = start(command);
      const ended = child.then(({ all }) => all);
      const limit = sleep(BOUNDARY_LIMIT_MS, "did not come to its boundary");
      const early = await Promise.race([arrival, ended, limit]);
      const family = child.pid === undefined ? [] : descendants(child.pid);
      child.kill("SIGKILL");
      for (const entry of family.filter((each) => !isTool(each))) kill(entry.pid);
      killed();
      proxy.restart();
      await holder.release();
      const left = await stillRunning(family.filter(isOurs), ORPHAN_LIMIT_MS);
      for (const { pid } of await stillRunning(family, 0)) kill(pid);
      const output = await ended;
      if (typeof early === "string") throw new Error(`${command.join(" ")} was not killed: ${early}\n${output}`);
      if (left.length > 0) throw new Error(`did not end by itself: ${left.map((each) => each.command).join(", ")}`);
      return { exitCode: -1, output };
    },
    async recover(command) {
      const first = await run(command);
      if (!/currently locked/.test(first.output)) return first;
      if (!/pulumi cancel/.test(first.output)) throw new Error(`no word of what to do:\n${first.output}`);
      await stack.succeed("cancel", "--yes");
      const second = await run(command);
      return { exitCode: second.exitCode, output: `${first.output}\n${second.output}` };
    },
    async backupProblems() {
      const names = await readdir(backups).catch(() => []);
      const known = await listBackups(backups);
      const whole = known.flatMap(({ record }) => [
        `${record.name}.json`,
        ...(record.mode === "dump" ? [record.file] : []),
        ...(record.state === undefined ? [] : [record.state]),
      ]);
      const problems = names.filter((each) => !whole.includes(each)).map((each) => `left over: ${each}`);
      for (const { record } of known) {
        if (record.mode === "dump" && (await sha256Of(join(backups, record.file))) !== record.sha256)
          problems.push(`counts as a backup and is none: ${record.file}`);
      }
      return problems;
    },
    databases: async () =>
      (await ask(server, `select datname from pg_database where datname ^@ '${name}' order by 1`)).map(({ datname }) =>
        String(datname),
      ),
    async keep() {
      await ask(server, `drop database if exists ${quoteIdent(origin)} with (force)`);
      await ask(server, `create database ${quoteIdent(origin)} template ${quoteIdent(name)}`);
      await rm(kept, { recursive: true, force: true });
      await cp(state, join(kept, "state"), { recursive: true });
      if (await exists(backups)) await cp(backups, join(kept, "backups"), { recursive: true });
    },
    async reset() {
      await dropAll(server, name);
      await ask(server, `create database ${quoteIdent(name)} template ${quoteIdent(origin)}`);
      for (const [from, to] of [
        [join(kept, "state"), state],
        [join(kept, "backups"), backups],
      ] as const) {
        await rm(to, { recursive: true, force: true });
        if (await exists(from)) await cp(from, to, { recursive: true });
      }
    },
    async close() {
      await stack.remove();
      await proxy.close();
      await dropAll(server, name);
      await ask(server, `drop database if exists ${quoteIdent(origin)} with (force)`);
    },
  };
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended.
  }
}

async function dropAll(server: string, beginning: string): Promise<void> {
  const found = await ask(server, `select datname from pg_database where datname ^@ '${beginning}'`);
  for (const { datname } of found) await ask(server, `drop database ${quoteIdent(String(datname))} with (force)`);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/**
 * Puts `pg_dump` and `pg_restore` before those on the stack's PATH, which go to work at once, or wait at a
 * boundary until the process that has started them is gone.
 */
async function programsOf({ directory, env }: StackWorkspace) {
  const real = await findPgDump();
  if (real === undefined) throw new Error("no pg_dump");
  const folder = join(dirname(directory), "programs");
  const [order, mark] = [join(folder, "hold"), join(folder, "reached")];
  await mkdir(folder);
  for (const name of ["pg_dump", "pg_restore"]) {
    const program = `'${join(dirname(real), name)}'`;
    const part = name === "pg_dump" ? `${program} "$@" | head -c 3000\n` : "";
    const wait = `touch '${mark}'\nwhile kill -0 $PPID 2>/dev/null; do sleep 0.05; done\nexit 1`;
    const held = `case " ${name} $* " in *" --version "*) ;; *" $(cat '${order}' 2>/dev/null || echo none) "*)`;
    await writeFile(join(folder, name), `#!/bin/sh\n${held}\n${part}${wait};;\nesac\nexec ${program} "$@"\n`);
    await chmod(join(folder, name), 0o755);
  }
  env.PATH = [folder, env.PATH].join(delimiter);
  let isHolding = false;
  return {
    async hold({ program }: { program: string }, reached: () => void): Promise<void> {
      await writeFile(order, program);
      isHolding = true;
      const watch = async (): Promise<void> => {
        while (isHolding && !(await exists(mark))) await sleep(20);
        if (isHolding) reached();
      };
      void watch();
    },
    async release(): Promise<void> {
      isHolding = false;
      await rm(order, { force: true });
      await rm(mark, { force: true });
    },
  };
}
