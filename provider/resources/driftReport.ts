/**
 * How far a database is from what a stack's state says, layers and rows together, for `npm run drift`.
 * Changes nothing; printing is left to `tools/lib/driftText.ts`.
 */
import { describeOutdated, outdatedCollations } from "../catalog/collationVersions.ts";
import { readCatalog } from "../catalog/readCatalog.ts";
import { type Drift, driftOf } from "../contribution/drift.ts";
import type { ContributionRecord } from "../contribution/record.ts";
import { inputFault, UserError } from "../core/errors.ts";
import type { CallContext, Properties, ResourceState } from "../core/resourceType.ts";
import { acceptedInputs } from "./layer/inputs.ts";
import { unpackRecord } from "./layer/outputs.ts";
import { parseConfig } from "./provider/inputs.ts";
import { createRow } from "./row/row.ts";
import { createRows } from "./rows/rows.ts";
import { createSession } from "./session.ts";

/** What a stack's state holds of one database. */
export interface KnownState {
  /** Inputs of the provider, the URL among them, in plain text. */
  provider: Properties;
  layers: ResourceState[];
  rows: ResourceState[];
  sets: ResourceState[];
}

/** A row, or a set of them, that is not as the last update left it. */
export interface RowDrift {
  /** Table and key, such as `platform.organizations/slug=lancio`; of a set `app.countries/code`. */
  row: string;
  missing: boolean;
  /** Paths of the inputs that the database holds otherwise, or rows of a set by their keys; no values. */
  differs: string[];
}

/** How far one database is from what the last update left there. */
export interface DriftReport extends Drift {
  /** `user@host:port/database`. */
  database: string;
  /** Rows and sets that drifted; all others are as they were left. */
  rows: RowDrift[];
  /** Collations of another version than the indexes were built with, and what to do. */
  outdated: string[];
}

/**
 * Compares a database with what a stack's state knows of it. Nothing is changed, neither there nor in the
 * state, and no shadow is needed.
 *
 * @param projectDirectory where the paths of files of rows start. Default: that of this process.
 * @throws {UserError} when the database cannot be reached, or the state cannot be read.
 */
export async function reportDrift(
  { provider, layers, rows, sets }: KnownState,
  projectDirectory?: string,
): Promise<DriftReport> {
  const { config, failures } = parseConfig(provider);
  const session = createSession(config);
  try {
    const { database } = session;
    if (failures.length > 0 || database === undefined) {
      const reasons = failures.map(inputFault).join("; ");
      throw new UserError(
        "PS602",
        `The provider's settings in the state cannot be used: ${reasons || "the URL is not known"}.`,
      );
    }
    const records = new Map(layers.map(recordOf));
    const { role } = await database.facts();
    const pool = await database.pool();
    const guests = layers.map(({ inputs }) => acceptedInputs(inputs)).filter(({ assumes }) => assumes.length > 0);
    const drift = driftOf(await readCatalog(pool, role), records, new Set(guests.map(({ name }) => name)));
    const outdated = (await outdatedCollations(pool)).map(describeOutdated);
    const drifted: RowDrift[] = [];
    const [row, set] = [createRow(session), createRows(session, projectDirectory)];
    for (const [type, state] of [
      ...rows.map((one) => [row, one] as const),
      ...sets.map((one) => [set, one] as const),
    ]) {
      const found = await type.read(quietContext(), state);
      const differs = pathsIn(found);
      if (found === undefined || differs.length > 0)
        drifted.push({ row: state.id, missing: found === undefined, differs });
    }
    return { database: database.label, ...drift, rows: drifted, outdated };
  } finally {
    await session.close();
  }
}

/** Whether anything is to be told. */
export function isDrifted({ layers, notOurs, rows, outdated }: DriftReport): boolean {
  const ofLayers = layers.some((layer) => layer.differs.length + layer.missing.length + layer.notOurs.length > 0);
  return ofLayers || notOurs.length > 0 || rows.length > 0 || outdated.length > 0;
}

function recordOf({ inputs, outputs }: ResourceState): [string, ContributionRecord] {
  return [acceptedInputs(inputs).name, unpackRecord(outputs.contribution)];
}

function pathsIn(state: ResourceState | undefined): string[] {
  const drift = state?.outputs.drift;
  return Array.isArray(drift) ? drift.map(String).sort() : [];
}

/** What a row would say of its server's log concerns updates. */
function quietContext(): CallContext {
  const silence = (): void => {};
  return {
    urn: "",
    preview: true,
    signal: new AbortController().signal,
    report: { info: silence, warn: silence, status: silence, plan: async () => {} },
  };
}
