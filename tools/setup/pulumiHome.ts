/**
 * Which environment keeps Pulumi inside this checkout. The shell lines for it are written by
 * `lib/environment.ts`.
 */
import { delimiter, dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { Environment, Layout } from "./layout.ts";
import type { InstalledPart } from "./record.ts";

/** A Pulumi that works for this checkout alone. */
export interface PulumiHome {
  /** PULUMI_HOME: the plugins and the credentials of this checkout. */
  readonly pulumiHome: string;
  /** The folder of the CLI. */
  readonly binDir: string;
  readonly pulumiPath: string;
  /** `closed` when any part was built here because its official download could not be had. */
  readonly network: "open" | "closed";
  /** What to add to the environment so that plain `pulumi` works; PATH is the whole PATH. */
  readonly env: Readonly<Record<string, string>>;
}

export function homeOf(layout: Layout, installed: readonly InstalledPart[], env: Environment): PulumiHome {
  const cli = installed.find(({ name }) => name === "cli");
  if (cli === undefined) {
    throw new Error("the set-up ended without a CLI");
  }
  const binDir = dirname(cli.path);
  const network = installed.some(({ source }) => source === "built") ? "closed" : "open";
  return {
    pulumiHome: layout.pulumiHome,
    binDir,
    pulumiPath: cli.path,
    network,
    env: {
      ...projectEnvironment(layout, env, [layout.bin, binDir]),
      ...(network === "closed" ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
    },
  };
}

/** The settings that keep Pulumi inside this checkout, with the given folders in front of PATH. */
export function projectEnvironment(
  layout: Layout,
  env: Environment,
  folders: readonly string[],
): Record<string, string> {
  // npm's folder comes first: the program and the provider need the pinned Node, whatever lies beside the
  // CLI.
  const front = [layout.npmBin, ...folders];
  const rest = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "" && !front.includes(folder));
  return {
    PATH: [...new Set(front), ...rest].join(delimiter),
    PULUMI_HOME: layout.pulumiHome,
    // The backend decodes the URL: a space may stay as it is, a percent sign or a hash in the path may not.
    PULUMI_BACKEND_URL: pathToFileURL(layout.state).href,
    PULUMI_CONFIG_PASSPHRASE_FILE: layout.passphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}
