import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Outcome } from "../command.ts";
import { copyJars, installed } from "../install.ts";
import type { Tool } from "../tool.ts";
import { migrationsOf } from "../workload.ts";

/** The last version whose command line the registry gives with all its parts. */
const VERSION = "11.14.1";
const DRIVER = "42.7.14";

/** The open-source edition of Flyway's command line. */
export const flyway: Tool = {
  name: "Flyway",
  takes: "migrations",
  prepare: async () => {
    await install();
    return `${VERSION} (OSS), JDBC driver ${DRIVER}`;
  },
  open: async (target, workload) => {
    const jars = join(await install(), "lib", "*");
    const directory = join(target.directory, "migrations");
    await mkdir(directory);
    const run = (verb: string): Promise<Outcome> =>
      command("java", ["-cp", jars, "org.flywaydb.commandline.Main", verb], {
        cwd: target.directory,
        env: {
          FLYWAY_URL: `jdbc:postgresql://${target.host}:${target.port}/${target.database}`,
          FLYWAY_USER: target.user,
          FLYWAY_PASSWORD: target.password,
          FLYWAY_LOCATIONS: `filesystem:${directory}`,
          FLYWAY_PLACEHOLDER_REPLACEMENT: "false",
          REDGATE_DISABLE_TELEMETRY: "true",
        },
      });
    return {
      describe: async (steps) => {
        for (const { number, name, up, down } of migrationsOf(workload.initial, steps)) {
          await writeFile(join(directory, `V${number}__${name}.sql`), up);
          if (down !== "") await writeFile(join(directory, `U${number}__${name}.sql`), down);
        }
      },
      apply: () => run("migrate"),
      undo: () => run("undo"),
    };
  },
};

function install(): Promise<string> {
  return installed(`flyway-${VERSION}`, (directory) =>
    copyJars(
      directory,
      [
        { group: "org.flywaydb", name: "flyway-commandline", version: VERSION },
        { group: "org.flywaydb", name: "flyway-database-postgresql", version: VERSION },
        { group: "org.postgresql", name: "postgresql", version: DRIVER },
      ],
      // Without it its parts bring two versions that do not fit together.
      [{ group: "com.fasterxml.jackson", name: "jackson-bom", version: "2.19.1" }],
    ),
  );
}
