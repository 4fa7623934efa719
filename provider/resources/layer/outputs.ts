/**
 * What a layer gives out and its state keeps, the packed record included. What the record says is left to
 * `contribution/record.ts`.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import { describe, isTopLevel } from "../../catalog/objectNames.ts";
import { parseId } from "../../catalog/pgDelta.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import type { Properties, Value } from "../../core/resourceType.ts";

/** The first part of a packed record tells its form. */
const FORM = "1:";

/** Whether a text is a packed record of the form that this version reads. */
export const isPacked = (value: Value | undefined): value is string =>
  typeof value === "string" && value.startsWith(FORM);

/**
 * A record as a state keeps it. Packed, because a checkpoint is written twice for each operation of a stack.
 */
export function packRecord(record: ContributionRecord): string {
  return FORM + gzipSync(JSON.stringify(record)).toString("base64");
}

/** What was unpacked last: each call about a layer brings the same state. */
let last: { value: string; record: ContributionRecord } | undefined;

/** @throws {UserError} when the state holds none, or one of a newer form. */
export function unpackRecord(value: Value | undefined): ContributionRecord {
  if (last !== undefined && last.value === value) return last.record;
  if (!isPacked(value)) {
    throw new UserError(
      "PS603",
      "The state of this layer holds no contribution that this version of pgstrata can read. Was it written by a newer one? " +
        "Use that version, or remove the layer from the state (`pulumi state delete`) and let `pulumi up` adopt what is there.",
    );
  }
  const record: ContributionRecord = JSON.parse(
    gunzipSync(Buffer.from(value.slice(FORM.length), "base64")).toString("utf8"),
  );
  last = { value, record };
  return record;
}

/** Names of the objects that a layer adds or changes, sorted; parts of an object are not listed. */
export function objectNames(contribution: Contribution, record: ContributionRecord): string[] {
  const added = Object.keys(record.added)
    .map((key) => parseId(key))
    .filter(isTopLevel)
    .map(describe);
  const changed = contribution.changed.map(({ id, attribute }) => `${attribute} of ${describe(id)}`);
  return [...added, ...changed].sort();
}

/** What the last update that executed anything did. */
export interface LastRun {
  statements: number;
  elapsedMs: number;
  serverVersion: string;
}

/**
 * The outputs of a layer beside its inputs.
 *
 * @param spentApprovals approvals that updates have used.
 */
export function layerOutputs(
  inputs: Properties,
  contribution: Contribution,
  record: ContributionRecord,
  lastRun: LastRun,
  spentApprovals: readonly string[],
): Properties {
  return {
    ...inputs,
    objects: objectNames(contribution, record),
    contribution: packRecord(record),
    adopted: adoptedNames(record),
    drift: [],
    spentApprovals: [...spentApprovals],
    lastRun: { ...lastRun },
  };
}

function adoptedNames(record: ContributionRecord): string[] {
  return record.adopted
    .map((key) => parseId(key))
    .filter(isTopLevel)
    .map(describe)
    .sort();
}
