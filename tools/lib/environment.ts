/**
 * Which environment makes the plain `pulumi` work on this checkout, and as shell lines. What the set-up
 * installed is recorded by `setup/`.
 */
import { statSync } from "node:fs";
import { userInfo } from "node:os";
import { delimiter, join } from "node:path";
import { pathToFileURL } from "node:url";
import { UserError } from "../../provider/core/errors.ts";
import { layoutOf } from "../setup/layout.ts";
import { homeOf } from "../setup/pulumiHome.ts";
import { readRecord } from "../setup/record.ts";
import { shellQuote } from "./shell.ts";

/** What the plain `pulumi` needs in a shell to work on this checkout. */
export interface PulumiEnvironment {
  /** Directories to put before the others on PATH, first one first. */
  path: string[];
  variables: Record<string, string>;
  /**
   * Variables that would get in the way, as `PULUMI_CONFIG_PASSPHRASE`, which wins over a passphrase file.
   */
  unset: string[];
}

/**
 * The environment of the checkout at `root`, as its set-up left it. Nothing is written.
 *
 * @param shell variables of a shell whose choice of a state backend is kept: `hasOwnBackend`. Without it, the
 *   checkout's own.
 * @throws {UserError} when it has not been set up.
 */
export function pulumiEnvironment(root: string, shell: NodeJS.ProcessEnv = {}): PulumiEnvironment {
  const layout = layoutOf(root);
  const record = readRecord(layout);
  if (record.length === 0) {
    throw new UserError(
      "PS701",
      `Pulumi is not set up in ${root}. Run \`npm start\` there: it sets all up and starts the local database.`,
    );
  }
  const { env } = homeOf(layout, record, { PATH: "" });
  const { PATH = "", PULUMI_BACKEND_URL = "", PULUMI_CONFIG_PASSPHRASE_FILE = "", ...variables } = env;
  const isKept = hasOwnBackend(shell);
  return {
    path: PATH.split(delimiter),
    variables: {
      ...variables,
      ...(isKept ? {} : { PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE_FILE }),
      // A stack file that lost its encryption salt gets the one that the state holds, not a new one.
      PULUMI_FALLBACK_TO_STATE_SECRETS_MANAGER: "true",
      // Node keeps the compiled form of the SDK there, which takes some 0.3 s off the start of each program.
      NODE_COMPILE_CACHE: join(layout.home, "cache", "node"),
    },
    unset: isKept ? passphrasesOfCheckouts(shell) : ["PULUMI_CONFIG_PASSPHRASE"],
  };
}

/**
 * Whether a shell names a state backend by itself. One that the environment of a checkout has set is not
 * that: the shell may have come here from another checkout.
 */
export function hasOwnBackend({ PULUMI_BACKEND_URL: url = "" }: NodeJS.ProcessEnv): boolean {
  return url !== "" && !url.endsWith(pathToFileURL(layoutOf("/").state).pathname);
}

/**
 * A passphrase belongs to its backend. That of a checkout is known to nobody else, so it must not encrypt
 * what others share; without one, the CLI asks.
 */
function passphrasesOfCheckouts({ PULUMI_CONFIG_PASSPHRASE_FILE: file = "" }: NodeJS.ProcessEnv): string[] {
  return file.endsWith(layoutOf("/").passphrase) ? ["PULUMI_CONFIG_PASSPHRASE_FILE"] : [];
}

/**
 * The environment of a child process that runs `pulumi`.
 *
 * @param shell as in `pulumiEnvironment`.
 */
export function processEnvironment(root: string, shell: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const { path, variables, unset } = pulumiEnvironment(root, shell);
  const inherited = Object.entries(process.env).filter(([name]) => !unset.includes(name));
  return {
    ...Object.fromEntries(inherited),
    ...variables,
    PATH: [...path, process.env.PATH ?? ""].join(delimiter),
  };
}

/**
 * Shell commands for `eval "$(…)"` in any POSIX shell that set the environment; running them twice does no
 * harm.
 */
export function shellExports({ path, variables, unset }: PulumiEnvironment): string {
  const places = path.toReversed().map((place) => {
    const quoted = shellQuote(place);
    return `case ":$PATH:" in *:${quoted}:*) ;; *) PATH=${quoted}:"$PATH" ;; esac`;
  });
  const exports = Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  return [...places, "export PATH", ...exports, ...unset.map((name) => `unset ${name}`)].join("\n");
}

/**
 * @throws {UserError} when the project-local home belongs to another user, whose files this process could not
 *   or should not change.
 */
export function requireOwnHome(root: string): void {
  const { home } = layoutOf(root);
  const owner = statSync(home, { throwIfNoEntry: false })?.uid;
  const uid = process.getuid?.();
  if (owner === undefined || uid === undefined || owner === uid) return;
  throw new UserError(
    "PS703",
    `${home} belongs to the user with ID ${owner}, and you are ${userInfo().username} (ID ${uid}). ` +
      "Run this as that user, or use a checkout of your own; or have that user run `npm run reset` and remove the directory.",
  );
}
