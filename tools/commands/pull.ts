/**
 * `npm run pull`: an existing database as the files of a layer. What they say is `provider/pull/`'s
 * question.
 */
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import type { LayerFile } from "../../provider/pull/layerFiles.ts";
import { pullDatabase } from "../../provider/resources/pullDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { pullSummary } from "../lib/pullSummary.ts";

const USAGE =
  "npm run pull -- --into sql/<layer> [--url <URL>] [--exclude-schema <schema>]… [--exclude-table <schema>.<table>]… [--exclude-role <role>]…\n" +
  "The URL is read from DATABASE_URL where the option is missing: a password on a command line is seen by all users of the machine.";

/** Writes the files. Exit code 0, or 1 where an update with them would not adopt the database as it is. */
await runMain(async () => {
  const { url, into, exclusions } = options();
  const folder = resolve(process.cwd(), into);
  const layer = basename(folder).replace(/[^A-Za-z0-9_-]/g, "-");
  await refuseFilled(folder);
  const pulled = await pullDatabase({ url }, layer, exclusions, projectRoot);
  if (pulled.files.length === 0)
    throw new UserError(
      "PS711",
      `${pulled.database} holds nothing that a layer could declare${exclusions.schemas.length > 0 ? " outside of the excluded schemas" : ""}. Is it the right database?`,
    );
  await write(folder, pulled.files);
  if (pulled.assumed.length > 0) await write(`${folder}-assumed`, pulled.assumed);
  console.log(pullSummary(pulled, layer, into));
  if (pulled.changes.length > 0) process.exitCode = 1;
});

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

function options() {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: "string" },
        into: { type: "string" },
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
