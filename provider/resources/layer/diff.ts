import { differences, joined } from "../../contribution/record.ts";
import type { CallContext, DiffResult, Properties, ResourceState } from "../../core/resourceType.ts";
import { containsUnknown, equalValues } from "../../core/values.ts";
import { statementsFor } from "../../plan/planStatements.ts";
import { renameStatements } from "../../plan/renames/renames.ts";
import { acceptedInputs } from "./inputs.ts";
import { LayerLedger } from "./ledger.ts";
import { meaningOf } from "./meaning.ts";
import { unpackRecord } from "./outputs.ts";
import { asDetail } from "./planView.ts";
import type { LayerWorld } from "./runtime.ts";
import { aimOf } from "./transition.ts";

/** Held by the program as it likes; none of them changes what the SQL means. */
const SETTINGS = ["files", "base", "assumes", "roles", "allow", "renames", "forceDestroy", "digest"] as const;

export async function diff(
  world: LayerWorld,
  { urn }: CallContext,
  state: ResourceState,
  news: Properties,
): Promise<DiffResult> {
  const changedSettings = SETTINGS.filter((key) => !equalValues(state.inputs[key] ?? null, news[key] ?? null));
  const detailed: DiffResult["detailed"] = Object.fromEntries(
    changedSettings.map((key) => [key, { kind: "update", inputDiff: true }]),
  );
  if (!equalValues(state.inputs.name ?? null, news.name ?? null))
    detailed.name = { kind: "update-replace", inputDiff: true };
  if (containsUnknown(news) || world.target === undefined)
    return { changed: Object.keys(detailed).length > 0, detailed };

  const inputs = acceptedInputs(news);
  const recorded = unpackRecord(state.outputs.contribution);
  const ledger = new LayerLedger(urn, inputs.name);
  const noted = await ledger.readBeyond(await world.target.pool(), state.outputs.contribution);
  const earlier = joined(recorded, noted?.record) ?? recorded;
  if ("name" in detailed) world.claims.handOver(inputs.name, earlier);
  const { facts } = await world.session.inTurn(() => world.live.get());
  // A change below is none of this layer, unless what it contributes turns out to be another.
  const sameMeaning = (["digest", "baseDigest", "roles", "renames"] as const).every((key) =>
    equalValues(state.inputs[key] ?? null, news[key] ?? null),
  );
  if (sameMeaning && noted === undefined && differences(facts, earlier).length === 0)
    world.claims.claim(inputs.name, earlier);
  else {
    const meaning = await meaningOf(world, inputs, earlier);
    await world.session.inTurn(async () => {
      const { live, wanted, renames, record } = await aimOf(world, meaning, facts, () => {});
      Object.assign(detailed, asDetail([...renameStatements(renames), ...statementsFor(live, wanted).statements]));
      // Renamed below or by hand, or made by an update that was killed: the state must learn what is the layer's.
      const isNew = (key: string): boolean => !(key in recorded.added);
      if (Object.keys(record.added).some(isNew)) detailed.objects = { kind: "update", inputDiff: false };
    });
  }
  return { changed: Object.keys(detailed).length > 0, detailed };
}
