/**
 * `npm run plan`: what `pulumi up` would do, one line an object, what needs attention first. Exit code 0 for
 * a plan that can be carried out, 1 for one that is stopped. The forms of a plan are left to
 * `provider/report/`.
 */
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { planAsMarkdown } from "../../provider/report/markdown.ts";
import { type StackPlan, scriptOf } from "../../provider/report/stackPlan.ts";
import { planAsText } from "../../provider/report/text.ts";
import { runMain } from "../lib/main.ts";
import { parsePreview } from "../lib/previewOutput.ts";
import { CWD_OPTION, projectFolder } from "../lib/projectFolder.ts";
import { currentStack, previewAsJson } from "../lib/pulumi.ts";

const USAGE = "npm run plan -- [--stack <name>] [--json | --markdown | --sql] [-C <project folder>]";

type Form = (plan: StackPlan) => string;

const FORMS = {
  json: (plan: StackPlan) => JSON.stringify(plan, null, 2),
  markdown: planAsMarkdown,
  sql: ({ layers }: StackPlan) => layers.map(({ name, lines }) => `-- layer ${name}\n${scriptOf(lines)}`).join("\n\n"),
};

await runMain(async () => {
  const { stack, form, cwd } = options();
  const { folder, env } = projectFolder(cwd);
  const name = stack ?? (await currentStack(folder, env));
  const plan = parsePreview(await previewAsJson(folder, name, env), name);
  console.log(form(plan));
  if (plan.errors.length > 0) process.exitCode = 1;
});

function options(): { stack: string | undefined; form: Form; cwd: string | undefined } {
  try {
    const { values } = parseArgs({
      options: {
        stack: { type: "string" },
        json: { type: "boolean", default: false },
        markdown: { type: "boolean", default: false },
        sql: { type: "boolean", default: false },
        ...CWD_OPTION,
      },
    });
    const [chosen, ...others] = (["json", "markdown", "sql"] as const).filter((form) => values[form]);
    if (others.length > 0) throw new Error("Found more than one form.");
    return { stack: values.stack, cwd: values.cwd, form: chosen === undefined ? planAsText : FORMS[chosen] };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
