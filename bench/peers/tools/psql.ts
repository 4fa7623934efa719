import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command } from "../command.ts";
import { NotToBeHad, type Tool } from "../tool.ts";
import { scriptOf } from "../workload.ts";

/** `psql -1 -f`: the SQL as it is, in one transaction. The floor that every other tool stands on. */
export const psql: Tool = {
  name: "psql -1 -f",
  takes: "script",
  prepare: async () => {
    const { exitCode, output } = await command("psql", ["--version"]);
    if (exitCode !== 0) throw new NotToBeHad("no `psql` on the machine; install Debian's package `postgresql-client`");
    return output.replace(/^psql \(PostgreSQL\) (\S+).*$/, "$1");
  },
  open: async (target, workload) => {
    const file = join(target.directory, "script.sql");
    return {
      describe: (steps) => writeFile(file, steps.at(-1)?.up ?? scriptOf(workload.initial)),
      apply: () =>
        command("psql", ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-1", "-f", file, target.url(target.database)]),
    };
  },
};
