/**
 * What becomes of a plan that is broken on purpose: either it does the same all the same, or the preview and
 * the update both refuse it, and the database is as it was.
 */
import { UserError } from "../../../provider/core/errors.ts";
import type { Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { type Breakage, breakages, changes, planner } from "../../support/brokenPlanner.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { checked, inRun, pending } from "../../support/layerHarness.ts";
import type { ModelPair } from "./minimise.ts";
import type { Model } from "./model.ts";
import { printModel } from "./print.ts";
import {
  approvalsNamedIn,
  expectSame,
  factsOf,
  fingerprint,
  type Ground,
  kindOf,
  messageOf,
  PropertyError,
} from "./roundTrip.ts";

/** How the plan of a pair is broken: one of the ways that change it, by number. */
export interface BreakageChoice {
  way: number;
  statement: number;
}

/** What became of a pair. */
export interface BrokenPlan {
  breakage: Breakage | undefined;
  /** `unplanned`: the change is refused or empty also as the planner plans it. */
  outcome: "refused" | "harmless" | "not rehearsed" | "unplanned";
  /** Of the preview's refusal. */
  code: string;
}

const MOST_ATTEMPTS = 12;

/** @throws {PropertyError} for a broken plan that a preview shows as good, or of which something stays. */
export async function brokenPlan(
  pair: ModelPair,
  { way, statement }: BreakageChoice,
  { project, role }: Ground,
): Promise<BrokenPlan> {
  const [database, direct] = [await createTestDatabase(), await createTestDatabase()];
  const layerOf = (model: Model, folder: string): Properties => {
    project.clear(folder);
    for (const { path, sql } of printModel(model, role)) project.write(`${folder}/${path}`, sql);
    return { name: "fuzz", files: [folder], roles: [role] };
  };
  try {
    for (const { sql } of printModel(pair.next, role)) await direct.query(sql);
    Object.assign(planner, { breakage: undefined, choice: statement, lists: [] });
    const first = await moved(database, layerOf(pair.old, "old"), undefined, false);
    if (first.state === undefined) throw failure("the old layer is applied", first.error);
    const next = layerOf(pair.next, "next");
    planner.lists = [];
    const sound = await moved(database, next, first.state, true);
    const ways = breakages.filter((name) => planner.lists.some((list) => changes(name, list, statement)));
    const breakage = ways[way % ways.length];
    if (sound.error !== undefined || breakage === undefined)
      return { breakage: undefined, outcome: "unplanned", code: codeOf(sound.error) };

    planner.breakage = breakage;
    const before = await printOf(database);
    const shown = await moved(database, next, first.state, true, sound.allow);
    if ((await printOf(database)) !== before) throw failure(`${breakage}: a preview changes nothing`, shown.error);
    const done = await moved(database, next, first.state, false, shown.allow);
    const after = await printOf(database);
    planner.breakage = undefined;
    const result = { breakage, code: codeOf(shown.error) };
    if (shown.notRehearsed && (done.state !== undefined || after === before))
      return { ...result, outcome: "not rehearsed" };
    if (shown.error === undefined && done.error !== undefined)
      throw failure(`${breakage}: what a preview shows as good is carried out`, done.error);
    if (done.state === undefined) {
      if (after !== before) throw failure(`${breakage}: what is refused changes nothing`, done.error);
      return { ...result, outcome: "refused" };
    }
    if (shown.error !== undefined) throw failure(`${breakage}: what is carried out was shown as good`, shown.error);
    expectSame(`${breakage}: what is carried out`, await factsOf(database), await factsOf(direct));
    const left = await pending(database.url, done.state);
    if (left.length > 0)
      throw new PropertyError(`${breakage}: what is carried out leaves nothing to do`, "not empty", left.join("\n"));
    return { ...result, outcome: "harmless" };
  } finally {
    planner.breakage = undefined;
    for (const one of [database, direct]) await one.drop();
  }
}

/** How a move ended; with a state, or with an error. */
interface Move {
  state?: ResourceState;
  error?: unknown;
  /** Approvals that it needed. */
  allow: string[];
  notRehearsed: boolean;
}

/** As a person would do: what a refusal asks for is approved. */
function moved(
  { url }: TestDatabase,
  layer: Properties,
  state: ResourceState | undefined,
  isPreview: boolean,
  approved: readonly string[] = [],
): Promise<Move> {
  const allow = [...approved];
  return inRun(url, async (run) => {
    const notRehearsed = (): boolean => run.said.warnings.some((warning) => warning.includes("was not rehearsed"));
    for (let attempt = 0; ; attempt++) {
      try {
        const inputs = await checked(run, { ...layer, allow }, state?.inputs);
        const context = run.context(isPreview);
        const { id, outputs } =
          state === undefined
            ? await run.layer.create(context, inputs)
            : { id: state.id, outputs: await run.layer.update(context, state, inputs) };
        return { state: { id, inputs, outputs }, allow, notRehearsed: notRehearsed() };
      } catch (error) {
        const asked = error instanceof UserError ? approvalsNamedIn(error.message) : [];
        const more = asked.filter((approval) => !allow.includes(approval));
        if (more.length === 0 || attempt === MOST_ATTEMPTS) return { error, allow, notRehearsed: notRehearsed() };
        allow.push(...more);
      }
    }
  });
}

async function printOf(database: TestDatabase): Promise<string> {
  return `${await fingerprint(database)} ${(await factsOf(database)).rootHash}`;
}

const failure = (property: string, error: unknown): PropertyError =>
  new PropertyError(property, error === undefined ? "no error" : kindOf(error), messageOf(error));

/** What was found wrong: a code, or that it was no error of ours. */
function codeOf(error: unknown): string {
  if (error === undefined) return "";
  return error instanceof UserError ? error.code : "PS900";
}
