/**
 * `npm run plan`: what `pulumi up` would do, one line an object, what needs attention first. Exit code 0 for
 * a plan that can be carried out, 1 for one that is stopped. The forms of a plan are left to
 * `provider/report/`.
 */
import { parseArgs } from "node:util";
import { shownError, UserError } from "../../provider/core/errors.ts";
import { planAsMarkdown } from "../../provider/report/markdown.ts";
import { type StackPlan, scriptOf, verdictOf, withoutPlan } from "../../provider/report/stackPlan.ts";
import { planAsText } from "../../provider/report/text.ts";
import { askPlan } from "../lib/askPlan.ts";
import { printReport, runMain } from "../lib/main.ts";
import { CWD_OPTION, type ProjectFolder, projectFolder } from "../lib/projectFolder.ts";
import { currentStack } from "../lib/pulumi.ts";
import { readStackSettings, type StackSettings } from "../lib/stackSettings.ts";

const USAGE = "npm run plan -- [--stack <name>] [--json | --markdown | --sql] [-C <project folder>]";

const FORMS = {
  text: planAsText,
  json: (plan: StackPlan) => JSON.stringify({ verdict: verdictOf(plan), ...plan }, null, 2),
  markdown: (plan: StackPlan) => planAsMarkdown(plan),
  sql: planAsScript,
};

/** An update has the bodies of functions unchecked as well: they may call those that come after them. */
function planAsScript({ layers }: StackPlan): string {
  const parts = layers.map(({ name, lines }) => `-- layer ${name}\n${scriptOf(lines)}`);
  const hasBodies = parts.some((part) => /^CREATE (OR REPLACE )?(FUNCTION|PROCEDURE) /m.test(part));
  return [...(hasBodies ? ["SET check_function_bodies = off;"] : []), ...parts].join("\n\n");
}

await runMain(USAGE, async () => {
  const { stack, form, cwd } = options();
  const printed = FORMS[form];
  let name = stack ?? "";
  let settings: Promise<StackSettings | undefined> | undefined;
  try {
    const project = projectFolder(cwd);
    name = stack ?? (await currentStack(project.folder, project.env));
    settings = settingsOf(project, name);
    const plan = await askPlan(project.folder, name, project.env);
    printReport(printed((await settings)?.withoutSecrets(plan) ?? plan));
    if (plan.errors.length > 0) process.exitCode = 1;
  } catch (error) {
    // What is left of an earlier comment would be taken for the plan.
    const failure = withoutPlan(name, shownError(error));
    if (form === "json" || form === "markdown")
      printReport(printed((await settings)?.withoutSecrets(failure) ?? failure));
    const redact = (await settings)?.redact;
    throw redact !== undefined && error instanceof UserError ? new UserError(error.code, redact(error.message)) : error;
  }
});

/** Without the settings there are no secrets that an output could have. */
function settingsOf({ folder, env }: ProjectFolder, name: string): Promise<StackSettings | undefined> {
  return readStackSettings(folder, name, env).catch(() => undefined);
}

function options(): { stack: string | undefined; form: keyof typeof FORMS; cwd: string | undefined } {
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
    return { stack: values.stack, cwd: values.cwd, form: chosen ?? "text" };
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
