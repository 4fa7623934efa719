import { randomBytes } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { bundlesOf } from "../../provider/bundle.ts";
import { processEnvironment } from "../../tools/lib/environment.ts";
import { projectRoot } from "../../tools/lib/paths.ts";

/** What a project is made of; the rest of the checkout is of no use to a stack. */
const PROJECT_PARTS = [
  "Pulumi.yaml",
  "package.json",
  "package-lock.json",
  "index.ts",
  "project.ts",
  "programs",
  "components",
  "provider",
  "sql",
  "tools",
];

/** A stack in a project and a backend of its own, driven by the real CLI. */
export interface StackWorkspace {
  /** The project's directory: a copy, so that a test may change its files. */
  directory: string;
  stack: string;
  env: NodeJS.ProcessEnv;
  /**
   * Runs `pulumi …` on the stack, e.g. `run("up", "--yes", "--skip-preview")`. A failure is a result, not an
   * exception.
   */
  run(...args: string[]): Promise<CliResult>;
  /** As `run`, but throws with the output when the command fails. */
  succeed(...args: string[]): Promise<CliResult>;
  setConfig(config: StackConfig): Promise<void>;
  /** Writes a file of the project. */
  write(path: string, text: string): Promise<void>;
  /** The state file's text, as it lies in a backend of its own. */
  stateText(): Promise<string>;
  /** `pulumi stack export`, parsed. */
  exportState(): Promise<ExportedState>;
  /** Removes the project and the backend. What the stack made in databases stays. */
  remove(): Promise<void>;
}

export interface CliResult {
  exitCode: number;
  stdout: string;
  stderr: string;
  /** Both, as they came. */
  output: string;
}

/** Where several workspaces keep one stack. */
export interface SharedBackend {
  /** For PULUMI_BACKEND_URL. */
  url: string;
  passphrase: string;
  /** Further variables that the backend needs. */
  env?: Readonly<Record<string, string>>;
}

/** Values by config key, e.g. `{ "pgstrata:databaseUrl": { secret: url } }`. */
export type StackConfig = Readonly<Record<string, string | { secret: string }>>;

export interface ExportedState {
  deployment: { resources?: ExportedResource[] };
}

export interface ExportedResource {
  urn: string;
  type: string;
  id?: string;
  inputs?: object;
  outputs?: object;
}

/**
 * Makes a copy of the project in a temporary directory, with a state backend and a passphrase of its own, and
 * creates a stack in it. The CLI and the plugins are the checkout's.
 *
 * @param options.backend in place of one of its own.
 * @param options.joins the stack is in the backend already; its settings are in `files`, as another checkout
 *   has them from git.
 * @param options.stack default `test`.
 * @param options.program text of `index.ts`; default the checkout's program.
 * @param options.files further files of the project by path, written over those of the copy.
 */
export async function createStackWorkspace(
  options: {
    stack?: string;
    config?: StackConfig;
    program?: string;
    files?: Readonly<Record<string, string>>;
    backend?: SharedBackend;
    joins?: boolean;
  } = {},
): Promise<StackWorkspace> {
  const { stack = "test", config = {}, program, files = {}, backend, joins = false } = options;
  const home = await mkdtemp(join(tmpdir(), "pgstrata-stack-"));
  const directory = join(home, "project");
  const state = join(home, "state");
  const temporary = join(home, "tmp");
  await Promise.all([mkdir(state), mkdir(temporary)]);
  await copyProject(directory);
  const passphrase = join(home, "passphrase");
  await writeFile(passphrase, backend?.passphrase ?? randomBytes(16).toString("hex"), { mode: 0o600 });
  const env = {
    ...processEnvironment(projectRoot),
    ...backend?.env,
    PULUMI_BACKEND_URL: backend?.url ?? pathToFileURL(state).href,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
    PULUMI_STACK: stack,
    // Where backups lie unless a setting says otherwise.
    XDG_DATA_HOME: join(home, "data"),
    // A command that fails leaves pipes there.
    TMPDIR: temporary,
  };
  const pulumi = async (args: readonly string[], input?: string): Promise<CliResult> => {
    const result = await execa("pulumi", ["--non-interactive", "--color", "never", ...args], {
      cwd: directory,
      env,
      extendEnv: false,
      ...(input === undefined ? { stdin: "ignore" } : { input }),
      reject: false,
      all: true,
    });
    const { stdout, stderr, all } = result;
    return { exitCode: result.exitCode ?? -1, stdout, stderr, output: all };
  };
  const run = (...args: string[]): Promise<CliResult> => pulumi(args);
  const succeed = async (...args: string[]): Promise<CliResult> => {
    const result = await run(...args);
    if (result.exitCode !== 0) throw new Error(`pulumi ${args[0]} ended with ${result.exitCode}:\n${result.output}`);
    return result;
  };
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  };
  const setConfig = async (values: StackConfig): Promise<void> => {
    for (const [key, value] of Object.entries(values)) {
      // A secret goes through standard input, because the CLI logs its arguments.
      const isPlain = typeof value === "string";
      const result = isPlain
        ? await pulumi(["config", "set", key, "--", value])
        : await pulumi(["config", "set", "--secret", key], value.secret);
      if (result.exitCode !== 0) throw new Error(`pulumi config set ${key} failed:\n${result.output}`);
    }
  };

  for (const [path, text] of Object.entries(files)) await write(path, text);
  if (program !== undefined) await write("index.ts", program);
  if (!joins) await succeed("stack", "init", stack);
  await setConfig(config);

  return {
    directory,
    stack,
    env,
    run,
    succeed,
    setConfig,
    write,
    stateText: async () =>
      readFile(join(state, ".pulumi", "stacks", await projectName(directory), `${stack}.json`), "utf8"),
    exportState: async () => JSON.parse((await succeed("stack", "export")).stdout),
    remove: () => rm(home, { recursive: true, force: true }),
  };
}

async function copyProject(directory: string): Promise<void> {
  await mkdir(directory);
  for (const part of PROJECT_PARTS) await cp(join(projectRoot, part), join(directory, part), { recursive: true });
  await symlink(join(projectRoot, "node_modules"), join(directory, "node_modules"));
  await mkdir(join(directory, ".pgstrata"));
  // Making the shadow's data directory takes longer than all else; several processes may use one at a time.
  const shadow = join(projectRoot, ".pgstrata", "shadow");
  await mkdir(shadow, { recursive: true });
  await symlink(shadow, join(directory, ".pgstrata", "shadow"));
  await mkdir(bundlesOf(projectRoot), { recursive: true });
  await cp(bundlesOf(projectRoot), bundlesOf(directory), { recursive: true });
}

async function projectName(directory: string): Promise<string> {
  const name = /^name:\s*(\S+)/m.exec(await readFile(join(directory, "Pulumi.yaml"), "utf8"))?.[1];
  if (name === undefined) throw new Error("Pulumi.yaml names no project");
  return name;
}
