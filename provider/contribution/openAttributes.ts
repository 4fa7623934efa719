/**
 * Which attributes of an object another layer may set, because its own layer does not. What a layer says of
 * them is kept by `record.ts`.
 */
import { encodeId, type Fact, type Payload, type StableId } from "../catalog/pgDelta.ts";

/**
 * Attributes that a layer which makes an object leaves open for a layer above it, as long as they have the
 * server's default: `create table` says nothing of row security, so another layer may switch it on, and
 * neither sees the other's work as drift. Everything else that a definition holds is said by it, and another
 * layer that changes it is refused.
 */
const OPEN_ATTRIBUTES: Partial<Record<StableId["kind"], Payload>> = {
  table: {
    rowSecurity: false,
    forceRowSecurity: false,
    replicaIdentity: "d",
    replicaIdentityIndex: null,
    reloptions: null,
  },
  view: { reloptions: null },
  materializedView: { reloptions: null },
};

/** True when the fact has an attribute that another layer may set. */
export function isLeftOpen({ id, payload }: Fact, attribute: string): boolean {
  const open = OPEN_ATTRIBUTES[id.kind];
  return open !== undefined && attribute in open && payload[attribute] === open[attribute];
}

/** The payload without the attributes that may be open: what a recorded hash is taken of. */
export function closedPayload({ id, payload }: Fact): Payload {
  const open = OPEN_ATTRIBUTES[id.kind];
  if (open === undefined) return payload;
  return Object.fromEntries(Object.entries(payload).filter(([attribute]) => !(attribute in open)));
}

/** The attributes of that kind that the fact does say. */
export function saidAttributes(fact: Fact): { id: string; attribute: string; value: Payload[string] }[] {
  return Object.keys(OPEN_ATTRIBUTES[fact.id.kind] ?? {})
    .filter((attribute) => !isLeftOpen(fact, attribute))
    .map((attribute) => ({ id: encodeId(fact.id), attribute, value: fact.payload[attribute] }));
}

/** What such an attribute is when it is not said. */
export function openValue({ kind }: StableId, attribute: string): Payload[string] {
  return OPEN_ATTRIBUTES[kind]?.[attribute];
}

/** The declared fact with what it leaves open as it is in the database. */
export function withOpenFrom(declared: Fact, live: Fact | undefined): Fact {
  if (live === undefined) return declared;
  const open = Object.keys(OPEN_ATTRIBUTES[declared.id.kind] ?? {}).filter((attribute) =>
    isLeftOpen(declared, attribute),
  );
  if (open.length === 0) return declared;
  const kept = Object.fromEntries(open.map((attribute) => [attribute, live.payload[attribute]]));
  return { ...declared, payload: { ...declared.payload, ...kept } };
}
