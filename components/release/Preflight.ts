/**
 * The go / no-go of a stack: a gate that all resources of the database wait for, and what it reads of the
 * stack before this one. What is measured is up to `resources/Gate.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import { Gate, type GateArgs } from "../resources/Gate.ts";

/** The packages whose resources change the target. */
const CHANGING = /^(?:pgstrata:index|postgresql:)/;

export type PreflightArgs = Omit<GateArgs, "release">;

/**
 * Go or no-go before anything changes.
 *
 * ```ts
 * new Preflight("preflight", { schemas: ["app"], window: "02:00-04:00" }, { providers: [target] });
 * ```
 *
 * To be declared first: each resource of the packages `pgstrata` and `postgresql` that the program declares
 * afterwards depends on the gate, wherever it is. Checks that fail in any case stop a preview and an update;
 * those of the moment stop the first change of an update. A destroy is not held.
 */
export class Preflight extends pulumi.ComponentResource {
  readonly gate: Gate;
  /** Digest of the desired state. */
  readonly desired: pulumi.Output<string>;

  constructor(name: string, args: PreflightArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:Preflight", name, {}, opts);
    this.gate = new Gate(name, { ...args, release: releaseOf(args.promoteFrom, this) }, { parent: this });
    this.desired = this.gate.desired;
    holdAll(this.gate);
    this.registerOutputs({ desired: this.desired });
  }
}

/** What the stack before this one exports of its last verified update. */
function releaseOf(stack: string | undefined, parent: pulumi.Resource): pulumi.Output<unknown> | undefined {
  if (stack === undefined) return undefined;
  const name = stack.includes("/") ? stack : `${pulumi.getOrganization()}/${pulumi.getProject()}/${stack}`;
  return new pulumi.StackReference(name, {}, { parent }).getOutput("release");
}

/** A transformation of the SDK itself: one of the engine would cost each resource a call. */
function holdAll(gate: Gate): void {
  pulumi.runtime.registerStackTransformation(({ type, props, opts }) => {
    if (!CHANGING.test(type)) return undefined;
    return { props, opts: pulumi.mergeOptions(opts, { dependsOn: gate }) };
  });
}
