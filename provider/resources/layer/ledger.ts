/**
 * What a layer notes in the database: its record, used approvals, unfinished changes, hand-overs. How a
 * note is stored is left to `database/ledger.ts`.
 */
import type { ClientBase, Pool } from "pg";
import { encodeId, parseId } from "../../catalog/pgDelta.ts";
import {
  type ContributionRecord,
  holdsAnything,
  mergeRecords,
  ownedIds,
  partOf,
  withAdopted,
  withoutAdopted,
} from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import type { Properties } from "../../core/resourceType.ts";
import { stackOf } from "../../core/urn.ts";
import { Ledger } from "../../database/ledger.ts";
import { type ChangedObject, givesResults } from "../../plan/changedObjects.ts";
import { isPacked, packRecord, unpackRecord } from "./outputs.ts";

/** What an update of a layer notes in the database. */
export interface LedgerEntry {
  record: ContributionRecord;
  /** Approvals of hazards that it used, and those before it: they may have done their work. */
  used: readonly string[];
  /** What it changes, until all that is stored of its results is computed again. */
  unfinished: readonly ChangedObject[];
  /** What it handed over and does not have again: left in place, for the layer that declares it now. */
  handedOver?: ContributionRecord;
}

/** What another note of the database says of what a layer comes upon. */
interface OtherEntry {
  ledger: Ledger;
  entry: LedgerEntry;
}

/** Begins the line of such an object; no approval does. */
const UNFINISHED = "unfinished ";

/** What a layer's last update did, as the database keeps it; see {@link Ledger}. */
export class LayerLedger {
  private readonly ledger: Ledger;
  private readonly ofStack: string;
  readonly layer: string;

  /**
   * @param urn of any resource of the stack: another stack that adopts the same objects has not made them.
   */
  constructor(urn: string, layer: string) {
    this.layer = layer;
    this.ofStack = `${stackOf(urn)} layer `;
    this.ledger = new Ledger(this.ofStack + layer);
  }

  /**
   * What the last committed update unrecorded and the state does not know: that update was killed before
   * Pulumi wrote its state, or one of its later steps failed.
   *
   * @param packed the record in the state.
   */
  async readUnrecorded(
    client: ClientBase | Pool,
    packed: Properties[string] | undefined,
  ): Promise<LedgerEntry | undefined> {
    const note = await this.ledger.read(client);
    const entry = note === undefined ? undefined : asEntry(note);
    const isKnown = note?.split("\n", 1)[0] === packed && entry?.unfinished.length === 0;
    return isKnown ? undefined : entry;
  }

  /**
   * What the ledgers of the database know of who made what: what the layers of this stack have, as only one
   * of them can declare it, and what any layer handed over.
   */
  async readOthers(client: ClientBase | Pool): Promise<ContributionRecord | undefined> {
    const others = (await this.others(client)).flatMap(({ ledger, entry }) => [
      entry.handedOver,
      ledger.identity.startsWith(this.ofStack) ? entry.record : undefined,
    ]);
    const records = [await this.handedOver(client), ...others].filter((record) => record !== undefined);
    // An object may have passed through several layers: its maker counts before those that adopted it.
    return [...records.map(withoutAdopted), ...records].reduce<ContributionRecord | undefined>(mergeRecords, undefined);
  }

  /**
   * What writes the note within a transaction, at most once; undefined when it says the same already. A layer
   * that only adopts needs none.
   *
   * @param next undefined removes it.
   * @param changes whether the update executes anything.
   * @param takenOver what another layer handed over and this one takes, so that no further one can.
   */
  async pendingEntry(
    client: ClientBase,
    next: LedgerEntry | undefined,
    changes: boolean,
    takenOver?: ContributionRecord,
  ): Promise<(() => Promise<void>) | undefined> {
    const note = next && (await this.withEarlierHandOvers(client, next));
    const others = takenOver === undefined ? [] : await this.withoutTaken(client, new Set(ownedIds(takenOver)));
    let isDue = others.length > 0 || (await this.isBehind(client, note, changes));
    if (!isDue) return undefined;
    return async () => {
      if (isDue) {
        await this.ledger.write(client, note === undefined ? undefined : asText(note));
        for (const { ledger, entry } of others) await ledger.write(client, asText(entry));
      }
      isDue = false;
    };
  }

  private async others(client: ClientBase | Pool): Promise<OtherEntry[]> {
    const notes = await Ledger.readAll(client);
    return notes.flatMap(({ ledger, note }) => {
      const entry = ledger.identity === this.ledger.identity ? undefined : asEntry(note);
      return entry === undefined ? [] : [{ ledger, entry }];
    });
  }

  private async handedOver(client: ClientBase | Pool): Promise<ContributionRecord | undefined> {
    const note = await this.ledger.read(client);
    return note === undefined ? undefined : asEntry(note)?.handedOver;
  }

  /** What was handed over before is still to be taken, unless the layer has it again. */
  private async withEarlierHandOvers(client: ClientBase, next: LedgerEntry): Promise<LedgerEntry> {
    const all = mergeRecords(next.handedOver, await this.handedOver(client));
    const held = new Set(ownedIds(next.record));
    const handedOver = all && partOf(all, (key) => !held.has(key));
    return handedOver === undefined || ownedIds(handedOver).length === 0
      ? withoutHandOver(next)
      : { ...next, handedOver };
  }

  private async withoutTaken(client: ClientBase, taken: ReadonlySet<string>): Promise<OtherEntry[]> {
    return (await this.others(client)).flatMap(({ ledger, entry }) => {
      const { handedOver } = entry;
      if (handedOver === undefined || !ownedIds(handedOver).some((key) => taken.has(key))) return [];
      return [{ ledger, entry: { ...entry, handedOver: withAdopted(handedOver, taken) } }];
    });
  }

  private async isBehind(client: ClientBase, note: LedgerEntry | undefined, changes: boolean): Promise<boolean> {
    const found = await this.ledger.read(client);
    if (note === undefined) return found !== undefined;
    return found === undefined ? changes || holdsAnything(note.record) : found !== asText(note);
  }
}

const isUnfinished = (line: string): boolean => line.startsWith(UNFINISHED);

function objectIn(line: string): ChangedObject[] {
  const id = parseId(JSON.parse(line.slice(UNFINISHED.length)));
  return givesResults(id) ? [id] : [];
}

const withoutHandOver = ({ record, used, unfinished }: LedgerEntry): LedgerEntry => ({ record, used, unfinished });

function asText({ record, used, unfinished, handedOver }: LedgerEntry): string {
  const moved = handedOver === undefined ? [] : [packRecord(handedOver)];
  const objects = unfinished.map((id) => UNFINISHED + JSON.stringify(encodeId(id)));
  return [packRecord(record), ...moved, ...used, ...objects].join("\n");
}

/** Undefined for a note of a form that this version does not know. */
function asEntry(note: string): LedgerEntry | undefined {
  const [record, ...rest] = note.split("\n");
  const hasHandOver = isPacked(rest[0]);
  const lines = hasHandOver ? rest.slice(1) : rest;
  try {
    return {
      record: unpackRecord(record),
      used: lines.filter((line) => !isUnfinished(line)),
      unfinished: lines.filter(isUnfinished).flatMap(objectIn),
      ...(hasHandOver ? { handedOver: unpackRecord(rest[0]) } : {}),
    };
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/**
 * The record of a layer as its state and its ledger tell it. What an update that the state does not know of
 * handed over is no longer the layer's, whatever it approves of now.
 */
export function withUnrecorded(
  recorded: ContributionRecord | undefined,
  unrecorded: LedgerEntry | undefined,
): ContributionRecord | undefined {
  const whole = mergeRecords(recorded, unrecorded?.record);
  if (whole === undefined || unrecorded?.handedOver === undefined) return whole;
  const gone = new Set(ownedIds(unrecorded.handedOver));
  return partOf(whole, (key) => !gone.has(key));
}
