import { join } from "node:path";
import { execa } from "execa";
import type { StackWorkspace } from "./cli.ts";

export interface CommandResult {
  exitCode: number;
  stdout: string;
  /** Both, as they came. */
  output: string;
}

/** Runs `npm run rollback -- …` on a workspace's stack, as it is written in its copy of the project. */
export async function runRollback(
  { directory, env, stack }: StackWorkspace,
  ...args: string[]
): Promise<CommandResult> {
  const command = join(directory, "tools", "commands", "rollback.ts");
  const { exitCode, stdout, all } = await execa(process.execPath, [command, ...args, "--stack", stack], {
    cwd: directory,
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
    all: true,
  });
  return { exitCode: exitCode ?? -1, stdout, output: all };
}
