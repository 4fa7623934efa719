import type { Contribution } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import type { LayerInputs } from "./inputs.ts";
import type { LayerWorld } from "./runtime.ts";
import type { LayerSources } from "./sqlSources.ts";

/** A layer, as its files and its state tell it. */
export interface LayerMeaning {
  inputs: LayerInputs;
  sources: LayerSources;
  contribution: Contribution;
  /** What it contributed until now. */
  earlier: ContributionRecord | undefined;
}

export async function meaningOf(
  world: LayerWorld,
  inputs: LayerInputs,
  earlier: ContributionRecord | undefined,
): Promise<LayerMeaning> {
  const sources = await world.sources(inputs);
  return { inputs, sources, contribution: await world.contribution(inputs, sources), earlier };
}
