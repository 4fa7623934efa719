/**
 * The Diff call of a layer: whether inputs, files or the database differ from the last update, without a
 * shadow where the record suffices. What an update would run is left to `preview.ts`.
 */
import { differences } from "../../contribution/record.ts";
import type { CallContext, DiffResult, Properties, ResourceState } from "../../core/resourceType.ts";
import { containsUnknown, equalValues } from "../../core/values.ts";
import { planStatements } from "../../plan/planStatements.ts";
import { namesFirst } from "../../plan/transition.ts";
import { withoutSpentMoves } from "./approvals.ts";
import { asDetail } from "./detailedDiff.ts";
import { acceptedInputs } from "./inputs.ts";
import { hasExpired } from "./kept.ts";
import { LayerLedger, withUnrecorded } from "./ledger.ts";
import { meaningOf } from "./meaning.ts";
import { unpackRecord } from "./outputs.ts";
import type { LayerRuntime } from "./runtime.ts";
import { resolveTransition } from "./transition.ts";

/** Held by the program as it likes; none of them changes what the SQL means. */
const SETTINGS = [
  "files",
  "base",
  "assumes",
  "roles",
  "allow",
  "renames",
  "conversions",
  "keepWithRows",
  "forceDestroy",
  "digest",
] as const;

export async function diff(
  runtime: LayerRuntime,
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
  if (containsUnknown(news) || runtime.target === undefined)
    return { changed: Object.keys(detailed).length > 0, detailed };

  const inputs = withoutSpentMoves(acceptedInputs(news), state);
  const recorded = unpackRecord(state.outputs.contribution);
  const ledger = new LayerLedger(urn, inputs.name);
  const unrecorded = await ledger.readUnrecorded(await runtime.target.pool(), state.outputs.contribution);
  const earlier = withUnrecorded(recorded, unrecorded) ?? recorded;
  if ("name" in detailed) runtime.ownership.succeed(inputs.name, earlier);
  const { facts, rowMoves, kept } = await runtime.session.inTurn(() => runtime.live.get());
  // A change below is none of this layer, unless what it contributes turns out to be another.
  const sameMeaning = (["digest", "baseDigest", "roles", "renames"] as const).every((key) =>
    equalValues(state.inputs[key] ?? null, news[key] ?? null),
  );
  const isPending = unrecorded !== undefined || rowMoves.length > 0 || hasExpired(kept, inputs.name);
  if (sameMeaning && !isPending && differences(facts, earlier).length === 0)
    runtime.ownership.claim(inputs.name, earlier);
  else {
    const meaning = await meaningOf(runtime, inputs, earlier, ledger);
    await runtime.session.inTurn(async () => {
      const database = { facts, kept };
      const transition = await resolveTransition(runtime, meaning, database, () => {});
      const { live, desired, record, takenOver, expired = [] } = transition;
      const statements = [...namesFirst(transition), ...planStatements(live, desired).statements, ...expired];
      Object.assign(detailed, asDetail(statements));
      // Renamed below or by hand, or made by an update that was killed: the state must learn what is the
      // layer's.
      const isNew = (key: string): boolean => !(key in recorded.added);
      const isUnfinished = rowMoves.length > 0 || (unrecorded !== undefined && unrecorded.unfinished.length > 0);
      if (isUnfinished || takenOver !== undefined || Object.keys(record.added).some(isNew))
        detailed.objects = { kind: "update", inputDiff: false };
    });
  }
  return { changed: Object.keys(detailed).length > 0, detailed };
}
