/** How the Pulumi CLI is run in the checkout. Its environment is left to `environment.ts`. */
import { execa } from "execa";
import { UserError } from "../../provider/core/errors.ts";
import { processEnvironment } from "./environment.ts";

export const INTERRUPTS = ["SIGINT", "SIGTERM"] as const;

let running = 0;

/** Whether a CLI runs to which an interrupt is left. */
export const isLeftToCli = (): boolean => running > 0;

/**
 * Runs the Pulumi CLI in the checkout with its output shown as it comes. An interrupt is left to the CLI,
 * which stops at a safe point; it is a failure here.
 *
 * @param variables added to its environment.
 * @param shell.env default: that of the checkout.
 * @param shell.stdout where its output goes; default: where ours goes.
 * @throws {UserError} when it fails; its own messages have been shown by then.
 */
export async function runPulumi(
  root: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
  shell: { env?: NodeJS.ProcessEnv; stdout?: NodeJS.WriteStream } = {},
): Promise<void> {
  const { env = processEnvironment(root), stdout = process.stdout } = shell;
  const child = execa("pulumi", args, {
    cwd: root,
    env: { ...env, ...variables },
    extendEnv: false,
    stdio: ["inherit", stdout, "inherit"],
    reject: false,
  });
  // A terminal interrupts both processes; a second signal would end the CLI at once.
  const passOn = (received: NodeJS.Signals): void => {
    if (received === "SIGTERM" || !process.stdin.isTTY) child.kill("SIGINT");
  };
  for (const name of INTERRUPTS) process.on(name, passOn);
  running += 1;
  const { exitCode, failed, code, signal } = await child.finally(() => {
    for (const name of INTERRUPTS) process.off(name, passOn);
    running -= 1;
  });
  if (code === "ENOENT") throw missingCli();
  if (failed) {
    throw new UserError(
      "PS707",
      `\`pulumi ${args[0]}\` ended with ${signal === undefined ? `exit code ${exitCode}` : signal}; its output is above. ` +
        "Once that is fixed, run this again: what was done is kept, and the rest is completed.",
    );
  }
}

/**
 * Runs the Pulumi CLI in the checkout.
 *
 * @param env default: that of the checkout.
 * @returns what it printed.
 * @throws {UserError} when it fails, with its messages.
 */
export async function askPulumi(
  root: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = processEnvironment(root),
): Promise<string> {
  const result = await callPulumi(root, args, env);
  if (result.failed)
    throw new UserError("PS707", `\`pulumi ${args.join(" ")}\` failed: ${result.stderr || result.stdout}`);
  return result.stdout;
}

/** Name of the stack that is selected. */
export async function currentStack(root: string, env: NodeJS.ProcessEnv): Promise<string> {
  return (await askPulumi(root, ["stack", "--show-name"], env)).trim();
}

/**
 * What `pulumi preview --json` prints, with the resources that do not change; also of a preview that was
 * stopped.
 *
 * @param options.more further arguments.
 * @param options.interrupt ends the preview as Ctrl-C would.
 * @throws {UserError} when there was none, with its messages.
 */
export async function previewAsJson(
  root: string,
  stack: string,
  env: NodeJS.ProcessEnv,
  { more = [], interrupt }: PreviewOptions = {},
): Promise<string> {
  const args = ["preview", "--json", "--show-sames", "--stack", stack, ...more];
  const { stdout, stderr } = await callPulumi(root, args, env, interrupt);
  if (stdout.trim() === "") throw new UserError("PS707", `\`pulumi preview\` failed: ${stderr}`);
  return stdout;
}

export interface PreviewOptions {
  more?: readonly string[];
  interrupt?: AbortSignal;
}

async function callPulumi(root: string, args: readonly string[], env: NodeJS.ProcessEnv, interrupt?: AbortSignal) {
  const result = await execa("pulumi", [...args, "--non-interactive"], {
    ...(interrupt === undefined ? {} : { cancelSignal: interrupt, killSignal: "SIGINT", forceKillAfterDelay: false }),
    cwd: root,
    env,
    extendEnv: false,
    stdin: "ignore",
    reject: false,
  });
  if (result.code === "ENOENT") throw missingCli();
  return result;
}

export function missingCli(): UserError {
  return new UserError("PS701", "The Pulumi CLI is not installed for this checkout. Run `npm start`: it sets all up.");
}
