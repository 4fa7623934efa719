/**
 * `npm run pull`: an existing database as the files of a layer. What they say is `provider/pull/`'s
 * question.
 */
import { mkdir, open, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import type { LayerFile } from "../../provider/pull/layerFiles.ts";
import { pullDatabase } from "../../provider/resources/pullDatabase.ts";
import { pullRows } from "../../provider/resources/pullRows.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { pullSummary, rowsSummary } from "../lib/pullSummary.ts";

const USAGE =
  "npm run pull -- --into sql/<layer> [--url <URL>] [--exclude-schema <schema>]… [--exclude-table <schema>.<table>]… [--exclude-role <role>]…\n" +
  "          npm run pull -- --rows <schema>.<table> --into data/<name>.csv [--url <URL>] [--exclude-column <column>]…\n" +
  "The URL is read from DATABASE_URL where the option is missing: a password on a command line is seen by all users of the machine.";

/** Writes the files. Exit code 0, or 1 where an update with them would not adopt the database as it is. */
await runMain(USAGE, async () => {
  const given = options();
  const isWhole = await (given.table === undefined ? layer(given) : rows({ ...given, table: given.table }));
  if (!isWhole) process.exitCode = 1;
});

async function layer({ url, into, exclusions }: Given): Promise<boolean> {
  const folder = resolve(process.cwd(), into);
  const name = basename(folder).replace(/[^A-Za-z0-9_-]/g, "-");
  await refuseFilled(folder);
  const pulled = await pullDatabase({ url }, name, exclusions, projectRoot);
  if (pulled.files.length === 0)
    throw new UserError(
      "PS711",
      `${pulled.database} holds nothing that a layer could declare${exclusions.schemas.length > 0 ? " outside of the excluded schemas" : ""}. Is it the right database?`,
    );
  await write(folder, pulled.files);
  if (pulled.assumed.length > 0) await write(`${folder}-assumed`, pulled.assumed);
  console.log(pullSummary(pulled, name, into));
  return pulled.changes.length === 0;
}

async function rows({ url, into, table, columns }: Given & { table: string }): Promise<boolean> {
  const path = resolve(process.cwd(), into);
  if (extname(path) !== ".csv")
    throw new UserError(
      "PS706",
      `Found --into ${into}, expected a file whose name ends in .csv for the rows of a table.`,
    );
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, "wx", 0o600).catch((error: unknown) => {
    throw new UserError(
      "PS710",
      `${into} is there already, or cannot be written. Name another file with --into, or move it away.`,
      {
        cause: error,
      },
    );
  });
  let isWritten = false;
  try {
    const pulled = await pullRows({ url }, table, columns, async (text) => void (await file.write(text)), path);
    isWritten = true;
    console.log(rowsSummary(pulled, table, into));
    return pulled.changes.length === 0;
  } finally {
    await file.close();
    if (!isWritten) await rm(path, { force: true });
  }
}

async function refuseFilled(folder: string): Promise<void> {
  for (const path of [folder, `${folder}-assumed`]) {
    const found = await readdir(path).catch(() => []);
    if (found.length > 0)
      throw new UserError(
        "PS710",
        `${path} holds ${found.length} files, the first is ${found.sort()[0]}. Expected a folder that is empty or not there: name another one with --into, or move them away.`,
      );
  }
}

async function write(folder: string, files: readonly LayerFile[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const { name, sql } of files) await writeFile(join(folder, name), sql);
}

interface Given {
  url: string;
  into: string;
  exclusions: Parameters<typeof pullDatabase>[2];
  /** Whose rows are pulled, in place of the definitions. */
  table: string | undefined;
  /** That the rows are pulled without. */
  columns: string[];
}

function options(): Given {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: "string" },
        into: { type: "string" },
        rows: { type: "string" },
        "exclude-column": { type: "string", multiple: true, default: [] },
        "exclude-schema": { type: "string", multiple: true, default: [] },
        "exclude-table": { type: "string", multiple: true, default: [] },
        "exclude-role": { type: "string", multiple: true, default: [] },
      },
    });
    const url = values.url ?? process.env.DATABASE_URL;
    if (url === undefined) throw new Error("Found no --url and no DATABASE_URL.");
    if (values.into === undefined) throw new Error("Found no --into.");
    return {
      url,
      into: values.into,
      table: values.rows,
      columns: values["exclude-column"],
      exclusions: {
        schemas: values["exclude-schema"],
        tables: values["exclude-table"],
        roles: values["exclude-role"],
      },
    };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
