/**
 * How a part is built from Go modules and cached for all checkouts. Which parts there are is in `parts.ts`,
 * finding Go in `goToolchain.ts`.
 */
import { randomUUID } from "node:crypto";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { UserError } from "../../provider/core/errors.ts";
import { diskFullError, tellsOfFullDisk, writing } from "./fileErrors.ts";
import { type GoToolchain, goEnvironment } from "./goToolchain.ts";
import { buildCache, type Environment } from "./layout.ts";
import { type Part, partDigest } from "./parts.ts";
import { runCommand } from "./runCommand.ts";

/** The folder of the user's cache that holds, or will hold, the executable of a part. */
export function cachedFolder(root: string, part: Part, env: Environment): string {
  const key = [part.name, part.version, partDigest(root, part), process.platform, process.arch].join("-");
  return join(buildCache(env), key);
}

/**
 * Builds a part, unless the user's cache has it. Two set-ups at once do no harm: each builds into a folder of
 * its own, and the first to end gives it its final name.
 *
 * @returns the path of the executable in the cache
 * @throws UserError when the disk is full, modules cannot be fetched, or the build fails.
 */
export async function buildPart(options: {
  readonly root: string;
  readonly part: Part;
  readonly env: Environment;
  /** Asked only when something has to be built. */
  readonly go: () => Promise<GoToolchain>;
  readonly log: (line: string) => void;
}): Promise<string> {
  const { root, part, env, log } = options;
  const folder = cachedFolder(root, part, env);
  const executable = join(folder, part.executable);
  if (existsSync(executable)) {
    log(`${part.title}: taken from ${folder}`);
    return executable;
  }
  const go = await options.go();
  const unfinished = `${folder}.${process.pid}-${randomUUID().slice(0, 8)}`;
  writing(dirname(folder), () => mkdirSync(unfinished, { recursive: true }));
  try {
    const started = Date.now();
    log(`${part.title}: building with Go ${go.version} (once; kept in ${dirname(folder)})`);
    const result = await runCommand(
      go.path,
      [
        "build",
        "-trimpath",
        "-buildvcs=false",
        "-mod=readonly",
        `-ldflags=${part.linkerFlags}`,
        "-o",
        join(unfinished, part.executable),
        part.goPackage,
      ],
      {
        cwd: join(root, "offline", part.name),
        env: goEnvironment(env),
        onHeartbeat: (seconds) => log(`${part.title}: still building, ${seconds} s`),
      },
    );
    if (result.exitCode !== 0) {
      throw buildError(part, folder, result.stderr);
    }
    log(`${part.title}: built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
    publish(unfinished, folder, executable);
    return executable;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * Has Go download the modules of parts that are built later, one part after another, while the processor is
 * busy with an earlier one. It says nothing: what cannot be had is told by the build.
 */
export async function fetchAhead(
  go: GoToolchain,
  options: {
    readonly root: string;
    readonly parts: readonly Part[];
    readonly env: Environment;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const { root, parts, env, signal } = options;
  for (const part of parts.filter((each) => !isCached(root, each, env))) {
    if (signal.aborted) return;
    await runCommand(go.path, ["list", "-deps", "-mod=readonly", part.goPackage], {
      cwd: join(root, "offline", part.name),
      env: goEnvironment(env),
      signal,
    });
  }
}

function isCached(root: string, part: Part, env: Environment): boolean {
  return existsSync(join(cachedFolder(root, part, env), part.executable));
}

function publish(unfinished: string, folder: string, executable: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Another set-up was first; its executable is as good.
    if (!existsSync(executable)) {
      throw error;
    }
  }
}

/**
 * What Go prints when a module cannot be fetched: no name, no route, no answer, or a refusal of the proxy.
 */
const unreachable =
  /dial tcp|no such host|i\/o timeout|TLS handshake|connection refused|network is unreachable|module lookup disabled|40[34] (Forbidden|Not Found)|50\d |unexpected EOF|proxyconnect|GOPROXY/i;

export function buildError(part: Part, folder: string, output: string): UserError {
  if (tellsOfFullDisk(output)) {
    return diskFullError(folder);
  }
  const lines = output
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("go: downloading "))
    .slice(-8)
    .join("\n");
  if (unreachable.test(output)) {
    return new UserError(
      "PS709",
      [
        `${part.title} cannot be built: Go could not fetch a module. It said:`,
        lines,
        "Expected a Go module proxy that can be reached (`go env GOPROXY` names it).",
        "Check the network and GOPROXY; or fill the build cache from another machine, as docs/closed-networks.md tells.",
      ].join("\n"),
    );
  }
  return new UserError(
    "PS709",
    [
      `${part.title} cannot be built. Go said:`,
      lines,
      "Expected the committed go.mod and go.sum to build as they are; check that offline/ is unchanged, then run the same command again.",
    ].join("\n"),
  );
}
