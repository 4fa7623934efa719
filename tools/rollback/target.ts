/**
 * What a stack's state says of the parts that can be rolled back, and of the database that they stand in.
 */
import { inputFault, UserError } from "../../provider/core/errors.ts";
import type { CallContext, Properties } from "../../provider/core/resourceType.ts";
import { isObject } from "../../provider/core/values.ts";
import { unpackRecord } from "../../provider/resources/layer/outputs.ts";
import { parseConfig } from "../../provider/resources/provider/inputs.ts";
import { createSession, type Session } from "../../provider/resources/session.ts";
import { runPulumi } from "../lib/pulumi.ts";
import { exportStack } from "../lib/stackDatabase.ts";
import { type StateResource, stateResources } from "../lib/stackState.ts";

const LAYER = "pgstrata:index:Layer";
const ROW = "pgstrata:index:Row";

/** The registry's layer is one of `components/platform/DatabasesTable.ts`. */
const REGISTRY = /pgstrata:components:DatabasesTable\$pgstrata:index:Layer::/;

/** The part that a stack is of, as `components/program/stackConfig.ts` has it. */
type Part = "platform" | "audit";

/** Where a command works, and on which stack. */
export interface Place {
  folder: string;
  env: NodeJS.ProcessEnv;
  stack: string;
  /** Where what the CLI prints goes. */
  stdout: NodeJS.WriteStream;
}

/** Runs the CLI there and shows what it prints. */
export const pulumiAt = ({ folder, env, stdout }: Place, args: readonly string[]): Promise<void> =>
  runPulumi(folder, args, {}, { env, stdout });

const DECLINED = 3;

/** Tells that the answer to a question was no; for a script that is a failure. */
export function decline(say: Say): undefined {
  say("Nothing was changed.");
  process.exitCode = DECLINED;
}

/** Prints what happens. Never passed a secret. */
export type Say = (line: string) => void;

/** A stack as its state has it. */
export class StackState {
  private readonly resources: StateResource[];

  private constructor(resources: StateResource[]) {
    this.resources = resources;
  }

  static async read(place: Place): Promise<StackState> {
    return new StackState(stateResources(await exportStack(place)));
  }

  /** The layer of this name, if the state has it. */
  layer(name: string): StateResource | undefined {
    return this.resources.find((resource) => resource.type === LAYER && resource.name === name);
  }

  /**
   * @param action of the command, which is for one part only.
   * @throws {UserError} for a stack of another part.
   */
  requirePart(expected: Part, action: string, stack: string): void {
    const settings = this.resources.find(({ type }) => type === "pgstrata:index:Gate")?.inputs.settings;
    const found = isObject(settings) && settings.part === "audit" ? "audit" : "platform";
    if (found === expected) return;
    const actions = { platform: "rls, databases, both or undo", audit: "audit" };
    throw new UserError(
      "PS706",
      `Found \`rollback -- ${action}\`, which is for the part ${expected}; stack ${stack} is of the part ${found}. ` +
        `Expected ${actions[found]}, or last. Nothing was changed.`,
    );
  }

  /** The layer of the registry, with what its archive needs. */
  registry(): Registry | undefined {
    const layer = this.resources.find(({ type, urn }) => type === LAYER && REGISTRY.test(urn));
    if (layer === undefined) return undefined;
    const salt = this.resources.find(
      ({ urn }) => urn.includes("DatabasesTable$pgstrata:index:Row::") && urn.endsWith(`::${layer.name}-salt`),
    );
    return {
      layer,
      isAdopted: adoptedIn(layer).has("table:platform.databases"),
      isSaltLeft: salt === undefined || salt.outputs.adopted === true,
      key: this.saltKey(layer.name),
      adopted: adoptedRegistrations(this.resources),
    };
  }

  /** The random password that the registry's salt is made of; it outlives the layer. */
  private saltKey(layer: string): string | undefined {
    const password = this.resources.find(
      ({ urn }) => urn.includes("DatabasesTable$random:") && urn.endsWith(`::${layer}-salt`),
    );
    const result = password?.outputs.result;
    return typeof result === "string" ? result : undefined;
  }

  /** What the program says of the rotation of a registration; undefined where it says nothing. */
  credentialOf(registrationId: string): Properties | undefined {
    return this.resources.find(
      ({ type, inputs }) => type === "pgstrata:index:Credential" && inputs.registration === registrationId,
    )?.inputs;
  }

  /** Of any resource of the stack. */
  urn(): string {
    return this.resources[0]?.urn ?? "";
  }

  /** A session on the database that a layer stands in; without one, on the only database of the stack. */
  session(folder: string, layer: StateResource | undefined, isGuarded: boolean): Session {
    const provider = this.resources.find(
      ({ type, provider }) =>
        type === "pulumi:providers:pgstrata" && (layer === undefined || provider === layer.provider),
    );
    if (provider === undefined)
      throw new UserError("PS701", "The state of the stack has no database yet. Run `pulumi up` first.");
    return openSession(provider.inputs, folder, isGuarded);
  }
}

/** The registry of database services as the state has it. */
export interface Registry {
  layer: StateResource;
  /** The table was there before the stack: a destroy leaves it, with its rows. */
  isAdopted: boolean;
  /**
   * A destroy leaves the salt: it was there before the stack, or is in its place again after a rollback that
   * was interrupted.
   */
  isSaltLeft: boolean;
  /** Secret. Undefined in a state that keeps none. */
  key: string | undefined;
  /** IDs of registrations that were there before the stack. */
  adopted: string[];
}

/** IDs of registrations that were there before the program declared them. */
export const adoptedRegistrations = (resources: readonly StateResource[]): string[] =>
  resources
    .filter(
      ({ type, inputs, outputs }) => type === ROW && inputs.table === "platform.databases" && outputs.adopted === true,
    )
    .flatMap(({ outputs: { columns } }) => (isObject(columns) && typeof columns.id === "string" ? [columns.id] : []));

function adoptedIn({ outputs }: StateResource): Set<string> {
  return new Set(unpackRecord(outputs.contribution).adopted);
}

/** @param isGuarded whether this process has to pass the steps before a change itself. */
function openSession(inputs: Properties, folder: string, isGuarded: boolean): Session {
  const { config, failures } = parseConfig(inputs);
  if (failures.length > 0) {
    throw new UserError(
      "PS602",
      `The provider's settings in the state cannot be used: ${failures.map(inputFault).join("; ")}.`,
    );
  }
  return createSession(config, { projectDirectory: folder, ...(isGuarded ? {} : { steps: [] }) });
}

/** A change that this process makes itself, as the guard sees it. */
export function contextOf(urn: string, say: Say, signal: AbortSignal = new AbortController().signal): CallContext {
  return {
    urn,
    preview: false,
    signal,
    report: { info: say, warn: (message) => say(`warning: ${message}`), status: () => {}, plan: async () => {} },
  };
}
