/**
 * A layer with its files, its contribution and its earlier record: what diff, preview and update all start
 * from.
 */
import type { Contribution } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import type { LayerInputs } from "./inputs.ts";
import type { LayerLedger } from "./ledger.ts";
import type { LayerRuntime } from "./runtime.ts";
import type { LayerSources } from "./sqlSources.ts";

/** A layer, as its files and its state tell it. */
export interface LayerMeaning {
  inputs: LayerInputs;
  sources: LayerSources;
  contribution: Contribution;
  /** What it contributed until now. */
  earlier: ContributionRecord | undefined;
  /** Undefined for an import, to which all that is there is adopted. */
  ledger: LayerLedger | undefined;
}

export async function meaningOf(
  runtime: LayerRuntime,
  inputs: LayerInputs,
  earlier: ContributionRecord | undefined,
  ledger: LayerLedger,
): Promise<LayerMeaning> {
  const sources = await runtime.sources(inputs);
  return { inputs, sources, contribution: await runtime.contribution(inputs, sources), earlier, ledger };
}
