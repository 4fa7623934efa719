/** Which Go is used to build, and whether it is new enough. */
import { accessSync, constants, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";
import { UserError } from "../../provider/core/errors.ts";
import { type Environment, versions } from "./layout.ts";
import { runCommand } from "./runCommand.ts";

/** A Go toolchain that can build the parts. */
export interface GoToolchain {
  readonly path: string;
  /** Such as "1.26.8". */
  readonly version: string;
}

/** Where Go's own installers put it, for shells whose PATH was not extended. */
const usualPlaces = ["/usr/local/go/bin", "/opt/homebrew/bin", "/usr/lib/go/bin"];

const otherWay =
  `install the Pulumi CLI ${versions.pulumi} itself and put it on PATH ` +
  `(https://www.pulumi.com/docs/iac/download-install/versions/)`;

/** @returns the path of an executable on PATH, or undefined. */
export function findOnPath(name: string, env: Environment, morePlaces: readonly string[] = []): string | undefined {
  for (const folder of [...(env.PATH ?? "").split(delimiter), ...morePlaces]) {
    const candidate = join(folder, name);
    try {
      accessSync(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here; the next folder may have it.
    }
  }
  return undefined;
}

/** @returns the version that the `go` line of a module demands, such as "1.25.11". */
export function requiredGoVersion(moduleFolder: string): string {
  const line = /^go (\S+)$/m.exec(readFileSync(join(moduleFolder, "go.mod"), "utf8"));
  if (line?.[1] === undefined) {
    throw new Error(`no go line in ${moduleFolder}/go.mod`);
  }
  return line[1];
}

/**
 * Finds Go and makes sure that it is new enough for a module. A Go since 1.21 may fetch a newer toolchain by
 * itself, which `go version` shows when run inside the module.
 *
 * @throws UserError when Go is missing or too old.
 */
export async function findGo(
  moduleFolder: string,
  env: Environment,
  placesOffPath: readonly string[] = usualPlaces,
): Promise<GoToolchain> {
  const required = requiredGoVersion(moduleFolder);
  const path = findOnPath("go", env, placesOffPath);
  if (path === undefined) {
    throw new UserError(
      "PS709",
      [
        "Go is missing: found no `go` on PATH, and the official Pulumi downloads cannot be reached either.",
        `Expected Go ${required} or newer, with which the set-up builds the Pulumi CLI and its plugins.`,
        `Install Go (https://go.dev/dl/), or ${otherWay}; then run the same command again.`,
      ].join("\n"),
    );
  }
  const answer = await runCommand(path, ["version"], { cwd: moduleFolder, env: goEnvironment(env) });
  const version = /\bgo(\d+\.\d+(?:\.\d+)?)/.exec(answer.stdout)?.[1];
  if (answer.exitCode !== 0 || version === undefined || isOlder(version, required)) {
    const found = version === undefined ? answer.stderr.trim().slice(0, 500) : `Go ${version}`;
    throw new UserError(
      "PS709",
      [
        `Go is too old: found ${found} at ${path}.`,
        `Expected Go ${required} or newer, with which the set-up builds the Pulumi CLI and its plugins.`,
        `Install a current Go (https://go.dev/dl/), or ${otherWay}; then run the same command again.`,
      ].join("\n"),
    );
  }
  return { path, version };
}

/** The environment of every Go command: the user's proxy settings, and nothing else that changes a build. */
export function goEnvironment(env: Environment): Environment {
  const { GOOS, GOARCH, GOBIN, ...rest } = env;
  return { ...rest, HOME: env.HOME || homedir(), GOFLAGS: "", GOWORK: "off", GO111MODULE: "on", CGO_ENABLED: "0" };
}

function isOlder(version: string, required: string): boolean {
  const found = version.split(".").map(Number);
  for (const [index, desired] of required.split(".").map(Number).entries()) {
    const number = found[index] ?? 0;
    if (number !== desired) {
      return number < desired;
    }
  }
  return false;
}
