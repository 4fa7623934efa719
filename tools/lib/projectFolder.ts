/** In which Pulumi project a command works, and with which environment its CLI is run there. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UserError } from "../../provider/core/errors.ts";
import { hasOwnBackend, processEnvironment } from "./environment.ts";
import { projectRoot } from "./paths.ts";

export interface ProjectFolder {
  folder: string;
  env: NodeJS.ProcessEnv;
}

/** The option by which a command is told the folder, as `pulumi` itself has it. */
export const CWD_OPTION = { cwd: { type: "string", short: "C" } } as const;

/**
 * Another project than the checkout's is worked on as `pulumi` in this shell would. So is the checkout's own
 * by a shell that is set up for another backend than that of the checkout.
 *
 * @param cwd as given on the command line; default: the checkout.
 * @throws {UserError} for a folder that is not there.
 */
export function projectFolder(cwd: string | undefined): ProjectFolder {
  const folder = cwd === undefined ? projectRoot : resolve(process.cwd(), cwd);
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UserError("PS706", `Found no folder ${folder}, expected one with a Pulumi project. Correct --cwd.`);
  const isOfShell = folder !== projectRoot || hasOwnBackend(process.env);
  return { folder, env: isOfShell ? process.env : processEnvironment(projectRoot) };
}
