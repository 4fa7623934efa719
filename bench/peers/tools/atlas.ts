import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { query } from "../facts.ts";
import { client, installed } from "../install.ts";
import type { Tool } from "../tool.ts";
import { scriptOf } from "../workload.ts";

/** The last version of the command line that is published as a Go module. */
const VERSION = "v0.13.1";

/**
 * The community edition of Atlas, which applies a schema of desired state by way of a development database.
 */
export const atlas: Tool = {
  name: "Atlas",
  takes: "desired state",
  // It reads settings that later versions do not have.
  majorVersion: 15,
  prepare: async () => {
    await install();
    return `${VERSION} (community; newer ones are not to be had as a Go module), on PostgreSQL 15 because it does not open 18`;
  },
  open: async (target, workload) => {
    const program = join(await install(), "atlas");
    // Tables name their functions, and it makes none.
    const extensions = scriptOf(workload.initial).match(/^create extension .*;$/gm) ?? [];
    for (const sql of extensions) await query(target.url(target.database), sql);
    return {
      describe: (steps) =>
        writeFile(join(target.directory, "schema.sql"), scriptOf(steps.at(-1)?.after ?? workload.initial)),
      apply: () =>
        command(
          program,
          [
            ...["schema", "apply", "--auto-approve", "--url", target.url(target.database)],
            ...["--dev-url", target.url(target.scratch), "--to", "file://schema.sql"],
          ],
          { cwd: target.directory, env: { ATLAS_NO_UPDATE_NOTIFIER: "true", HOME: target.directory } },
        ),
    };
  },
};

function install(): Promise<string> {
  return installed(`atlas-${VERSION}`, async (directory) => {
    await writeFile(
      join(directory, "go.mod"),
      // Its own requirement of golang.org/x/tools does not compile with a new Go.
      `module peer\n\ngo 1.24.0\n\nrequire (\n\tariga.io/atlas/cmd/atlas ${VERSION}\n\tgolang.org/x/tools v0.39.0\n)\n`,
    );
    await client("go", ["build", "-mod=mod", "-o", "atlas", "ariga.io/atlas/cmd/atlas"], directory);
  });
}
