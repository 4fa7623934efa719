/**
 * The only door to `@supabase/pg-delta`, the library that reads catalogs as facts, compares them and orders
 * DDL. It is an alpha and pinned: whatever is used of it comes through here, and
 * `test/provider/catalog/` holds the behaviours relied on.
 */
import { encodeId as encode, type Payload, type StableId } from "@supabase/pg-delta/core";

export {
  contentHash,
  type Delta,
  type DependencyEdge,
  diff,
  type Fact,
  FactBase,
  type Payload,
  parseId,
  type StableId,
} from "@supabase/pg-delta/core";
export type PayloadValue = Payload[string];

export { extract } from "@supabase/pg-delta/extract";
export { type Action, type Plan, type PlanOptions, plan } from "@supabase/pg-delta/plan";

const encoded = new WeakMap<StableId, string>();

/** An id as a key, such as `column:app.items.name`. */
export const encodeId = (id: StableId): string => encoded.get(id) ?? encode(id);

/** Of an id that stays, and will be asked for again and again. */
export const rememberEncoded = (id: StableId, key: string): void => void encoded.set(id, key);
