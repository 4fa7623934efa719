import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { command, errorLine } from "./command.ts";
import { NotToBeHad } from "./tool.ts";

const INSTALL_TIMEOUT_MS = 900_000;

/** Installs by the ordinary clients of the package registries, once for each version and user. */
const home = join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "pgstrata", "peers");

/**
 * The directory of an installed tool; what `build` puts there is kept for later runs.
 *
 * @throws NotToBeHad when it could not be built.
 */
export async function installed(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const directory = join(home, name);
  if (existsSync(join(directory, ".complete"))) return directory;
  // Python's environments hold their own path, so it is built where it stays.
  await rm(directory, { recursive: true, force: true });
  await mkdir(directory, { recursive: true });
  console.error(`installing ${name} …`);
  await build(directory);
  await writeFile(join(directory, ".complete"), "");
  return directory;
}

/** Runs a package client. @throws NotToBeHad with what it said. */
export async function client(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { exitCode, output } = await command(program, args, { cwd, env, timeoutMs: INSTALL_TIMEOUT_MS });
  if (exitCode === 0) return;
  // Addresses of registries say nothing to a reader.
  const reason = errorLine(output)
    .replace(/https?:\/\/\S+/g, "…")
    .slice(0, 200);
  throw new NotToBeHad(`\`${program} ${args[0]}\` failed: ${reason}`);
}

/** A dependency of a Maven project. */
export interface Artifact {
  group: string;
  name: string;
  version: string;
  /** Dependencies of it that are left out, as `group:name`. */
  without?: readonly string[];
}

/** Puts the jars of Maven artifacts and all they depend on into `<directory>/lib`. */
export async function copyJars(
  directory: string,
  artifacts: readonly Artifact[],
  managed: readonly Artifact[] = [],
): Promise<void> {
  const coordinates = ({ group, name, version }: Artifact): string =>
    `<groupId>${group}</groupId><artifactId>${name}</artifactId><version>${version}</version>`;
  const exclusion = (id: string): string => {
    const [group, name] = id.split(":");
    return `<exclusion><groupId>${group}</groupId><artifactId>${name}</artifactId></exclusion>`;
  };
  const dependency = (artifact: Artifact): string =>
    `<dependency>${coordinates(artifact)}<exclusions>${(artifact.without ?? []).map(exclusion).join("")}</exclusions></dependency>`;
  const imported = (artifact: Artifact): string =>
    `<dependency>${coordinates(artifact)}<type>pom</type><scope>import</scope></dependency>`;
  await writeFile(
    join(directory, "pom.xml"),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>bench</groupId><artifactId>peer</artifactId><version>1</version>
<dependencyManagement><dependencies>${managed.map(imported).join("")}</dependencies></dependencyManagement>
<dependencies>${artifacts.map(dependency).join("\n")}</dependencies></project>
`,
  );
  await client("mvn", ["-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"], directory);
}
