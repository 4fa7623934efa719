/**
 * `npm run lint:db`: lints of the live catalog of a stack's databases, or of any other one. What is asked is
 * `provider/lint/`'s question.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { LEVELS, type Level } from "../../provider/lint/rule.ts";
import { type DatabaseLints, lintStack } from "../../provider/resources/lintStack.ts";
import { formatLints, isAtLeast } from "../lib/lintText.ts";
import { printReport, runMain } from "../lib/main.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";
import { exportStack } from "../lib/stackDatabase.ts";
import { type LintedDatabase, parseLinted } from "../lib/stackState.ts";

const USAGE =
  "npm run lint:db -- [--stack <name>] [-C <project folder>] | [--url <URL>]; each with [--schema <schema>]… [--level ERROR|WARNING|INFO] [--json]\n" +
  "The URL is read from DATABASE_URL where no option names a stack, a folder or a URL: a password on a command line is seen by all users of the machine.\n" +
  "Without --schema, the schemas that the stack's verification lints; else all but the server's own.";

/** Exit code 0, or 1 with findings of the level or worse. */
await runMain(USAGE, async () => {
  const given = options();
  const reports: DatabaseLints[] = [];
  for (const { provider, schemas } of await databases(given))
    reports.push(await lintStack(provider, given.schemas.length > 0 ? given.schemas : schemas));
  const { level, json } = given;
  printReport(
    json
      ? JSON.stringify({ level, databases: reports }, null, 2)
      : reports.map((report) => formatLints(report, level)).join("\n\n"),
  );
  if (reports.some(({ findings }) => findings.some((finding) => isAtLeast(level, finding)))) process.exitCode = 1;
});

async function databases({ url, stack, cwd }: Given): Promise<LintedDatabase[]> {
  if (url !== undefined) return [{ provider: { url }, schemas: [] }];
  const { folder, env } = projectFolder(cwd);
  const known = parseLinted(await exportStack({ folder, stack, env }));
  if (known.length > 0) return known;
  throw new UserError(
    "PS701",
    `The state of the stack${stack === undefined ? "" : ` ${stack}`} holds no database. Run \`pulumi up\` first, or name another stack with --stack, or a database with --url.`,
  );
}

interface Given {
  url: string | undefined;
  stack: string | undefined;
  cwd: string | undefined;
  schemas: string[];
  level: Level;
  json: boolean;
}

function options(): Given {
  try {
    const { values } = parseArgs({
      options: {
        url: { type: "string" },
        stack: { type: "string" },
        schema: { type: "string", multiple: true, default: [] },
        level: { type: "string", default: "WARNING" },
        json: { type: "boolean", default: false },
        ...CWD_OPTION,
      },
    });
    const level = LEVELS.find((each) => each === values.level);
    if (level === undefined)
      throw new Error(`Found --level ${values.level}, expected one of ${LEVELS.join(", ")}, in capitals.`);
    if (values.url !== undefined && values.stack !== undefined)
      throw new Error("Found --url and --stack, expected one of them.");
    const isOfStack = values.stack !== undefined || values.cwd !== undefined;
    return {
      url: values.url ?? (isOfStack ? undefined : process.env.DATABASE_URL),
      stack: values.stack,
      cwd: values.cwd,
      schemas: values.schema,
      level,
      json: values.json,
    };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
