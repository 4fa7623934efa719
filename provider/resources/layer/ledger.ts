import type { ClientBase, Pool } from "pg";
import { encodeId, parseId } from "../../catalog/pgDelta.ts";
import { type ContributionRecord, holdsAnything } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import type { Properties } from "../../core/resourceType.ts";
import { stackOf } from "../../core/urn.ts";
import { Ledger } from "../../database/ledger.ts";
import type { FunctionId } from "../../plan/changedFunctions.ts";
import { packRecord, unpackRecord } from "./outputs.ts";

/** What an update of a layer notes in the database. */
export interface LedgerEntry {
  record: ContributionRecord;
  /** Approvals of hazards that it used, and those before it: they may have done their work. */
  used: readonly string[];
  /** Functions that it changes, until all that is stored of their results is computed again. */
  unfinished: readonly FunctionId[];
}

/** Begins the line of such a function; no approval does. */
const UNFINISHED = "unfinished ";

/** What a layer's last update did, as the database keeps it; see {@link Ledger}. */
export class LayerLedger {
  private readonly ledger: Ledger;

  /**
   * @param urn of any resource of the stack: another stack that adopts the same objects has not made them.
   */
  constructor(urn: string, layer: string) {
    this.ledger = new Ledger(`${stackOf(urn)} layer ${layer}`);
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
    const [unrecorded, ...lines] = (await this.ledger.read(client))?.split("\n") ?? [];
    const [notes, used] = [lines.filter(isUnfinished), lines.filter((line) => !isUnfinished(line))];
    if (unrecorded === undefined || (unrecorded === packed && notes.length === 0)) return undefined;
    try {
      return { record: unpackRecord(unrecorded), used, unfinished: notes.flatMap(functionIn) };
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  /**
   * What writes the note within a transaction, at most once; undefined when it says the same already. A layer
   * that only adopts needs none.
   *
   * @param note undefined removes it.
   * @param changes whether the update executes anything.
   */
  async pendingEntry(
    client: ClientBase,
    note: LedgerEntry | undefined,
    changes: boolean,
  ): Promise<(() => Promise<void>) | undefined> {
    let isDue = await this.isBehind(client, note, changes);
    if (!isDue) return undefined;
    return async () => {
      if (isDue) await this.ledger.write(client, note === undefined ? undefined : asText(note));
      isDue = false;
    };
  }

  private async isBehind(client: ClientBase, note: LedgerEntry | undefined, changes: boolean): Promise<boolean> {
    const found = await this.ledger.read(client);
    if (note === undefined) return found !== undefined;
    return found === undefined ? changes || holdsAnything(note.record) : found !== asText(note);
  }
}

const isUnfinished = (line: string): boolean => line.startsWith(UNFINISHED);

function functionIn(line: string): FunctionId[] {
  const id = parseId(JSON.parse(line.slice(UNFINISHED.length)));
  return id.kind === "function" ? [id] : [];
}

const asText = ({ record, used, unfinished }: LedgerEntry): string =>
  [packRecord(record), ...used, ...unfinished.map((id) => UNFINISHED + JSON.stringify(encodeId(id)))].join("\n");
