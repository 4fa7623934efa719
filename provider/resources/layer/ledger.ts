import type { ClientBase, Pool } from "pg";
import { type ContributionRecord, holdsAnything } from "../../engine/record.ts";
import { Ledger } from "../../ledger.ts";
import type { Properties } from "../../server/resource.ts";
import { stackOf } from "../../server/urn.ts";
import { UserError } from "../../userError.ts";
import { packRecord, unpackRecord } from "./state.ts";

/** The record of a layer as the database keeps it; see {@link Ledger}. */
export class LayerLedger {
  private readonly ledger: Ledger;

  /** @param urn of any resource of the stack: another stack that adopts the same objects has not made them. */
  constructor(urn: string, layer: string) {
    this.ledger = new Ledger(`${stackOf(urn)} layer ${layer}`);
  }

  /**
   * What the last committed update noted and the state does not know: that update was killed before Pulumi wrote its state.
   *
   * @param packed the record in the state.
   */
  async readBeyond(
    client: ClientBase | Pool,
    packed: Properties[string] | undefined,
  ): Promise<ContributionRecord | undefined> {
    const note = await this.ledger.read(client);
    if (note === undefined || note === packed) return undefined;
    try {
      return unpackRecord(note);
    } catch (error) {
      if (error instanceof UserError) return undefined;
      throw error;
    }
  }

  /** Whether the note says something else. A layer that only adopts needs none. */
  async isBehind(client: ClientBase, record: ContributionRecord | undefined): Promise<boolean> {
    const note = await this.ledger.read(client);
    if (record === undefined) return note !== undefined;
    return note === undefined ? holdsAnything(record) : note !== packRecord(record);
  }

  /** Within a transaction. Undefined removes the note. */
  write(client: ClientBase, record: ContributionRecord | undefined): Promise<void> {
    return this.ledger.write(client, record === undefined ? undefined : packRecord(record));
  }
}
