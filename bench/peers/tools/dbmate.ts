import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Outcome } from "../command.ts";
import { client, installed } from "../install.ts";
import type { Tool } from "../tool.ts";
import { migrationsOf } from "../workload.ts";

const VERSION = "2.36.0";

/** dbmate's executable from its npm package, without the package's start script in front. */
export const dbmate: Tool = {
  name: "dbmate",
  takes: "migrations",
  prepare: async () => {
    await install();
    return VERSION;
  },
  open: async (target, workload) => {
    const program = join(await install(), `node_modules/@dbmate/${process.platform}-${process.arch}/bin/dbmate`);
    const directory = join(target.directory, "migrations");
    await mkdir(directory);
    const run = (verb: string): Promise<Outcome> =>
      // The dump after each run needs a pg_dump of the server's version.
      command(program, ["--migrations-dir", directory, "--no-dump-schema", verb], {
        cwd: target.directory,
        env: { DATABASE_URL: target.url(target.database) },
      });
    return {
      describe: async (steps) => {
        for (const { number, name, up, down } of migrationsOf(workload.initial, steps))
          await writeFile(join(directory, `${number}_${name}.sql`), `-- migrate:up\n${up}\n-- migrate:down\n${down}`);
      },
      apply: () => run("migrate"),
      undo: () => run("rollback"),
    };
  },
};

function install(): Promise<string> {
  return installed(`dbmate-${VERSION}`, async (directory) => {
    await writeFile(join(directory, "package.json"), '{ "private": true }\n');
    await client("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", `dbmate@${VERSION}`], directory);
  });
}
