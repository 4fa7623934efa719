/**
 * `npm run types`: TypeScript types of a database's rows, inserts, updates and functions. What they are is
 * `tools/types/`'s question.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { localDatabaseUrl } from "../lib/localDatabase.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";
import { typesOf } from "../types/writeTypes.ts";

const USAGE =
  "npm run types -- [--url <URL>] [--schema <schema>]… [--into <file>] [--check]\n" +
  "The URL is read from DATABASE_URL where the option is missing, and is the local database's where there is neither.";

/** Exit code 0; with `--check` nothing is written, and it is 1 where the file is out of date. */
await runMain(USAGE, async () => {
  const { url, schemas, into, check } = options();
  const types = await typesOf(url ?? (await localDatabaseUrl(projectRoot)), schemas);
  const before = await readFile(into, "utf8").catch(() => undefined);
  if (check) {
    if (before === types) return;
    console.error(`${into} is ${before === undefined ? "missing" : "out of date"}. Run npm run types`);
    process.exitCode = 1;
    return;
  }
  await mkdir(dirname(into), { recursive: true });
  if (before !== types) await writeFile(into, types);
  console.log(`${into}: ${before === types ? "up to date" : "written"}`);
});

interface Given {
  url: string | undefined;
  schemas: string[];
  into: string;
  check: boolean;
}

function options(): Given {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: "string" },
        schema: { type: "string", multiple: true, default: ["platform"] },
        into: { type: "string", default: join(projectRoot, "client", "types.ts") },
        check: { type: "boolean", default: false },
      },
    });
    return {
      url: values.url ?? process.env.DATABASE_URL,
      schemas: values.schema,
      into: resolve(process.cwd(), values.into),
      check: values.check,
    };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
