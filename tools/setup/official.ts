/** The official downloads: whether they can be reached, and how they are installed. */
import { fileURLToPath } from "node:url";
import { type Environment, type Layout, versions } from "./layout.ts";
import type { Part } from "./parts.ts";
import { runCommand } from "./runCommand.ts";

const probeUrl = "https://get.pulumi.com/install.sh";
const probeTimeoutMs = 5_000;
const cliTimeoutMs = 300_000;
const pluginTimeoutMs = 120_000;

/** The outcome of an attempt with the official downloads: a reason that fits in one line, where it failed. */
export type Attempt = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Asks, for at most 5 seconds, whether the official downloads can be reached. */
export async function probeOfficial(): Promise<Attempt> {
  try {
    const response = await fetch(probeUrl, { method: "HEAD", signal: AbortSignal.timeout(probeTimeoutMs) });
    return response.ok ? { ok: true } : { ok: false, reason: `${probeUrl} answered ${response.status}` };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return { ok: false, reason: cause instanceof Error ? cause.message : String(cause) };
  }
}

/**
 * Installs the CLI with its language hosts into `<root>/.pgstrata/bin`, by the Automation API's own
 * installer.
 */
export async function installOfficialCli(
  layout: Layout,
  env: Environment,
  log: (line: string) => void,
): Promise<Attempt> {
  const installer = fileURLToPath(new URL("installCli.ts", import.meta.url));
  return await attempt(process.execPath, [installer, layout.home], {
    env,
    timeoutMs: cliTimeoutMs,
    onHeartbeat: (seconds) => log(`Pulumi CLI ${versions.pulumi}: still downloading, ${seconds} s`),
  });
}

/** Installs a resource plugin into the project's own Pulumi home, over one that is there. */
export async function installOfficialPlugin(options: {
  readonly pulumiPath: string;
  readonly part: Part;
  readonly env: Environment;
  readonly log: (line: string) => void;
}): Promise<Attempt> {
  const { part, log } = options;
  return await attempt(options.pulumiPath, ["plugin", "install", "resource", part.name, part.version, "--reinstall"], {
    env: options.env,
    timeoutMs: pluginTimeoutMs,
    onHeartbeat: (seconds) => log(`plugin ${part.name} ${part.version}: still downloading, ${seconds} s`),
  });
}

async function attempt(
  program: string,
  parameters: readonly string[],
  options: Parameters<typeof runCommand>[2],
): Promise<Attempt> {
  const result = await runCommand(program, parameters, options);
  if (result.exitCode === 0) {
    return { ok: true };
  }
  if (result.timedOut) {
    return { ok: false, reason: `not finished within ${(options.timeoutMs ?? 0) / 1000} s` };
  }
  const lines = `${result.stdout}\n${result.stderr}`.split("\n").filter((line) => line.trim() !== "");
  return { ok: false, reason: lines.at(-1)?.trim() ?? `exit code ${result.exitCode}` };
}
