import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Outcome } from "../command.ts";
import { copyJars, installed } from "../install.ts";
import type { Tool } from "../tool.ts";
import { migrationsOf } from "../workload.ts";

const VERSION = "5.0.1";
const DRIVER = "42.7.14";

/**
 * Liquibase with a change log in SQL. Its change log in XML knows no policies, functions, grants of functions
 * or triggers.
 */
export const liquibase: Tool = {
  name: "Liquibase",
  takes: "migrations",
  prepare: async () => {
    await install();
    return `${VERSION}, JDBC driver ${DRIVER}`;
  },
  open: async (target, workload) => {
    const jars = join(await install(), "lib", "*");
    const run = (...args: string[]): Promise<Outcome> =>
      command("java", ["-cp", jars, "liquibase.integration.commandline.LiquibaseCommandLine", ...args], {
        cwd: target.directory,
        env: {
          LIQUIBASE_COMMAND_URL: `jdbc:postgresql://${target.host}:${target.port}/${target.database}`,
          LIQUIBASE_COMMAND_USERNAME: target.user,
          LIQUIBASE_COMMAND_PASSWORD: target.password,
          LIQUIBASE_COMMAND_CHANGELOG_FILE: "changelog.sql",
          LIQUIBASE_ANALYTICS_ENABLED: "false",
          LIQUIBASE_SHOW_BANNER: "false",
        },
      });
    return {
      describe: async (steps) => {
        const changeSets = migrationsOf(workload.initial, steps).map(({ number, name, up, down }) => {
          const rollback = down === "" ? "--rollback empty" : `--rollback ${down}`;
          // Split at semicolons, the bodies of functions would be torn.
          return `--changeset bench:${number}-${name} splitStatements:false stripComments:false\n${up}\n${rollback}\n`;
        });
        await writeFile(
          join(target.directory, "changelog.sql"),
          `--liquibase formatted sql\n\n${changeSets.join("\n")}`,
        );
      },
      apply: () => run("update"),
      undo: () => run("rollback-count", "1"),
    };
  },
};

function install(): Promise<string> {
  return installed(`liquibase-${VERSION}`, (directory) =>
    copyJars(directory, [
      { group: "org.liquibase", name: "liquibase-core", version: VERSION },
      {
        group: "org.liquibase",
        name: "liquibase-cli",
        version: VERSION,
        // The registry has no such artifact; its classes are in the core.
        without: ["org.liquibase:liquibase-standard"],
      },
      { group: "org.postgresql", name: "postgresql", version: DRIVER },
    ]),
  );
}
