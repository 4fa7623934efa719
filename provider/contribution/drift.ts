/**
 * How far a database is from the records of its layers, and what others have added to their objects. Rows,
 * and how it is shown, are left to `resources/driftReport.ts` and `tools/`.
 */

import type { Kept } from "../catalog/kept.ts";
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import type { Catalog } from "../catalog/readCatalog.ts";
import { saidAttributes } from "./openAttributes.ts";
import { type ContributionRecord, differences, ownedIds, strangeOwners } from "./record.ts";

/**
 * How far a database is from what the last update of a layer left there; names of objects as a person says
 * them, sorted.
 */
export interface LayerDrift {
  layer: string;
  /** Objects and parts of objects that are otherwise. */
  differs: string[];
  missing: string[];
  /** What others have added to or among the layer's objects. */
  notOurs: string[];
}

/** The drift of all layers of a database. */
export interface Drift {
  layers: LayerDrift[];
  /** Objects of others in schemas that the layers use and do not declare. */
  notOurs: string[];
  /** Tables and columns that layers have dropped and that are kept until a date. They are no drift. */
  kept: string[];
}

/**
 * Compares a database with the records of all layers that stand in it; a layer left out would count as
 * somebody else's.
 *
 * @param guests layers that assume objects of others. Where only they use the schema `public`, the rest of it
 *   is the others'.
 */
export function driftOf(
  { facts, invalidIndexes, rowMoves, kept }: Catalog,
  records: ReadonlyMap<string, ContributionRecord>,
  guests: ReadonlySet<string> = new Set(),
): Drift {
  const foreign = foreignParts(facts, records, guests);
  const layers = [...records].map(([layer, record]) => {
    const found = differences(facts, record);
    const missing = new Set(found.filter(({ kind }) => kind === "missing").map(({ id }) => id));
    const differs = found.filter(({ id, kind }) => kind === "changed" && !missing.has(id)).map(({ id }) => id);
    return {
      layer,
      differs: named(differs),
      // What is missing with its table needs no mention.
      missing: named([...missing].filter((id) => isWholeOrAlone(id, missing))),
      notOurs: sorted(foreign.filter((part) => part.layer === layer).map(({ name }) => name)),
    };
  });
  const schemas = schemasOf(records);
  const leftOvers = [...invalidIndexes]
    .map((key) => parseId(key))
    .filter((id) => "schema" in id && id.schema !== null && schemas.has(id.schema))
    .map((id) => `invalid ${describe(id)}, left by a build that failed`);
  const moves = rowMoves
    .filter(({ partition }) => schemas.has(partition.schema))
    .map(
      ({ partition, from }) =>
        `copies of rows of ${describe(from)} in ${describe(partition)}, left by a run that ended`,
    );
  const unowned = foreign.filter(({ layer }) => layer === undefined).map(({ name }) => name);
  return { layers, notOurs: sorted([...unowned, ...leftOvers, ...moves]), kept: sorted(keptIn(kept)) };
}

function keptIn({ schemas, columns, whole }: Kept): string[] {
  const tables = whole?.facts().flatMap(({ id }) => {
    const place = id.kind === "table" ? schemas.find(({ name }) => name === id.schema) : undefined;
    return place === undefined ? [] : [{ ...place, id }];
  });
  return [...(tables ?? []), ...columns].map(
    ({ id, layer, until }) => `${describe(id)}, kept for layer ${layer} until ${until}`,
  );
}

const sorted = (names: readonly string[]): string[] => [...new Set(names)].sort();
const named = (keys: readonly string[]): string[] => sorted(keys.map((key) => describe(parseId(key))));

function isWholeOrAlone(key: string, missing: ReadonlySet<string>): boolean {
  const owner = encodeId(ownerObject(parseId(key)));
  return owner === key || !missing.has(owner);
}

/** Schemas that hold something of the layers. */
function schemasOf(records: ReadonlyMap<string, ContributionRecord>): Set<string> {
  const ids = [...records.values()].flatMap(({ added }) => Object.keys(added).map((key) => parseId(key)));
  return new Set(
    ids.flatMap((id) => (id.kind === "schema" ? [id.name] : "schema" in id && id.schema !== null ? [id.schema] : [])),
  );
}

interface ForeignPart {
  name: string;
  /** Whose object it is on; undefined in a schema that no layer declares. */
  layer: string | undefined;
}

/**
 * What the database has on the layers' objects or in their schemas, and no layer says. What hangs on such a
 * part is not listed.
 */
function foreignParts(
  live: FactBase,
  records: ReadonlyMap<string, ContributionRecord>,
  guests: ReadonlySet<string>,
): ForeignPart[] {
  const owners = new Map(
    [...records].flatMap(([layer, { added }]) => Object.keys(added).map((key) => [key, layer] as const)),
  );
  const said = new Set([...records.values()].flatMap(ownedIds));
  const revoked = new Set([...records.values()].flatMap(({ removed }) => removed.map(({ id }) => id)));
  const schemas = schemasOf(records);
  if (!schemasOf(new Map([...records].filter(([layer]) => !guests.has(layer)))).has("public")) schemas.delete("public");
  const members = new Set(
    live.edges.filter(({ kind }) => kind === "memberOfExtension").map(({ from }) => encodeId(from)),
  );
  const found: ForeignPart[] = [...records].flatMap(([layer, record]) =>
    strangeOwners(live, record).map(([key, owner]) => ({ name: `owner ${owner} of ${describe(parseId(key))}`, layer })),
  );
  for (const fact of live.facts()) {
    const key = encodeId(fact.id);
    if (owners.has(key)) {
      for (const { attribute } of saidAttributes(fact))
        if (!said.has(`${key} ${attribute}`))
          found.push({ name: `${attribute} of ${describe(fact.id)}`, layer: owners.get(key) });
      continue;
    }
    if (members.has(key) || revoked.has(key)) continue;
    const place = placeOf(fact, live, owners, members);
    if (place === "elsewhere") continue;
    if (place.layer !== undefined || isIn(fact.id, schemas))
      found.push({ name: describe(fact.id), layer: place.layer });
  }
  return found;
}

/**
 * Where a fact of others is: on something of a layer, in a schema that no layer declares, or on something
 * that is itself of others.
 */
function placeOf(
  { id, parent = schemaOf(id) }: Fact,
  live: FactBase,
  owners: ReadonlyMap<string, string>,
  members: ReadonlySet<string>,
): { layer: string | undefined } | "elsewhere" {
  if (parent === undefined) return { layer: undefined };
  const key = encodeId(parent);
  if (members.has(key)) return "elsewhere";
  const layer = owners.get(key);
  if (layer !== undefined) return { layer };
  return parent.kind === "schema" && live.has(parent) ? { layer: undefined } : "elsewhere";
}

/** Default privileges stand in a schema without being its part. */
function schemaOf(id: StableId): StableId | undefined {
  return id.kind === "defaultPrivilege" && id.schema !== null ? { kind: "schema", name: id.schema } : undefined;
}

/** A schema's own privileges and comment belong to the layer that declares it. */
function isIn(id: StableId, schemas: ReadonlySet<string>): boolean {
  return "schema" in id && id.schema !== null && schemas.has(id.schema);
}
