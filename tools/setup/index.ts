/**
 * Whether this checkout has all that Pulumi needs, and who gets what is missing. Where each part comes from
 * is decided in `installParts.ts`.
 */
import { mkdirSync } from "node:fs";
import { writing } from "./fileErrors.ts";
import { installParts } from "./installParts.ts";
import { type Environment, type Layout, layoutOf } from "./layout.ts";
import { type Attempt, probeOfficial } from "./official.ts";
import { cliPart, languageHostPart, pluginParts } from "./parts.ts";
import { ensurePassphrase } from "./passphrase.ts";
import { homeOf, type PulumiHome } from "./pulumiHome.ts";
import { type InstalledPart, isCurrent, isUntouched, readRecord, writeRecord } from "./record.ts";

export type { PulumiHome } from "./pulumiHome.ts";

export interface EnsureOptions {
  /** The checkout, as an absolute path. */
  readonly root: string;
  /** Gets one line of progress at a time, without a line end. */
  readonly log: (line: string) => void;
  /**
   * PATH, HOME, XDG_CACHE_HOME and Go's own settings are read from here. `PGSTRATA_NETWORK` may say `closed`
   * (do not try the official downloads) or `open` (replace built parts by official ones).
   * @default process.env
   */
  readonly env?: Environment;
  /**
   * Tells whether the official downloads can be reached; asked at most once.
   * @default one request to get.pulumi.com, for at most 5 seconds
   */
  readonly probe?: () => Promise<Attempt>;
}

/**
 * Makes sure that the pinned Pulumi CLI, the Node language host and the plugins are there: found on PATH,
 * downloaded, or built from the Go module proxy where the official downloads cannot be reached. All that it
 * installs goes to `<root>/.pgstrata`. When everything is in place, it starts no program and uses no network.
 *
 * @throws UserError when the person must do something: no Go, no network, a full disk, a folder that cannot
 *   be written, a passphrase that is gone.
 */
export async function ensurePulumi(options: EnsureOptions): Promise<PulumiHome> {
  const env = options.env ?? process.env;
  const layout = layoutOf(options.root);
  writing(layout.home, () => {
    for (const folder of [layout.bin, layout.lib, layout.state, layout.pulumiHome]) {
      mkdirSync(folder, { recursive: true });
    }
  });
  ensurePassphrase(options.root);
  const recorded = readRecord(layout);
  if (isComplete(layout, recorded, env)) {
    return homeOf(layout, recorded, env);
  }
  const installed = await installParts({
    layout,
    env,
    recorded,
    log: options.log,
    probe: options.probe ?? probeOfficial,
  });
  writeRecord(layout, installed);
  return homeOf(layout, installed, env);
}

function isComplete(layout: Layout, recorded: readonly InstalledPart[], env: Environment): boolean {
  return [cliPart, languageHostPart, ...pluginParts].every((part) => {
    const installed = recorded.find(({ name }) => name === part.name);
    return (
      installed !== undefined &&
      isCurrent(layout.root, part, installed) &&
      isUntouched(installed) &&
      !(env.PGSTRATA_NETWORK === "open" && installed.source === "built")
    );
  });
}
