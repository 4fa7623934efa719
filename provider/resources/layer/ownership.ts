import { describe, isTopLevel } from "../../catalog/objectNames.ts";
import { parseId, type StableId } from "../../catalog/pgDelta.ts";
import { type ContributionRecord, ownedIds } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";

/**
 * Who declares what in this run, as far as layers were seen. Two layers that add the same object would fight
 * over it.
 */
export class Ownership {
  private readonly records = new Map<string, ContributionRecord>();
  /** Changes with each claim that says something new. */
  generation = 0;
  private readonly predecessors = new Map<string, ContributionRecord>();

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
  handOver(layer: string, record: ContributionRecord): void {
    this.predecessors.set(layer, record);
  }

  predecessorOf(layer: string): ContributionRecord | undefined {
    return this.predecessors.get(layer);
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
