import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { command } from "../command.ts";
import type { Tool } from "../tool.ts";

const PACKAGE = join(projectRoot, "node_modules/@supabase/pg-delta");

/**
 * pg-delta's own command line: the same planner that pgstrata uses. Its shadow is a database that it makes
 * beside the target.
 */
export const pgDelta: Tool = {
  name: "pg-delta",
  takes: "desired state",
  prepare: async () => {
    const { version }: { version: string } = JSON.parse(await readFile(join(PACKAGE, "package.json"), "utf8"));
    return version;
  },
  open: async (target, workload) => ({
    describe: async (steps) => {
      const directory = join(target.directory, "schema");
      await rm(directory, { recursive: true, force: true });
      await mkdir(directory);
      for (const [n, layer] of (steps.at(-1)?.after ?? workload.initial).entries())
        for (const { name, text } of layer.files)
          await writeFile(join(directory, `${n + 1}-${layer.name}-${name}`), text);
    },
    apply: () =>
      command(
        process.execPath,
        [
          join(PACKAGE, "dist/cli/main.js"),
          ...["schema", "apply", "--dir", join(target.directory, "schema")],
          ...["--target", target.url(target.database)],
          // Taking the column back drops it.
          "--allow-data-loss",
        ],
        { cwd: target.directory },
      ),
  }),
};
