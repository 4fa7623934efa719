/** What `pulumi preview --json` prints, as the plan of the stack. */
import { z } from "zod";
import { UserError } from "../../provider/core/errors.ts";
import { CHANGE_TYPE, type Properties } from "../../provider/core/resourceType.ts";
import { isObject } from "../../provider/core/values.ts";
import type { PlanLine } from "../../provider/report/planLine.ts";
import { fromPreviewLine } from "../../provider/report/previewLines.ts";
import type { Message, PlannedRowChange, StackPlan } from "../../provider/report/stackPlan.ts";
import { spentOf } from "../../provider/resources/layer/approvals.ts";

const LAYER_TYPE = "pgstrata:index:Layer";
const ROW_TYPE = "pgstrata:index:Row";

const properties = z.record(z.string(), z.json()).default({});
const step = z.object({
  op: z.string(),
  urn: z.string(),
  oldState: z.object({ inputs: properties, outputs: properties }).optional(),
  newState: z.object({ inputs: properties, parent: z.string().optional() }).optional(),
});
const diagnostic = z.object({ urn: z.string().optional(), message: z.string(), severity: z.string() });
const output = z.object({ steps: z.array(step).default([]), diagnostics: z.array(diagnostic).default([]) });

/** @throws {UserError} for what is no such output. */
export function parsePreview(text: string, stack: string): StackPlan {
  const { steps, diagnostics } = parsed(text);
  const layers = new Map<string, PlanLine[]>();
  const rows: PlannedRowChange[] = [];
  const resources: StackPlan["resources"] = [];
  for (const { op, urn, newState } of steps) {
    const { type, name } = partsOf(urn);
    if (type !== CHANGE_TYPE) {
      if (op !== "same" && op !== "read" && !isCounted(type)) resources.push({ op, type, name });
      continue;
    }
    const inputs: Properties = newState?.inputs ?? {};
    const line = fromPreviewLine(name, opOf(op), inputs);
    if (line === undefined) rows.push({ op: opOf(op), title: name, columns: columnsOf(inputs) });
    else {
      const layer = newState?.parent ?? "";
      layers.set(layer, [...(layers.get(layer) ?? []), line]);
    }
  }
  const messages = (severity: string): Message[] =>
    diagnostics
      .filter((each) => each.severity === severity && each.urn !== undefined)
      .map(({ urn, message }) => ({ resource: labelOf(urn ?? ""), text: messageOf(message) }));
  const errors = messages("error");
  const unplaced = diagnostics.filter(({ severity, urn }) => severity === "error" && urn === undefined);
  return {
    stack,
    changes: steps.filter(({ op, urn }) => op !== "same" && op !== "read" && partsOf(urn).type !== CHANGE_TYPE).length,
    layers: [...layers].map(([layer, lines]) => ({ name: partsOf(layer).name, lines })),
    spentApprovals: steps.flatMap(spentApprovals),
    // A preview works on several at a time, so their order is none.
    rows: rows.toSorted((one, other) => one.title.localeCompare(other.title)),
    resources: resources.toSorted((one, other) =>
      `${one.type} ${one.name}`.localeCompare(`${other.type} ${other.name}`),
    ),
    warnings: messages("warning"),
    errors: errors.length > 0 ? errors : unplaced.map(({ message }) => ({ resource: "", text: messageOf(message) })),
  };
}

/** Layers and rows that the target would get anew; undefined where the preview was stopped. */
export function createdIn(text: string): string[] | undefined {
  const { steps, diagnostics } = parsed(text);
  if (diagnostics.some(({ severity }) => severity === "error")) return undefined;
  return steps.flatMap(({ op, urn }) =>
    op === "create" && [LAYER_TYPE, ROW_TYPE].includes(partsOf(urn).type) ? [labelOf(urn)] : [],
  );
}

function parsed(text: string): z.output<typeof output> {
  try {
    return output.parse(JSON.parse(text));
  } catch {
    throw new UserError(
      "PS603",
      "`pulumi preview --json` gave no plan that this version of pgstrata can read. Run `pulumi preview` to see what it says.",
    );
  }
}

/** What the lines of layers and rows tell already, and components, which are no more than folders. */
const isCounted = (type: string): boolean =>
  /^pgstrata:(index:(Layer|Row)|components:)/.test(type) || type === "pulumi:pulumi:Stack";

/** Values that are secret or not known yet are no approvals that were used. */
function spentApprovals({ urn, oldState, newState }: z.output<typeof step>): StackPlan["spentApprovals"] {
  const { type, name } = partsOf(urn);
  const allow = newState?.inputs.allow;
  if (type !== LAYER_TYPE || oldState === undefined || !Array.isArray(allow)) return [];
  const approvals = spentOf(allow.map(String), oldState);
  return approvals.length === 0 ? [] : [{ layer: name, approvals }];
}

function partsOf(urn: string): { type: string; name: string } {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? "", name: name.join("::") };
}

function labelOf(urn: string): string {
  const { type, name } = partsOf(urn);
  return type === "pulumi:pulumi:Stack" ? "" : `${type.split(":").at(-1)} ${name}`;
}

const messageOf = (message: string): string => message.replace(/^(warning|error): (Preview failed: )?/, "").trimEnd();

const opOf = (op: string): PlanLine["op"] => (op === "create" || op === "delete" ? op : "update");

const columnsOf = ({ columns }: Properties): string[] => (isObject(columns) ? Object.keys(columns) : []);
