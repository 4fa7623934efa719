/** A plan for a terminal. */
import type { PlanLine } from "./planLine.ts";
import { type Message, otherWarnings, type StackPlan, totalsOf } from "./stackPlan.ts";
import { headlineNotes } from "./words.ts";

const SIGNS: Readonly<Record<string, string>> = { create: "+", update: "~", delete: "-" };

export const signOf = (op: string): string => SIGNS[op] ?? "±";

export function planAsText(plan: StackPlan): string {
  const { stack, layers, rows, resources, spentApprovals, errors } = plan;
  return [
    `Plan of stack ${stack}: ${totalsOf(plan)}.`,
    ...layers.flatMap(({ name, lines }) => section(`Layer ${name}`, lines.flatMap(lineAsText))),
    ...section(
      "Rows",
      rows.map(({ op, title, columns }) => `${signOf(op)} ${title}${op === "update" ? `: ${columns.join(", ")}` : ""}`),
    ),
    ...section(
      "Other resources",
      resources.map(({ op, type, name }) => `${signOf(op)} ${type} ${name}`),
    ),
    ...section(
      "Used approvals, which can be taken out of the layers' `allow`",
      spentApprovals.flatMap(({ layer, approvals }) => approvals.map((approval) => `Layer ${layer}: ${approval}`)),
    ),
    ...section("Warnings", otherWarnings(plan).map(messageAsText)),
    ...section("Stopped", errors.map(messageAsText)),
  ].join("\n");
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => line.replace(/^/gm, "  "))];
}

function lineAsText(line: PlanLine): string[] {
  const { op, title, hazards } = line;
  return [
    `${signOf(op)} ${[title, ...headlineNotes(line)].join(" · ")}`,
    ...hazards.flatMap(({ code, message, approval, blocks }) => [
      `    ${code}: ${message}`,
      ...(blocks ? [`    needs in the layer's \`allow\`: ${approval}`] : []),
    ]),
  ];
}

const messageAsText = ({ resource, text }: Message): string => (resource === "" ? text : `${resource}: ${text}`);
