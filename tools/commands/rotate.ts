/**
 * `npm run rotate -- salt | <registration> [--grace <12h>] [--admin] [--stack <name>] [--yes] [--json]
 * [-C <folder>]`: replaces a secret while its users go on. Exit code 0 when it is done as far as it can be
 * now, 1 when it is not, 3 when the person said no. How each is replaced is left to `tools/rotate/`.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { printReport, runMain } from "../lib/main.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";
import { currentStack } from "../lib/pulumi.ts";
import { askSecret } from "../lib/question.ts";
import type { Place } from "../rollback/target.ts";
import { rotateRegistration } from "../rotate/registration.ts";
import { rotateStackSalt } from "../rotate/stackSalt.ts";

const USAGE =
  "npm run rotate -- salt | <registration> [--grace <12h>] [--admin] [--stack <name>] [--yes] [--json] [-C <project folder>]";

/** Signs in to manage users, with `--admin`. */
const ADMIN = "PGSTRATA_ROTATE_ADMIN";

/** The word that asks for the salt; a registration of that name is given by its id. */
const SALT = "salt";

await runMain(USAGE, async () => {
  const { what, options } = given();
  const { folder, env } = projectFolder(options.cwd);
  const stack = options.stack ?? (await currentStack(folder, env));
  // Before the change this process may take a backup itself, with the same CLI.
  Object.assign(process.env, env);
  const place: Place = { folder, env, stack, stdout: options.json ? process.stderr : process.stdout };
  const say = (line: string): void => (options.json ? console.error(line) : console.log(line));
  const report = await (what === SALT
    ? rotateStackSalt(place, options, say)
    : rotateRegistration(
        place,
        what,
        { ...options, admin: options.admin ? await adminOf(process.env) : undefined },
        say,
      ));
  if (options.json) printReport(JSON.stringify(report ?? null, null, 2));
});

/** Never an argument, which the list of processes shows. */
async function adminOf({ [ADMIN]: text = "" }: NodeJS.ProcessEnv): Promise<string> {
  const given = text === "" ? await askSecret("Connection string of the user that manages the users") : text;
  if (given !== "") return given;
  throw new UserError("PS706", `--admin: no connection string was given. Expected ${ADMIN}, or a line of the input.`);
}

function given() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        stack: { type: "string" },
        yes: { type: "boolean", default: false },
        json: { type: "boolean", default: false },
        grace: { type: "string" },
        admin: { type: "boolean", default: false },
        ...CWD_OPTION,
      },
    });
    const [what, ...more] = positionals;
    if (what === undefined || more.length > 0 || (what === SALT && (values.grace !== undefined || values.admin)))
      throw new Error(`Found ${positionals.join(" ") || "nothing to rotate"}.`);
    return { what, options: values };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
