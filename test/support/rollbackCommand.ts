import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import type { StackWorkspace } from "./cli.ts";

export interface CommandResult {
  exitCode: number;
  stdout: string;
  /** Both, as they came. */
  output: string;
}

/** Runs `npm run rollback -- …` on a workspace's stack, as it is written in its copy of the project. */
export const runRollback = (stack: StackWorkspace, ...args: string[]): Promise<CommandResult> =>
  result(startCommand("rollback", stack, args));

/** Runs `npm run rotate -- …` in the same way. */
export const runRotate = (stack: StackWorkspace, ...args: string[]): Promise<CommandResult> =>
  result(startCommand("rotate", stack, args));

async function result(child: ReturnType<typeof startCommand>): Promise<CommandResult> {
  const { exitCode, stdout, all } = await child;
  return { exitCode: exitCode ?? -1, stdout, output: all };
}

/** The same, interrupted as soon as `moment` has come; its children are not. */
export async function interruptRollback(
  stack: StackWorkspace,
  moment: () => Promise<boolean>,
  ...args: string[]
): Promise<CommandResult> {
  const child = startCommand("rollback", stack, args);
  const ended = child.then(() => true);
  while (!(await moment())) {
    if (await Promise.race([ended, sleep(100)])) throw new Error(`it ended before:\n${(await child).all}`);
  }
  child.kill("SIGINT");
  return result(child);
}

function startCommand(name: string, { directory, env, stack }: StackWorkspace, args: readonly string[]) {
  const command = join(directory, "tools", "commands", `${name}.ts`);
  return execa(process.execPath, [command, ...args, "--stack", stack], {
    ...{ cwd: directory, env, extendEnv: false, reject: false },
    ...{ stdin: "ignore", all: true },
  });
}
