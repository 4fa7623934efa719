/**
 * The billing plans that customers can book, with their prices and limits, one `Row` each. Their table
 * belongs to the layer of `PlatformSchema.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import { type JsonObject, Row } from "../resources/Row.ts";
import type { PlatformSchema } from "./PlatformSchema.ts";

/** A plan of the catalogue. -1 stands for unlimited. */
export interface BillingPlan {
  id: string;
  name: string;
  /** Price of one month in US dollars. */
  price: number;
  /** Short labels shown to customers. */
  features: string[];
  maxProjects: number;
  maxMembers: number;
  /** Disk size in gigabytes. */
  diskGb: number;
  /** Traffic a month in gigabytes. */
  bandwidthGb: number;
  /** File storage in gigabytes. */
  storageGb: number;
}

/** The catalogue in the order in which customers see it. */
export const BILLING_PLANS: readonly BillingPlan[] = [
  {
    id: "tier_free",
    name: "Free",
    price: 0,
    features: ["2 projects", "5 members", "500 MB of disk", "Community support"],
    maxProjects: 2,
    maxMembers: 5,
    diskGb: 0.5,
    bandwidthGb: 2,
    storageGb: 1,
  },
  {
    id: "tier_pro",
    name: "Pro",
    price: 25,
    features: ["10 projects", "25 members", "8 GB of disk", "Support by e-mail"],
    maxProjects: 10,
    maxMembers: 25,
    diskGb: 8,
    bandwidthGb: 250,
    storageGb: 100,
  },
  {
    id: "tier_team",
    name: "Team",
    price: 599,
    features: ["Unlimited projects", "100 members", "Unlimited disk", "Priority support"],
    maxProjects: -1,
    maxMembers: 100,
    diskGb: -1,
    bandwidthGb: -1,
    storageGb: -1,
  },
  {
    id: "tier_enterprise",
    name: "Enterprise",
    price: 0,
    features: ["Unlimited projects", "Unlimited members", "Unlimited disk", "Dedicated support", "Price on request"],
    maxProjects: -1,
    maxMembers: -1,
    diskGb: -1,
    bandwidthGb: -1,
    storageGb: -1,
  },
];

export interface BillingPlansArgs {
  /** The schema that holds the catalogue. */
  platform: PlatformSchema;
}

/**
 * The plan catalogue, one row a plan, held as desired state: a price changed by hand shows in the next
 * preview and is put right.
 *
 * ```ts
 * new BillingPlans("plans", { platform }, { providers: [target] });
 * ```
 *
 * Plans that exist already are adopted and brought to these values. A destroy deletes the plans that were
 * created here.
 */
export class BillingPlans extends pulumi.ComponentResource {
  /** The rows in the catalogue's order. */
  readonly plans: Row[];

  constructor(name: string, args: BillingPlansArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:BillingPlans", name, {}, opts);
    this.plans = BILLING_PLANS.map((plan, index) => planRow(plan, index + 1, args.platform, this));
    this.registerOutputs({});
  }
}

function planRow(plan: BillingPlan, sortOrder: number, platform: PlatformSchema, parent: pulumi.Resource): Row {
  return new Row(
    plan.id,
    {
      table: "platform.billing_plans",
      key: { id: plan.id },
      values: {
        name: plan.name,
        price: plan.price.toFixed(2),
        interval: "month",
        features: plan.features,
        limits: limitsOf(plan),
        max_projects: plan.maxProjects,
        max_members: plan.maxMembers,
        sort_order: sortOrder,
      },
    },
    { parent, dependsOn: [platform] },
  );
}

function limitsOf(plan: BillingPlan): JsonObject {
  return {
    max_projects: plan.maxProjects,
    max_members: plan.maxMembers,
    disk_gb: plan.diskGb,
    bandwidth_gb: plan.bandwidthGb,
    storage_gb: plan.storageGb,
  };
}
