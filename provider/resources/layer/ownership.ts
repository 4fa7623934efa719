/**
 * Which layer of this run declares which object, so that no two declare the same one. What lasts between runs
 * is left to `ledger.ts`.
 */
import { describe, isTopLevel, named, nameInApproval, ownerObject } from "../../catalog/objectNames.ts";
import { encodeId, parseId, type StableId } from "../../catalog/pgDelta.ts";
import { type ContributionRecord, ownedIds, ownedParts } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import { asHandOver } from "../../plan/approvals.ts";

/**
 * Who declares what in this run, as far as layers were seen. Two layers that add the same object would fight
 * over it.
 */
export class Ownership {
  private readonly records = new Map<string, ContributionRecord>();
  /** Changes with each claim that says something new. */
  generation = 0;
  private readonly predecessors = new Map<string, ContributionRecord>();
  private readonly takenBack = new Map<string, readonly string[]>();

  /** @throws {UserError} when another layer of this run declares one of the objects. */
  claim(layer: string, record: ContributionRecord): void {
    for (const [owner, { added }] of this.records) {
      const both = owner === layer ? [] : Object.keys(record.added).filter((key) => key in added);
      if (both.length > 0) throw new UserError("PS110", claimFault(layer, owner, both), { property: "files" });
    }
    if (this.records.get(layer) !== record) this.generation += 1;
    this.records.set(layer, record);
  }

  /** What layers but this one hold: they have taken over what this one lets go of. */
  heldByOthers(layer: string): Set<string> {
    return new Set([...this.records].flatMap(([owner, record]) => (owner === layer ? [] : ownedIds(record))));
  }

  /** A layer is replaced under a new name: what the old one made is the new one's. */
  succeed(layer: string, record: ContributionRecord): void {
    this.predecessors.set(layer, record);
  }

  predecessorOf(layer: string): ContributionRecord | undefined {
    return this.predecessors.get(layer);
  }

  /** What a layer takes back, as keys of its record. */
  takeBack(layer: string, keys: readonly string[]): void {
    this.takenBack.set(layer, keys);
  }

  /**
   * In a preview: what a layer declares while one before it takes it back stays, if that one hands it over.
   *
   * @throws {UserError} with the approvals that do so.
   */
  refuseMakingAgain(layer: string, record: ContributionRecord): void {
    const declared = new Map(ownedParts(record).map(({ key, id }) => [key, id]));
    for (const [owner, keys] of this.takenBack) {
      const ids = owner === layer ? [] : keys.flatMap((key) => declared.get(key) ?? []);
      if (ids.length > 0) throw new UserError("PS218", madeAgain(layer, owner, ids));
    }
  }

  /** The layer that declares an object named in a server's message, as far as one was seen. */
  ownerNamedIn(message: string): string | undefined {
    for (const [layer, { added }] of this.records)
      if (Object.keys(added).some((key) => isNamedIn(message, parseId(key)))) return layer;
    return undefined;
  }
}

/** As the server writes names: `relation "s.t"`, `type "s.t"`, `schema "s"`, `function s.f(integer)`. */
function isNamedIn(message: string, id: StableId): boolean {
  if (id.kind === "schema") return message.includes(`schema "${id.name}"`);
  if (!("schema" in id && "name" in id) || !isTopLevel(id)) return false;
  return message.includes(`"${id.schema}.${id.name}"`) || message.includes(`function ${id.schema}.${id.name}(`);
}

function claimFault(layer: string, owner: string, keys: readonly string[]): string {
  const ids = keys.map((key) => parseId(key));
  const whole = ids.filter(isTopLevel);
  const names = (whole.length > 0 ? whole : ids).map(describe).sort();
  return (
    `The layers "${owner}" and "${layer}" both declare ${names.slice(0, 3).join(", ")}${names.length > 3 ? ` and ${names.length - 3} more` : ""}. ` +
    `Expected one owner for each object: remove it from one of them, or make "${owner}" a base of "${layer}".`
  );
}

function madeAgain(layer: string, owner: string, keys: readonly string[]): string {
  const all = new Set(keys);
  const isWithItsObject = (key: string): boolean => {
    const object = encodeId(ownerObject(parseId(key)));
    return object !== key && all.has(object);
  };
  const ids = [...all].filter((key) => !isWithItsObject(key));
  const approvals = new Set(ids.map((key) => asHandOver(nameInApproval(approvable(parseId(key))))));
  return [
    `The layer "${owner}" drops what the layer "${layer}" declares now and would create again: ${named(ids).join(", ")}.`,
    `Nothing was changed. To keep it as it is, with everything that depends on it, add to the \`allow\` of "${owner}":`,
    ...[...approvals].sort().map((approval) => `  ${approval}`),
  ].join("\n");
}

/** Grants and comments have no name of their own. */
const approvable = (id: StableId): StableId => ("target" in id ? approvable(id.target) : id);
