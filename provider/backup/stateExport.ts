/**
 * The state of the stack as it was before the first change, by the CLI that runs this update. A state that
 * cannot be had stops nothing: it is a warning.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readlinkSync } from "node:fs";
import { basename, delimiter, join } from "node:path";
import { z } from "zod";
import type { Environment } from "../core/userFolders.ts";
import { writePrivate } from "./backupFiles.ts";
import { endOf, runProgram } from "./runProgram.ts";

/** A state backend that does not answer must not hold up an update for long. */
const LONGEST_MS = 60_000;

const exported = z.object({
  deployment: z.object({ resources: z.array(z.object({ urn: z.string() })).optional() }),
});

export interface StackName {
  stack: string;
  project: string;
}

/** The text of `pulumi stack export`, or why there is none. */
export type StateExport = { text: string } | { reason: string };

/**
 * Secrets are as Pulumi encrypts them.
 *
 * @param env default: of this process, which the CLI has started.
 */
export async function exportState(
  { stack, project }: StackName,
  projectDirectory: string,
  signal: AbortSignal,
  env: Environment = process.env,
): Promise<StateExport> {
  const cli = findCli(env);
  if (cli === undefined) return { reason: "no pulumi was found on PATH, in PULUMI_HOME or as the parent process" };
  const known = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const parameters = ["stack", "export", "--stack", stack, "--non-interactive"];
  const result = await runProgram(cli, parameters, {
    env: { ...Object.fromEntries(known), PULUMI_SKIP_UPDATE_CHECK: "true" },
    cwd: projectDirectory,
    signal,
    timeoutMs: LONGEST_MS,
  });
  if (result.hasTimedOut) return { reason: `\`pulumi stack export\` did not end within ${LONGEST_MS / 1000} s` };
  if (result.startError !== undefined)
    return { reason: `\`pulumi stack export\` did not start (${result.startError})` };
  if (result.exitCode !== 0) return { reason: `\`pulumi stack export --stack ${stack}\` ended with ${endOf(result)}` };
  return isStateOf(result.stdout, { stack, project })
    ? { text: result.stdout }
    : { reason: `\`pulumi stack export --stack ${stack}\` gave the state of another stack` };
}

/** Writes the state beside the backup, or says why there is none. */
export async function keepState(
  state: StateExport,
  folder: string,
  name: string,
): Promise<{ state: { state?: string }; warnings: string[] }> {
  if ("reason" in state) return { state: {}, warnings: [`the state of the stack is not part of it: ${state.reason}`] };
  const file = `${name}.state.json`;
  await writePrivate(folder, file, state.text);
  return { state: { state: file }, warnings: [] };
}

/** Whether a text is the state of the stack; names of stacks are unique within an organization only. */
function isStateOf(text: string, { stack, project }: StackName): boolean {
  try {
    const { resources = [] } = exported.parse(JSON.parse(text)).deployment;
    return resources.every(({ urn }) => urn.startsWith(`urn:pulumi:${stack}::${project}::`));
  } catch {
    return false;
  }
}

/** The parent process is of the version that runs this update, so it comes first. */
export function findCli(env: Environment, parent: string | undefined = parentProgram()): string | undefined {
  if (parent !== undefined && /^pulumi(\.exe)?$/.test(basename(parent))) return parent;
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  if (env.PULUMI_HOME) folders.push(join(env.PULUMI_HOME, "bin"));
  return folders.map((folder) => join(folder, "pulumi")).find((path) => existsSync(path));
}

function parentProgram(): string | undefined {
  try {
    if (process.platform === "linux") return readlinkSync(`/proc/${process.ppid}/exe`);
    return execFileSync("ps", ["-o", "comm=", "-p", String(process.ppid)], { encoding: "utf8" }).trim();
  } catch {
    return undefined;
  }
}
