/**
 * The last desired state of each layer of a run, because Check, Diff and Update ask for it one after another.
 */
import type { FactBase } from "../../catalog/pgDelta.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import { desiredState } from "./desiredState.ts";
import type { LayerInputs } from "./inputs.ts";
import type { Ownership } from "./ownership.ts";

/** What a layer's desired follows from. */
interface Given {
  live: FactBase;
  inputs: LayerInputs;
  contribution: Contribution;
  earlier: ContributionRecord | undefined;
}

/** The database as a layer wants it, and what the state will keep of that. */
export type DesiredState = ReturnType<typeof desiredState>;

/** A desired, and the warnings that came with it. */
interface Worked extends Given {
  generation: number;
  desired: DesiredState;
  warnings: string[];
}

/**
 * What the layers of one run want. Each is asked when its layer is compared and again when it is previewed or
 * updated, mostly with nothing changed in between: the last answer is kept.
 */
export class DesiredStateCache {
  private readonly ownership: Ownership;
  private last: Worked | undefined;

  constructor(ownership: Ownership) {
    this.ownership = ownership;
  }

  /** As {@link desiredState}. */
  desiredState(given: Given, warn: (message: string) => void): DesiredState {
    const last = this.last !== undefined && this.isSame(this.last, given) ? this.last : this.work(given);
    this.last = last;
    for (const warning of last.warnings) warn(warning);
    return last.desired;
  }

  private isSame(last: Worked, { live, inputs, contribution, earlier }: Given): boolean {
    return (
      last.live === live &&
      last.contribution === contribution &&
      last.earlier === earlier &&
      last.generation === this.ownership.generation &&
      JSON.stringify(last.inputs) === JSON.stringify(inputs)
    );
  }

  private work(given: Given): Worked {
    const warnings: string[] = [];
    const { live, inputs, contribution, earlier } = given;
    const desired = desiredState(live, inputs, contribution, earlier, {
      ownership: this.ownership,
      warn: (message) => warnings.push(message),
    });
    return { ...given, desired, warnings, generation: this.ownership.generation };
  }
}
