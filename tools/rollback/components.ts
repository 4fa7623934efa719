/**
 * `rollback rls | databases | both`: takes components back by a destroy of their targets, and `undo`, which
 * makes them again. Where the registrations are meanwhile is left to `archive.ts`.
 */
import { UserError } from "../../provider/core/errors.ts";
import { visible } from "../../provider/core/visible.ts";
import { continuing } from "../../provider/database/runLock.ts";
import { NOTHING_BACK, type PutBack } from "../../provider/registry/putBack.ts";
import type { Session } from "../../provider/resources/session.ts";
import { Interrupts } from "../deploy/interrupts.ts";
import { createdIn } from "../lib/previewOutput.ts";
import { previewAsJson } from "../lib/pulumi.ts";
import { confirm } from "../lib/question.ts";
import { archiveRegistrations, hasRegistry, putBackRegistrations, readArchive } from "./archive.ts";
import { type Check, checkRollback, readAuditLog } from "./checks.ts";
import { refuseReferences, tablesOf } from "./obstacles.ts";
import { contextOf, decline, type Place, pulumiAt, type Registry, type Say, StackState } from "./target.ts";

/** How a person answers. */
export interface Answers {
  /** Nothing is asked. */
  yes: boolean;
}

export type Component = "rls" | "databases" | "both";

/** A target for the CLI: the component or resource of this name, wherever it stands. */
const named = (type: string, name: string): string => [`**${type}`, name].join("::");

const RLS = named("RowLevelSecurity", "rls");
/** The layer alone: its salt's password stays in the state, and with it what opens the archive. */
const REGISTRY = named("DatabasesTable$pgstrata:index:Layer", "databases");

interface Parts {
  targets: string[];
  layers: string[];
  /** What the old procedure allows. */
  budgetMinutes: number;
}

const PARTS: Record<Component, Parts> = {
  rls: { targets: [RLS], layers: ["rls"], budgetMinutes: 2 },
  databases: { targets: [REGISTRY], layers: ["databases"], budgetMinutes: 1 },
  // One destroy takes what depends on another thing first: row-level security before the registry.
  both: { targets: [RLS, REGISTRY], layers: ["rls", "databases"], budgetMinutes: 3 },
};

export interface RollbackReport {
  rolledBack: Component | "audit";
  stack: string;
  /** Registrations that are in the archive now. */
  archived: number;
  elapsedMs: number;
  budgetMs: number;
  checks: Check[];
}

/** Undefined where there is nothing to roll back, or the answer was no. */
export async function rollBack(
  place: Place,
  component: Component,
  { yes }: Answers,
  say: Say,
): Promise<RollbackReport | undefined> {
  const { targets, layers, budgetMinutes } = PARTS[component];
  const state = await StackState.read(place);
  state.requirePart("platform", component, place.stack);
  const standing = layers.filter((name) => state.layer(name) !== undefined);
  if (standing.length === 0) {
    say(`Nothing to roll back: the state of stack ${place.stack} has no layer ${layers.join(" and no layer ")}.`);
    return undefined;
  }
  // What stands on the registry goes with it.
  const removed = ["rls", "databases"].flatMap((name) =>
    layers.includes("databases") || layers.includes(name) ? (state.layer(name) ?? []) : [],
  );
  const registry = layers.includes("databases") ? state.registry() : undefined;
  const session = state.session(place.folder, removed[0], true);
  let interrupts: Interrupts | undefined;
  try {
    const { database } = session;
    if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
    if (registry !== undefined && !registry.isAdopted)
      await refuseReferences(await database.pool(), tablesOf(registry.layer));
    const selected = targets.flatMap((target) => ["--target", target]);
    const destroy = ["destroy", "--stack", place.stack, ...selected, "--target-dependents"];
    await pulumiAt(place, [...destroy, "--preview-only"]);
    tellArchive(registry, say);
    if (!yes && !(await confirm(`Roll back ${component} on ${database.label}?`, "--yes"))) {
      return decline(say);
    }
    const started = performance.now();
    const auditBefore = await readAuditLog(database);
    // A signal must not end this process between the archive and the destroy.
    interrupts = new Interrupts();
    const { signal } = interrupts.abort;
    const archived = registry === undefined ? 0 : await archive(session, registry, say, signal);
    // The destroy goes on with this run: its lock lets it in, and its backup is before the first change.
    const { held } = session.guard;
    const env = held === undefined ? place.env : { ...place.env, ...(await continuing(held, session.runNumber)) };
    try {
      if (signal.aborted) throw interrupted();
      await pulumiAt({ ...place, env }, [...destroy, "--yes", "--skip-preview"]);
    } catch (error) {
      throw await explain(error, { place, state, registry, archived, say });
    }
    const checks = await checkRollback(database, removed, auditBefore);
    const elapsedMs = performance.now() - started;
    const budgetMs = budgetMinutes * 60_000;
    return { rolledBack: component, stack: place.stack, archived, elapsedMs, budgetMs, checks };
  } finally {
    interrupts?.close();
    await session.close();
  }
}

function tellArchive(registry: Registry | undefined, say: Say): void {
  if (registry === undefined) return;
  say(
    registry.isAdopted
      ? "The registry was there before this stack: it stays, with its registrations."
      : "All registrations are archived in the database first, their connection strings encrypted; " +
          "`npm run rollback -- undo` brings them back.",
  );
}

const interrupted = (): UserError => new UserError("PS839", "It was interrupted.");

async function archive(
  session: Session,
  { layer, isAdopted, isSaltLeft, key, adopted }: Registry,
  say: Say,
  signal: AbortSignal,
): Promise<number> {
  if (isAdopted) return 0;
  if (key === undefined) {
    throw new UserError(
      "PS836",
      `The registrations cannot be archived: the state has no password ${layer.name}-salt, whose value would encrypt them. ` +
        "Nothing was changed. Run `pulumi up`, which makes it, and roll back then.",
    );
  }
  const { count: earlier } = await readArchive(session, layer.urn);
  if (earlier > 0) say(`${earlier} registrations of a rollback before this one are in the archive, and stay there.`);
  if (!(await hasRegistry(session))) {
    say("The registry is gone already: a rollback before this one has not ended.");
    return 0;
  }
  const change = { context: contextOf(layer.urn, say, signal), operation: "delete" } as const;
  const what = { key, withSalt: isSaltLeft, adopted, own: tablesOf(layer) };
  const archived = await archiveRegistrations(session, change, what).catch((error: unknown) => {
    if (!signal.aborted) throw error;
    throw new UserError("PS839", "The rollback was interrupted before its first change. Nothing was changed.");
  });
  say(`Archived ${archived} registrations.`);
  return archived;
}

interface Stopped {
  place: Place;
  state: StackState;
  registry: Registry | undefined;
  archived: number;
  say: Say;
}

/** A destroy that has not come to the registry leaves it as it was, with its rows. */
async function explain(error: unknown, { place, state, registry, archived, say }: Stopped): Promise<unknown> {
  if (!(error instanceof UserError)) return error;
  const again = `Run \`npm run rollback\` again, or \`npm run rollback -- undo --stack ${place.stack}\` to go back.`;
  let stays = "";
  if (registry?.key !== undefined && archived > 0) {
    const session = state.session(place.folder, registry.layer, false);
    try {
      if (await hasRegistry(session)) {
        const change = { context: contextOf(registry.layer.urn, say), operation: "create" } as const;
        const { notOpened, refused } = await putBackRegistrations(session, change, registry.key);
        const left = notOpened.length + refused.length;
        stays = `The registry still stands, and its ${archived} registrations are in it again${left === 0 ? "" : `, but for ${left} that stay in the archive`}. `;
      } else stays = `The registry is gone; its ${archived} registrations are in the archive. `;
    } finally {
      await session.close();
    }
  }
  return new UserError("PS839", `The rollback was stopped. ${error.message}\n${stays}${again}`, { cause: error });
}

export interface UndoReport extends Omit<PutBack, "rotations"> {
  stack: string;
  elapsedMs: number;
}

/** All that the components are, in a state and in a program. */
const COMPONENTS = [
  RLS,
  "**RowLevelSecurity$**",
  named("DatabasesTable", "databases"),
  "**DatabasesTable$**",
  "**RegisteredDatabase::**",
  "**RegisteredDatabase$**",
  // What comes before the first change and after the last one.
  "**pgstrata:index:Gate::*",
  "**pgstrata:index:Backup::*",
  "**pgstrata:index:Verification::*",
];

/**
 * Makes the components again and puts the registrations back. Undefined where there is nothing to undo, or
 * the answer was no.
 */
export async function undo(place: Place, { yes }: Answers, say: Say): Promise<UndoReport | undefined> {
  const { folder, env, stack } = place;
  const before = await StackState.read(place);
  before.requirePart("platform", "undo", stack);
  const selected = COMPONENTS.flatMap((target) => ["--target", target]);
  const { count: archived, orphans } = await archiveIn(before, folder);
  const created = archived > 0 ? undefined : createdIn(await previewAsJson(folder, stack, env, { more: selected }));
  if (created?.length === 0) {
    say("Nothing to undo: the components of the program stand, and no registration is archived. Nothing was changed.");
    return undefined;
  }
  await pulumiAt(place, ["preview", "--stack", stack, ...selected]);
  say(`${archived} registrations are in the archive.`);
  if (orphans.length > 0)
    say(
      `The project of ${orphans.length} of them is gone, so these stay in the archive: ${orphans.map(visible).join(", ")}.`,
    );
  if (!yes && !(await confirm(`Make the components again on stack ${stack}?`, "--yes"))) {
    return decline(say);
  }
  const started = performance.now();
  const failure = await pulumiAt(place, ["up", "--stack", stack, "--yes", "--skip-preview", ...selected]).then(
    () => undefined,
    (error: unknown) => error,
  );
  // An update takes what it declares out of the archive itself, where the salt of the registry opens it.
  const left = archived === 0 ? 0 : (await archiveIn(before, folder)).count;
  // A verification that fails leaves what was made, and its registry is as good as any.
  const isPutBack = left > 0 && (failure === undefined || (await isStanding(place)));
  const { updated, ...rest } = isPutBack ? await putBack(place, say) : NOTHING_BACK;
  const back = { ...rest, updated: archived - left + updated };
  if (failure !== undefined) {
    if (back.inserted + back.updated > 0)
      say(`${back.inserted + back.updated} registrations are in the registry again.`);
    throw failure;
  }
  if (updated > 0) {
    // The program's registrations have their old IDs again, and the state has those that it was given.
    const rows = ["--target", "**RegisteredDatabase$**"];
    await pulumiAt(place, ["refresh", "--stack", stack, "--yes", "--skip-preview", ...rows]);
  }
  return { stack, ...back, elapsedMs: performance.now() - started };
}

async function archiveIn(state: StackState, folder: string): Promise<{ count: number; orphans: string[] }> {
  const session = state.session(folder, state.layer("databases"), false);
  try {
    return await readArchive(session, state.urn());
  } finally {
    await session.close();
  }
}

async function isStanding(place: Place): Promise<boolean> {
  const state = await StackState.read(place);
  const session = state.session(place.folder, state.registry()?.layer, false);
  try {
    return state.registry() !== undefined && (await hasRegistry(session));
  } finally {
    await session.close();
  }
}

async function putBack(place: Place, say: Say): Promise<PutBack> {
  const state = await StackState.read(place);
  const registry = state.registry();
  if (registry?.key === undefined) {
    throw new UserError(
      "PS836",
      "The registry does not stand, so nothing was put back into it. The archive stays as it is. Read what `pulumi up` said above.",
    );
  }
  // The update right before has passed what comes before a change.
  const session = state.session(place.folder, registry.layer, false);
  try {
    const change = { context: contextOf(registry.layer.urn, say), operation: "create" } as const;
    return await putBackRegistrations(session, change, registry.key);
  } finally {
    await session.close();
  }
}
