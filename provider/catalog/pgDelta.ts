/**
 * The only door to `@supabase/pg-delta`, which reads catalogs as facts, compares them and orders DDL. It is
 * an alpha and pinned; `test/provider/catalog/` holds the behaviour that is relied on.
 */
import type { Payload } from "@supabase/pg-delta/core";

/**
 * The only door to `@supabase/pg-delta`, the library that reads catalogs as facts, compares them and orders
 * DDL. It is an alpha and pinned: whatever is used of it comes through here, and
 * `test/provider/catalog/` holds the behaviours relied on.
 */
export {
  buildFactBase,
  contentHash,
  type Delta,
  type DependencyEdge,
  diff,
  encodeId,
  type Fact,
  type FactBase,
  type Payload,
  parseId,
  type StableId,
} from "@supabase/pg-delta/core";
export type PayloadValue = Payload[string];

export { extract } from "@supabase/pg-delta/extract";
export { type Action, type Plan, type PlanOptions, plan } from "@supabase/pg-delta/plan";
