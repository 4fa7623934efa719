import { inject } from "vitest";
import { createLayer } from "../../provider/resources/Layer.ts";
import type {
  CallContext,
  PlannedStatement,
  Properties,
  ResourceState,
  ResourceType,
} from "../../provider/server/resource.ts";
import { createSession } from "../../provider/session.ts";

/** What a layer said while it worked. */
export interface Said {
  infos: string[];
  warnings: string[];
  statuses: string[];
  plans: PlannedStatement[][];
}

/** One run of the provider, without the protocol: a preview or an update, after which what it knew is forgotten. */
export interface LayerRun {
  layer: ResourceType;
  said: Said;
  context(preview?: boolean): CallContext;
  close(): Promise<void>;
}

/** @param shadow default: scratch databases on the test server. */
export function layerRun(
  url: string,
  options: { shadow?: "embedded" | "colocated"; lockTimeoutMs?: number; lockRetries?: number } = {},
): LayerRun {
  const session = createSession({
    url,
    lockTimeoutMs: options.lockTimeoutMs ?? 3000,
    lockRetries: options.lockRetries ?? 2,
    statementTimeoutMs: 0,
    shadow: options.shadow ?? { url: inject("serverUrl") },
  });
  const said: Said = { infos: [], warnings: [], statuses: [], plans: [] };
  return {
    layer: createLayer(session),
    said,
    context: (preview = false) => ({
      urn: "urn:pulumi:test::test::pgstrata:index:Layer::test",
      preview,
      signal: new AbortController().signal,
      report: {
        info: (message) => said.infos.push(message),
        warn: (message) => said.warnings.push(message),
        status: (message) => said.statuses.push(message),
        plan: async (statements) => {
          said.plans.push(statements);
        },
      },
    }),
    close: () => session.close(),
  };
}

/** Runs one thing in a run of its own. */
export async function inRun<T>(url: string, task: (run: LayerRun) => Promise<T>): Promise<T> {
  const run = layerRun(url);
  try {
    return await task(run);
  } finally {
    await run.close();
  }
}

/** As `pulumi up` does: check, then create, or update what a state knows. Throws with the failures of the check. */
export async function up(url: string, properties: Properties, state?: ResourceState): Promise<ResourceState> {
  return inRun(url, async ({ layer, context }) => {
    const { inputs, failures } = await layer.check(context(true), state?.inputs ?? {}, properties);
    if (failures.length > 0)
      throw new Error(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
    if (state === undefined) {
      const { id, outputs } = await layer.create(context(), inputs);
      return { id, inputs, outputs };
    }
    return { id: state.id, inputs, outputs: await layer.update(context(), state, inputs) };
  });
}

/** The objects that a preview right now would change. */
export async function pending(url: string, state: ResourceState): Promise<string[]> {
  return inRun(url, async ({ layer, context }) =>
    Object.keys((await layer.diff(context(true), state, state.inputs)).detailed),
  );
}

/** As `pulumi destroy` does. */
export async function destroy(url: string, state: ResourceState): Promise<LayerRun["said"]> {
  return inRun(url, async ({ layer, context, said }) => {
    await layer.delete(context(), state);
    return said;
  });
}
