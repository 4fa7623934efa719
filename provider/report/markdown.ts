/** A plan as the comment in a pull request: what needs attention in a table, all SQL folded away. */
import type { PlanLine } from "./planLine.ts";
import { type Message, type StackPlan, scriptOf, totalsOf } from "./stackPlan.ts";
import { signOf } from "./text.ts";
import { durationInWords } from "./words.ts";

export function planAsMarkdown(plan: StackPlan): string {
  const { stack, layers, rows, resources, spentApprovals, warnings, errors } = plan;
  return [
    `### Plan of stack ${code(stack)}: ${totalsOf(plan)}`,
    ...messages("Stopped", errors),
    ...layers.flatMap(({ name, lines }) => [
      "",
      `#### Layer ${code(name)}`,
      "",
      "| | object | what | rows | lock | time | hazard |",
      "|---|---|---|--:|---|--:|---|",
      ...lines.map(tableRow),
    ]),
    ...(rows.length === 0
      ? []
      : [
          "",
          "#### Rows",
          "",
          ...rows.map(
            ({ op, title, columns }) => `- ${code(signOf(op))} ${code(title)}: ${columns.map(code).join(", ")}`,
          ),
        ]),
    ...(resources.length === 0
      ? []
      : [
          "",
          "#### Other resources",
          "",
          ...resources.map(({ op, type, name }) => `- ${code(signOf(op))} ${code(`${type} ${name}`)}`),
        ]),
    ...(spentApprovals.length === 0
      ? []
      : [
          "",
          "#### Used approvals, which can be taken out of the layers' `allow`",
          "",
          ...spentApprovals.map(({ layer, approvals }) => `- ${code(layer)}: ${approvals.map(code).join(", ")}`),
        ]),
    ...messages("Warnings", warnings),
    ...layers.flatMap(({ name, lines }) => details(name, lines)),
    "",
  ].join("\n");
}

function tableRow({ op, title, notes, rows, lock, estimateMs, hazards, objects }: PlanLine): string {
  const cells = [
    code(signOf(op)),
    code(title),
    [...notes, ...(objects.length === 0 ? [] : [objects.map(code).join(" ")])].join(", "),
    rows === 0 ? "" : rows.toLocaleString("en-US"),
    lock === "none" ? "" : lock,
    estimateMs === undefined ? "" : durationInWords(estimateMs),
    hazards
      .map(
        (hazard) => `${hazard.code}: ${hazard.message}${hazard.blocks ? `. **Needs** ${code(hazard.approval)}` : ""}`,
      )
      .join("<br>"),
  ];
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

function messages(title: string, list: readonly Message[]): string[] {
  return list.length === 0
    ? []
    : ["", `#### ${title}`, ...list.flatMap(({ resource, text }) => ["", resource, ...fenced(text, "text")])];
}

function details(name: string, lines: readonly PlanLine[]): string[] {
  const count = lines.reduce((sum, { statements }) => sum + statements.length, 0);
  const summary = `<details><summary>SQL of layer ${escaped(name)}: ${count} statement${count === 1 ? "" : "s"}</summary>`;
  return ["", summary, "", ...fenced(scriptOf(lines), "sql"), "", "</details>"];
}

/** A fence longer than any that the text holds. */
function fenced(text: string, language: string): string[] {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(Math.max(3, longest + 1));
  return [`${fence}${language}`, text, fence];
}

function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return longest === 0 ? `${ticks}${text}${ticks}` : `${ticks} ${text} ${ticks}`;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
