import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Outcome } from "../command.ts";
import { client, installed } from "../install.ts";
import type { Tool } from "../tool.ts";
import { migrationsOf } from "../workload.ts";

const VERSION = "v3.29.0";

/** Leaves out the drivers of other databases, as its documentation shows. */
const TAGS = "no_clickhouse no_libsql no_mssql no_mysql no_sqlite3 no_vertica no_ydb no_duckdb";

export const goose: Tool = {
  name: "goose",
  takes: "migrations",
  prepare: async () => {
    await install();
    return VERSION;
  },
  open: async (target, workload) => {
    const program = join(await install(), "goose");
    const directory = join(target.directory, "migrations");
    await mkdir(directory);
    const run = (verb: string): Promise<Outcome> =>
      command(program, ["-dir", directory, verb], {
        env: { GOOSE_DRIVER: "postgres", GOOSE_DBSTRING: target.url(target.database) },
      });
    const block = (direction: string, sql: string): string =>
      // One statement to goose, because it cannot tell where the body of a function ends.
      `-- +goose ${direction}\n${sql === "" ? "" : `-- +goose StatementBegin\n${sql}\n-- +goose StatementEnd\n`}`;
    return {
      describe: async (steps) => {
        for (const { number, name, up, down } of migrationsOf(workload.initial, steps))
          await writeFile(join(directory, `${number}_${name}.sql`), block("Up", up) + block("Down", down));
      },
      apply: () => run("up"),
      undo: () => run("down"),
    };
  },
};

function install(): Promise<string> {
  return installed(`goose-${VERSION}`, (directory) =>
    client("go", ["install", `-tags=${TAGS}`, `github.com/pressly/goose/v3/cmd/goose@${VERSION}`], directory, {
      GOBIN: directory,
    }),
  );
}
