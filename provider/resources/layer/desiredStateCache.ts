import type { FactBase } from "../../catalog/pgDelta.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import { wantedBy } from "./desiredState.ts";
import type { LayerInputs } from "./inputs.ts";
import type { Claims } from "./ownership.ts";

/** What a layer's wish follows from. */
interface Given {
  live: FactBase;
  inputs: LayerInputs;
  contribution: Contribution;
  earlier: ContributionRecord | undefined;
}

/** The database as a layer wants it, and what the state will keep of that. */
export type Wish = ReturnType<typeof wantedBy>;

/** A wish, and the warnings that came with it. */
interface Worked extends Given {
  generation: number;
  wish: Wish;
  warnings: string[];
}

/**
 * What the layers of one run want. Each is asked when its layer is compared and again when it is previewed or updated, mostly with nothing
 * changed in between: the last answer is kept.
 */
export class Wishes {
  private readonly claims: Claims;
  private last: Worked | undefined;

  constructor(claims: Claims) {
    this.claims = claims;
  }

  /** As {@link wantedBy}. */
  wantedBy(given: Given, warn: (message: string) => void): Wish {
    const last = this.last !== undefined && this.isSame(this.last, given) ? this.last : this.work(given);
    this.last = last;
    for (const warning of last.warnings) warn(warning);
    return last.wish;
  }

  private isSame(last: Worked, { live, inputs, contribution, earlier }: Given): boolean {
    return (
      last.live === live &&
      last.contribution === contribution &&
      last.earlier === earlier &&
      last.generation === this.claims.generation &&
      JSON.stringify(last.inputs) === JSON.stringify(inputs)
    );
  }

  private work(given: Given): Worked {
    const warnings: string[] = [];
    const { live, inputs, contribution, earlier } = given;
    const wish = wantedBy(live, inputs, contribution, earlier, {
      claims: this.claims,
      warn: (message) => warnings.push(message),
    });
    return { ...given, wish, warnings, generation: this.claims.generation };
  }
}
