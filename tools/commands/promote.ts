/**
 * `npm run promote`: brings to one stack what another one has run and verified, with a question. Exit codes
 * as of `npm run deploy`, which does the rest.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { deploy } from "../deploy/deploy.ts";
import { Interrupts } from "../deploy/interrupts.ts";
import { askForName } from "../deploy/question.ts";
import { runMain } from "../lib/main.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";

const USAGE = "npm run promote -- [--from <stack>] [--to <stack>] [--yes] [-C <project folder>]";

await runMain(USAGE, async () => {
  const { from, to, yes, cwd } = options();
  const { folder, env } = projectFolder(cwd);
  const interrupts = new Interrupts();
  const { result } = await deploy({
    ...{ folder, env, from, stack: to, approvedPlan: undefined, interrupts },
    ask: async (question) => yes || askForName(question, to, interrupts.abort.signal),
    show: (text) => console.log(text),
  });
  if (result !== "DONE" && result !== "NOTHING TO DO") process.exitCode = interrupts.exitCode ?? 1;
  interrupts.close();
});

function options(): { from: string; to: string; yes: boolean; cwd: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        from: { type: "string", default: "dev" },
        to: { type: "string", default: "prod" },
        yes: { type: "boolean", default: false },
        ...CWD_OPTION,
      },
    });
    if (values.from === values.to) throw new Error(`Found ${values.from} for both stacks.`);
    return { from: values.from, to: values.to, yes: values.yes, cwd: values.cwd };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
