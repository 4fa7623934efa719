/**
 * Where each part comes from: an earlier set-up, PATH, the official download, or a build. The ways themselves
 * are in the files beside it.
 */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../provider/core/errors.ts";
import { buildPart, fetchAhead } from "./goBuild.ts";
import { findGo, findOnPath, type GoToolchain } from "./goToolchain.ts";
import { type Environment, type Layout, pluginPath } from "./layout.ts";
import { type Attempt, installOfficialCli, installOfficialPlugin } from "./official.ts";
import { cliPart, languageHostPart, type Part, pluginParts } from "./parts.ts";
import { placeExecutable, placeLanguageHost, placeText } from "./place.ts";
import { projectEnvironment } from "./pulumiHome.ts";
import { describePart, type InstalledPart, isCurrent } from "./record.ts";
import { runCommand } from "./runCommand.ts";

interface Work {
  readonly layout: Layout;
  readonly env: Environment;
  readonly recorded: readonly InstalledPart[];
  readonly log: (line: string) => void;
  readonly probe: () => Promise<Attempt>;
}

/** A work with its two answers that are asked for at most once. */
interface Step extends Work {
  readonly official: () => Promise<Attempt>;
  readonly go: () => Promise<GoToolchain>;
}

/** Gets every part, each from the first place that has it, and says in one line which that was. */
export async function installParts(work: Work): Promise<readonly InstalledPart[]> {
  const ended = new AbortController();
  const step: Step = {
    ...work,
    official: once(() => askOfficial(work)),
    go: once(() => findGoAndFetch(step, ended.signal)),
  };
  try {
    const cli = await installCli(step);
    const parts = [cli, await installLanguageHost(step, cli)];
    for (const part of pluginParts) {
      parts.push(await installPlugin(step, part, cli.path));
    }
    return parts;
  } finally {
    ended.abort();
  }
}

/** Asked when the first part is built: what the others need comes meanwhile. */
async function findGoAndFetch({ layout: { root }, env, official }: Step, signal: AbortSignal): Promise<GoToolchain> {
  const go = await findGo(join(root, "offline", cliPart.name), env);
  if (!(await official()).ok) void fetchAhead(go, { root, parts: [languageHostPart, ...pluginParts], env, signal });
  return go;
}

async function installCli(step: Step): Promise<InstalledPart> {
  const { layout, env, log } = step;
  const describe = (source: InstalledPart["source"], path: string) => describePart(layout.root, cliPart, source, path);
  const onPath = findOnPath("pulumi", withoutOwnFolder(step));
  if (onPath !== undefined) {
    const found = await versionOf(onPath, env);
    if (found === cliPart.version) {
      log(`${cliPart.title}: ${onPath}, found on PATH`);
      return describe("path", onPath);
    }
    log(`${cliPart.title}: not the one on PATH (${onPath} is ${found ?? "of unknown version"})`);
  }
  const own = join(layout.bin, cliPart.executable);
  const kept = keepable(step, cliPart);
  if (kept?.path === own && (await versionOf(own, env)) === cliPart.version) {
    return describe(kept.source, own);
  }
  const reached = await step.official();
  if (reached.ok) {
    log(`${cliPart.title}: downloading the official release`);
    const installed = await installOfficialCli(layout, env, log);
    const found = installed.ok ? await versionOf(own, env) : undefined;
    if (found === cliPart.version) {
      log(`${cliPart.title}: the official release, in ${layout.bin}`);
      return describe("official", own);
    }
    const reason = installed.ok ? `it is ${found ?? "of unknown version"}` : installed.reason;
    log(`${cliPart.title}: the official release is not available (${reason}), so it is built`);
  }
  placeExecutable(await buildPart({ root: layout.root, part: cliPart, env, go: step.go, log }), own);
  return describe("built", own);
}

async function installLanguageHost(step: Step, cli: InstalledPart): Promise<InstalledPart> {
  const { layout, env, log } = step;
  if (cli.source !== "built") {
    // Since 3.69 the host is a part of the CLI's release and lies beside it.
    const beside = join(dirname(realpathSync(cli.path)), languageHostPart.executable);
    const path = existsSync(beside) ? beside : findOnPath(languageHostPart.executable, withoutOwnFolder(step));
    if (path !== undefined) {
      return describePart(layout.root, languageHostPart, cli.source, path);
    }
  }
  const source = await buildPart({ root: layout.root, part: languageHostPart, env, go: step.go, log });
  placeLanguageHost(source, layout);
  return describePart(layout.root, languageHostPart, "built", join(layout.bin, languageHostPart.executable));
}

async function installPlugin(step: Step, part: Part, pulumiPath: string): Promise<InstalledPart> {
  const { layout, env, log } = step;
  const target = pluginPath(layout, part.name, part.version);
  const kept = keepable(step, part);
  if (kept?.path === target) {
    return describePart(layout.root, part, kept.source, target);
  }
  if ((await step.official()).ok) {
    const projectEnv = { ...env, ...projectEnvironment(layout, env, [dirname(pulumiPath)]) };
    const installed = await installOfficialPlugin({ pulumiPath, part, env: projectEnv, log });
    if (installed.ok && existsSync(target)) {
      log(`plugin ${part.name} ${part.version}: the official release`);
      return describePart(layout.root, part, "official", target);
    }
    log(
      `plugin ${part.name} ${part.version}: the official release is not available (${reasonOf(installed)}), so it is built`,
    );
  }
  placeExecutable(await buildPart({ root: layout.root, part, env, go: step.go, log }), target);
  placeText(join(dirname(target), "README"), `Built by pgstrata; see docs/closed-networks.md.\n${part.title}\n`, 0o644);
  return describePart(layout.root, part, "built", target);
}

/** What an earlier set-up left of a part, if it may stay. */
function keepable(step: Step, part: Part): InstalledPart | undefined {
  const installed = step.recorded.find(({ name }) => name === part.name);
  const isWanted = !(step.env.PGSTRATA_NETWORK === "open" && installed?.source === "built");
  return installed !== undefined && isWanted && isCurrent(step.layout.root, part, installed) ? installed : undefined;
}

async function askOfficial({ env, log, probe }: Work): Promise<Attempt> {
  const desired = env.PGSTRATA_NETWORK ?? "";
  if (!["", "auto", "open", "closed"].includes(desired)) {
    throw new UserError(
      "PS706",
      `Found PGSTRATA_NETWORK=${desired}, expected open, closed or auto.\nUnset it, or give it one of these values.`,
    );
  }
  const attempt: Attempt = desired === "closed" ? { ok: false, reason: "PGSTRATA_NETWORK says closed" } : await probe();
  if (!attempt.ok) {
    log(`official downloads: not used (${attempt.reason}); missing parts come from the Go module proxy`);
  }
  return attempt;
}

async function versionOf(pulumiPath: string, env: Environment): Promise<string | undefined> {
  const result = await runCommand(pulumiPath, ["version"], {
    env: { ...env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    timeoutMs: 20_000,
  });
  return /^v?(\d+\.\d+\.\d+\S*)/.exec(result.stdout.trim())?.[1];
}

/**
 * In a shell that has the project's environment, PATH leads to our own folder, which is not the user's CLI.
 */
function withoutOwnFolder({ env, layout }: Work): Environment {
  const path = (env.PATH ?? "").split(":").filter((folder) => folder !== layout.bin);
  return { ...env, PATH: path.join(":") };
}

function reasonOf(attempt: Attempt): string {
  return attempt.ok ? "it is not where it was expected" : attempt.reason;
}

function once<Result>(ask: () => Promise<Result>): () => Promise<Result> {
  let answer: Promise<Result> | undefined;
  return () => {
    answer ??= ask();
    return answer;
  };
}
