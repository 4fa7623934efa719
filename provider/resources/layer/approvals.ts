/**
 * Which approvals of a layer count, and which its earlier updates have used. How they are compared with
 * hazards is left to `plan/approvals.ts`.
 */
import type { ResourceState } from "../../core/resourceType.ts";
import { type Approvals, handOverName, isAnswerOfKept } from "../../plan/approvals.ts";
import { acceptedInputs, type LayerInputs } from "./inputs.ts";

/** Approvals of hazards, and those that updates of this stack have used. */
export function approvals({ allow }: LayerInputs, state: ResourceState | undefined): Approvals {
  return { allow: [...allow, ...approvalsOfRun(process.env)], spent: state === undefined ? [] : spentIn(state) };
}

/**
 * Approvals that a person has given to one run, one a line. They count as if the layer's `allow` had them,
 * for files that are not changed: those of an earlier commit.
 */
export const approvalsOfRun = ({ PGSTRATA_ALLOW: text = "" }: NodeJS.ProcessEnv): string[] =>
  text.split("\n").filter((line) => line !== "");

/** Of a layer's `allow`, what updates have used: it approves of nothing any more, and can be taken out. */
export function spentOf(allow: readonly string[], state: StateOfLayer): string[] {
  const spent = spentIn(state);
  return allow.filter((approval) => spent.includes(approval));
}

type StateOfLayer = Pick<ResourceState, "inputs" | "outputs">;

/** A state of a version that did not keep them had none that was not used. */
function spentIn({ inputs, outputs }: StateOfLayer): string[] {
  const { spentApprovals } = outputs;
  return Array.isArray(spentApprovals) ? spentApprovals.map(String) : acceptedInputs(inputs).allow;
}

/**
 * Inputs without the hand-overs that were made and the answers that were used: what is the layer's again is
 * not left once more.
 */
export function withoutSpentMoves(inputs: LayerInputs, state: ResourceState | undefined): LayerInputs {
  const { allow, spent } = approvals(inputs, state);
  const isMove = (approval: string): boolean => handOverName(approval) !== undefined || isAnswerOfKept(approval);
  const isSpent = (approval: string): boolean => isMove(approval) && spent.includes(approval);
  return allow.some(isSpent) ? { ...inputs, allow: allow.filter((approval) => !isSpent(approval)) } : inputs;
}
