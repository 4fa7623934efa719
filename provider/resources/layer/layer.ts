import { refuseTooManyLocks } from "../../apply/lockTableRoom.ts";
import { refuseMissingRights } from "../../apply/privileges.ts";
import { lint } from "../../contribution/lint.ts";
import { type ContributionRecord, differences, joined } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import {
  type CallContext,
  type CheckFailure,
  type DiffResult,
  type Properties,
  type ResourceState,
  type ResourceType,
  UNKNOWN,
} from "../../core/resourceType.ts";
import { containsUnknown, equalValues } from "../../core/values.ts";
import { ConnectionError } from "../../database/connectionError.ts";
import { nameBefore, planLayer, refuseHazards } from "../../plan/plan.ts";
import { statementsFor } from "../../plan/planStatements.ts";
import { renameStatements } from "../../plan/renames/renames.ts";
import { SqlFileError } from "../../shadow/loadSql.ts";
import type { Session } from "../session.ts";
import { removeLayer } from "./delete.ts";
import { asDetail, asPlan, named, present } from "./desiredState.ts";
import { importLayer } from "./import.ts";
import { acceptedInputs, checkInputs, type LayerInputs } from "./inputs.ts";
import { LayerLedger } from "./ledger.ts";
import { layerOutputs, unpackRecord } from "./outputs.ts";
import { LayerWorld } from "./runtime.ts";
import { SourceError } from "./sqlSources.ts";
import { aimOf, type LayerMeaning, locatedRenames } from "./transition.ts";
import { applyGoal, type Note } from "./update.ts";

/** Held by the program as it likes; none of them changes what the SQL means. */
const SETTINGS = ["files", "base", "assumes", "roles", "allow", "renames", "forceDestroy", "digest"] as const;

/**
 * `pgstrata:index:Layer`: a set of SQL files held as desired state. See the package schema for its properties.
 *
 * @param projectDirectory where relative paths start and where the project-local home lies.
 */
export function createLayer(session: Session, projectDirectory = process.cwd()): ResourceType {
  const world = new LayerWorld(session, projectDirectory);
  session.onClose(() => world.close());
  const explained = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw world.explainFailure(error);
    });
  return {
    token: "pgstrata:index:Layer",
    check: (context, olds, news) => explained(check(world, context, olds, news)),
    diff: (context, state, news) => explained(diff(world, context, state, news)),
    create: async (context, news) => ({
      id: typeof news.name === "string" ? news.name : "",
      outputs: await explained(put(world, context, news)),
    }),
    read: (context, state) => explained(read(world, context, state)),
    update: (context, state, news) => explained(put(world, context, news, state)),
    delete: (context, state) => explained(removeLayer(world, context, state)),
  };
}

/** Reads the files and, unless they are those of the last update, executes them in the shadow: what is wrong in them shows here. */
async function check(
  world: LayerWorld,
  { report }: CallContext,
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  if (containsUnknown(news)) return { inputs: news, failures: [] };
  const checked = checkInputs(news);
  if ("failures" in checked) return { inputs: news, failures: checked.failures };
  try {
    const sources = await world.sources(checked.inputs);
    const isSame = (["digest", "baseDigest"] as const).every((key) => olds[key] === sources[key]);
    if (!isSame || !equalValues(olds.renames ?? null, news.renames ?? null)) {
      const contribution = await world.contribution(checked.inputs, sources);
      locatedRenames(sources, contribution);
      for (const { code, message } of lint(contribution)) report.warn(`${code}: ${message}`);
    }
    return { inputs: { ...news, digest: sources.digest, baseDigest: sources.baseDigest }, failures: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { inputs: news, failures: failuresOf(world, error, checked.inputs) };
  }
}

function failuresOf(world: LayerWorld, error: UserError, inputs: LayerInputs): CheckFailure[] {
  if (error instanceof SourceError) return error.faults;
  if (error instanceof ConnectionError) return [{ property: "", reason: error.message }];
  const reason = error instanceof SqlFileError ? world.explain(error, inputs) : error.message;
  return [{ property: "files", reason }];
}

async function diff(
  world: LayerWorld,
  { urn }: CallContext,
  state: ResourceState,
  news: Properties,
): Promise<DiffResult> {
  const changedSettings = SETTINGS.filter((key) => !equalValues(state.inputs[key] ?? null, news[key] ?? null));
  const detailed: DiffResult["detailed"] = Object.fromEntries(
    changedSettings.map((key) => [key, { kind: "update", inputDiff: true }]),
  );
  if (!equalValues(state.inputs.name ?? null, news.name ?? null))
    detailed.name = { kind: "update-replace", inputDiff: true };
  if (containsUnknown(news) || world.target === undefined)
    return { changed: Object.keys(detailed).length > 0, detailed };

  const inputs = acceptedInputs(news);
  const recorded = unpackRecord(state.outputs.contribution);
  const ledger = new LayerLedger(urn, inputs.name);
  const noted = await ledger.readBeyond(await world.target.pool(), state.outputs.contribution);
  const earlier = joined(recorded, noted?.record) ?? recorded;
  if ("name" in detailed) world.claims.handOver(inputs.name, earlier);
  const { facts } = await world.session.inTurn(() => world.live.get());
  // A change below is none of this layer, unless what it contributes turns out to be another.
  const sameMeaning = (["digest", "baseDigest", "roles", "renames"] as const).every((key) =>
    equalValues(state.inputs[key] ?? null, news[key] ?? null),
  );
  if (sameMeaning && noted === undefined && differences(facts, earlier).length === 0)
    world.claims.claim(inputs.name, earlier);
  else {
    const meaning = await meaningOf(world, inputs, earlier);
    await world.session.inTurn(async () => {
      const { live, wanted, renames, record } = await aimOf(world, meaning, facts, () => {});
      Object.assign(detailed, asDetail([...renameStatements(renames), ...statementsFor(live, wanted).statements]));
      // Renamed below or by hand, or made by an update that was killed: the state must learn what is the layer's.
      const isNew = (key: string): boolean => !(key in recorded.added);
      if (Object.keys(record.added).some(isNew)) detailed.objects = { kind: "update", inputDiff: false };
    });
  }
  return { changed: Object.keys(detailed).length > 0, detailed };
}

/** Create and Update alike: whatever is there, it becomes what the files say. */
async function put(
  world: LayerWorld,
  context: CallContext,
  news: Properties,
  state?: ResourceState,
): Promise<Properties> {
  if (containsUnknown(news) || world.target === undefined) return planWithoutDatabase(context, news);
  const inputs = acceptedInputs(news);
  const meaning = await meaningOf(world, inputs, earlierRecord(world, inputs, state));
  const put = context.preview ? planOnly : applyNow;
  return world.session.inTurn(() => put(world, context, news, meaning, state));
}

async function meaningOf(
  world: LayerWorld,
  inputs: LayerInputs,
  earlier: ContributionRecord | undefined,
): Promise<LayerMeaning> {
  const sources = await world.sources(inputs);
  return { inputs, sources, contribution: await world.contribution(inputs, sources), earlier };
}

function planWithoutDatabase({ preview, report }: CallContext, news: Properties): Properties {
  if (!preview)
    throw new UserError(
      "The provider's `url` is not known although this is no preview. Expected the connection URL of the target database.",
    );
  report.info("the database is not known yet: its statements are planned when it is");
  return { ...news, objects: UNKNOWN, contribution: UNKNOWN, adopted: UNKNOWN, drift: [], lastRun: UNKNOWN };
}

async function planOnly(
  world: LayerWorld,
  { urn, report }: CallContext,
  news: Properties,
  meaning: LayerMeaning,
  state: ResourceState | undefined,
): Promise<Properties> {
  const catalog = await world.live.get();
  const target = world.knownTarget();
  const pool = await target.pool();
  const noted = await new LayerLedger(urn, meaning.inputs.name).readBeyond(pool, state?.outputs.contribution);
  const aim = await aimOf(
    world,
    { ...meaning, earlier: joined(meaning.earlier, noted?.record) },
    catalog.facts,
    report.warn,
  );
  const plan = await planLayer(pool, catalog, aim);
  await report.plan(asPlan(plan));
  for (const { code, message } of plan.judged.flatMap(({ hazards }) => hazards)) report.warn(`${code}: ${message}`);
  const { allow, allowedBefore } = approvals(meaning.inputs, state);
  refuseHazards(plan, allow, [...allowedBefore, ...(noted?.allow ?? [])]);
  const { role, major } = await target.facts();
  await refuseMissingRights(pool, role, aim.live, aim.wanted, plan.list.statements);
  await refuseTooManyLocks(pool, aim.live, aim.wanted, major);
  const { serverVersion } = catalog;
  world.live.project(aim.wanted, serverVersion, nameBefore(catalog, aim.renames));
  return {
    ...layerOutputs(news, meaning.contribution, aim.record, { statements: 0, elapsedMs: 0, serverVersion }),
    lastRun: UNKNOWN,
  };
}

async function applyNow(
  world: LayerWorld,
  context: CallContext,
  news: Properties,
  meaning: LayerMeaning,
  state: ResourceState | undefined,
): Promise<Properties> {
  const rows = {
    allow: meaning.inputs.allow,
    force: false,
    advice:
      'If the rows may go, name what is to be dropped in the layer\'s `allow` (such as "drop-column:platform.projects.legacy") and run `pulumi up` again.',
  };
  const hazards = approvals(meaning.inputs, state);
  const note: Note = { ledger: new LayerLedger(context.urn, meaning.inputs.name), packed: state?.outputs.contribution };
  const { record, lastRun } = await applyGoal<ContributionRecord>(
    world,
    context,
    { rows, hazards, note },
    (live, noted) =>
      aimOf(world, { ...meaning, earlier: joined(meaning.earlier, noted?.record) }, live, context.report.warn),
  );
  return layerOutputs(news, meaning.contribution, record, lastRun);
}

/** Approvals of hazards, and those that the last update had. */
function approvals(
  { allow }: LayerInputs,
  state: ResourceState | undefined,
): { allow: string[]; allowedBefore: string[] } {
  return { allow, allowedBefore: state === undefined ? [] : acceptedInputs(state.inputs).allow };
}

/** What the layer contributed until now: under its name, or under the one that it had before. */
function earlierRecord(
  world: LayerWorld,
  { name }: LayerInputs,
  state: ResourceState | undefined,
): ContributionRecord | undefined {
  return state === undefined ? world.claims.predecessorOf(name) : unpackRecord(state.outputs.contribution);
}

async function read(world: LayerWorld, context: CallContext, state: ResourceState): Promise<ResourceState | undefined> {
  if (Object.keys(state.inputs).length === 0) return importLayer(world, context, state.id);
  const record = unpackRecord(state.outputs.contribution);
  const { facts } = await world.live.get();
  const whole = Object.keys(record.added).length;
  if (whole > 0 && present(facts, record).length === 0) return undefined;
  const drift = named(differences(facts, record).map(({ id }) => id));
  return { ...state, outputs: { ...state.outputs, drift } };
}
