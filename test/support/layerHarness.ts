import { inject } from "vitest";
import type { ProviderConfig, ShadowMode } from "../../provider/core/config.ts";
import {
  type CallContext,
  type PlannedChange,
  type Properties,
  type ResourceState,
  type ResourceType,
  UNKNOWN,
} from "../../provider/core/resourceType.ts";
import { isObject } from "../../provider/core/values.ts";
import { createLayer } from "../../provider/resources/layer/layer.ts";
import { parseConfig } from "../../provider/resources/provider/inputs.ts";
import { createRow } from "../../provider/resources/row/row.ts";
import { createRows } from "../../provider/resources/rows/rows.ts";
import { createSession } from "../../provider/resources/session.ts";
import { type SqlProject, sqlProject } from "./sqlProject.ts";

/** What a layer said while it worked. */
export interface Said {
  infos: string[];
  warnings: string[];
  statuses: string[];
  plans: PlannedChange[][];
}

/**
 * One run of the provider, without the protocol: a preview or an update, after which what it knew is
 * forgotten.
 */
export interface LayerRun {
  layer: ResourceType;
  row: ResourceType;
  rows: ResourceType;
  said: Said;
  context(preview?: boolean): CallContext;
  /** As the engine does for a cancelled command. */
  abort(reason: Error): void;
  close(): Promise<void>;
}

export interface RunOptions {
  /** Default: scratch databases on the test server. */
  shadow?: ShadowMode;
  /** Where relative paths start and caches lie. Default: the project of this process. */
  directory?: string;
  lockTimeoutMs?: number;
  lockLimitMs?: number;
  lockRetries?: number;
  /** Default `test`. */
  stack?: string;
  statementTimeoutMs?: number;
  longStatementTimeoutMs?: number;
  /** Default 2000. */
  rowQuestionTimeoutMs?: number;
  /** Default 0. */
  keepDroppedDays?: number;
}

/** Rows are met by the statements first, as rows are that come after the questions. */
export const ROWS_UNASKED: RunOptions = { rowQuestionTimeoutMs: 0 };

/** The SQL files of this test process, and the caches of its runs. */
export const project: SqlProject = sqlProject();

/** The configuration of a provider that is told only this, for a test that opens a session itself. */
export const defaults = (properties: Properties): ProviderConfig => parseConfig(properties).config;

/** @param url undefined as in a preview in which the database is not known yet. */
export function layerRun(url: string | undefined, options: RunOptions = {}): LayerRun {
  const { shadow = { url: inject("serverUrl") }, directory: _directory, stack: _stack, ...limits } = options;
  const session = createSession({ ...defaults({ url: url ?? UNKNOWN, lockRetries: 2 }), ...limits, shadow });
  const said: Said = { infos: [], warnings: [], statuses: [], plans: [] };
  const cancel = new AbortController();
  return {
    layer: createLayer(session, options.directory ?? project.directory),
    row: createRow(session),
    rows: createRows(session, options.directory ?? project.directory),
    said,
    context: (preview = false) => ({
      urn: `urn:pulumi:${options.stack ?? "test"}::test::pgstrata:index:Layer::test`,
      preview,
      signal: cancel.signal,
      report: {
        info: (message) => said.infos.push(message),
        warn: (message) => said.warnings.push(message),
        status: (message) => said.statuses.push(message),
        plan: async (statements) => {
          said.plans.push(statements);
        },
      },
    }),
    abort: (reason) => cancel.abort(reason),
    close: () => session.close(),
  };
}

/** Runs one thing in a run of its own. */
export async function inRun<T>(
  url: string | undefined,
  task: (run: LayerRun) => Promise<T>,
  options?: RunOptions,
): Promise<T> {
  const run = layerRun(url, options);
  try {
    return await task(run);
  } finally {
    await run.close();
  }
}

/** Inputs as Check gives them out. Throws with the failures, one a line. */
export async function checked(
  { layer, context }: LayerRun,
  properties: Properties,
  olds: Properties = {},
): Promise<Properties> {
  const { inputs, failures } = await layer.check(context(true), olds, properties);
  if (failures.length > 0) throw new Error(failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
  return inputs;
}

/** One resource's part of `pulumi up`: check, then create, or diff and update what a state knows. */
export async function put(run: LayerRun, properties: Properties, state?: ResourceState): Promise<ResourceState> {
  const { layer, context } = run;
  const inputs = await checked(run, properties, state?.inputs);
  if (state === undefined) {
    const { id, outputs } = await layer.create(context(), inputs);
    return { id, inputs, outputs };
  }
  await layer.diff(context(), state, inputs);
  return { id: state.id, inputs, outputs: await layer.update(context(), state, inputs) };
}

/** As `pulumi up` does with one layer. */
export async function up(
  url: string,
  properties: Properties,
  state?: ResourceState,
  options?: RunOptions,
): Promise<ResourceState> {
  return inRun(url, (run) => put(run, properties, state), options);
}

/** As `pulumi up` does with layers that depend on one another, in this order, in one run. */
export async function upAll(
  url: string,
  layers: readonly Properties[],
  states: readonly ResourceState[] = [],
  options?: RunOptions,
): Promise<ResourceState[]> {
  return inRun(
    url,
    async (run) => {
      const done: ResourceState[] = [];
      for (const [n, properties] of layers.entries()) done.push(await put(run, properties, states[n]));
      return done;
    },
    options,
  );
}

/** As `pulumi preview` does: the statements that each layer would run. */
export async function preview(
  url: string,
  layers: readonly Properties[],
  states: readonly ResourceState[] = [],
  options?: RunOptions,
): Promise<PlannedChange[][]> {
  return inRun(
    url,
    async (run) => {
      const { layer, context, said } = run;
      for (const [n, properties] of layers.entries()) {
        const state = states[n];
        const inputs = await checked(run, properties, state?.inputs);
        if (state === undefined) await layer.create(context(true), inputs);
        else if ((await layer.diff(context(true), state, inputs)).changed)
          await layer.update(context(true), state, inputs);
        else said.plans.push([]);
      }
      return said.plans;
    },
    options,
  );
}

/** The SQL of a preview in the order of its execution, each statement as one text. */
export function sqlOf(plan: readonly PlannedChange[] = []): string[] {
  return plan
    .flatMap(({ details }) => (isObject(details.sql) ? Object.entries(details.sql) : []))
    .sort(([one], [other]) => Number(one) - Number(other))
    .map(([, lines]) => (Array.isArray(lines) ? lines.join("\n") : String(lines)));
}

/** The objects that a preview right now would change. */
export async function pending(url: string, state: ResourceState): Promise<string[]> {
  return inRun(url, async ({ layer, context }) =>
    Object.keys((await layer.diff(context(true), state, state.inputs)).detailed),
  );
}

/** As `pulumi refresh` does. */
export async function refresh(url: string, state: ResourceState): Promise<ResourceState | undefined> {
  return inRun(url, ({ layer, context }) => layer.read(context(), state));
}

/** As `pulumi destroy` does. */
export async function destroy(url: string, state: ResourceState): Promise<Said> {
  return inRun(url, async ({ layer, context, said }) => {
    await layer.delete(context(), state);
    return said;
  });
}
