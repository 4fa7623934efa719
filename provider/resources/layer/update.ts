import type { PoolClient } from "pg";
import { type ExecutionHooks, execute } from "../../apply/execute.ts";
import { refuseTooManyLocks } from "../../apply/lockTableRoom.ts";
import { refuseMissingRights } from "../../apply/privileges.ts";
import { explained, mayBeOutdated } from "../../apply/statementError.ts";
import { describe } from "../../catalog/objectNames.ts";
import type { FactBase, PayloadValue } from "../../catalog/pgDelta.ts";
import type { Catalog } from "../../catalog/readCatalog.ts";
import { contributionOf } from "../../contribution/contribution.ts";
import type { ContributionRecord } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import type { CallContext, Properties, Reporter } from "../../core/resourceType.ts";
import { timed } from "../../core/timing.ts";
import { BlockerWatch } from "../../database/blockingSessions.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { type TransactionOptions, withRetries } from "../../database/transaction.ts";
import { withDatabaseLock } from "../../database/updateLock.ts";
import { refuseHazards } from "../../plan/approvals.ts";
import { planLayer } from "../../plan/plan.ts";
import { statementsFor } from "../../plan/planStatements.ts";
import { renameStatements } from "../../plan/renames/renames.ts";
import type { Statement, StatementList } from "../../plan/statement.ts";
import type { Target } from "../../plan/transition.ts";
import type { LayerLedger, LayerNote } from "./ledger.ts";
import type { LastRun } from "./outputs.ts";
import { type RowsGate, refuseDroppingRows } from "./preconditions.ts";
import type { LayerWorld } from "./runtime.ts";

const PROGRESS_INTERVAL_MS = 1000;
const RETRY_MESSAGE_INTERVAL_MS = 15_000;

/**
 * What is wanted of the database, as a function of what the database holds: it is asked again after each wait.
 *
 * @param noted what the database's ledger says and the state does not know.
 */
export type Goal<Kept> = (live: FactBase, noted: LayerNote | undefined) => Promise<Target<Kept>>;

/** The layer's note in the database. */
export interface Note {
  ledger: LayerLedger;
  /** The record in the state, as it lies there. */
  packed: Properties[string] | undefined;
}

/** What may stop an update. */
export interface ApplyPolicy {
  rows: RowsGate;
  /** Approvals; left out for a destroy, which the gate for rows alone guards. */
  hazards?: { allow: readonly string[]; allowedBefore: readonly string[] };
  note: Note;
}

/** What was done. */
export interface Applied<Kept> {
  record: Kept;
  lastRun: LastRun;
}

/**
 * Turns the live database into what `goal` asks for: under the database lock, in one transaction, with a lock timeout and
 * retries. Afterwards the catalog is read again and must ask for nothing more.
 *
 * @throws {UserError} for what the server refuses, with the statement; nothing of the transaction then stays.
 */
export async function applyGoal<Kept extends ContributionRecord | undefined>(
  world: LayerWorld,
  context: CallContext,
  policy: ApplyPolicy,
  goal: Goal<Kept>,
): Promise<Applied<Kept>> {
  const target = world.knownTarget();
  const started = performance.now();
  const client = await target.connect();
  let broken = false;
  const onError = (): void => {
    broken = true;
  };
  client.on("error", onError);
  try {
    // The catalog is read back by a connection of its own: without one nothing is begun.
    const pool = await target.pool();
    if (pool.idleCount === 0) await pool.query("select");
    return await withDatabaseLock(client, context.report, context.signal, async (waited) => {
      const watch = new BlockerWatch(pool, client);
      let attempts = 0;
      let kept = 0;
      const attempt = async (): Promise<Applied<Kept>> => {
        // What this run read back last is still so, unless another update came in between.
        const isFirst = attempts++ === 0;
        const before = await (isFirst && !waited ? world.live.get() : world.live.refresh());
        try {
          return await turnInto(
            world,
            context,
            { client, watch, keep: (n) => (kept += n) },
            policy,
            goal,
            before,
            started,
          );
        } catch (error) {
          world.live.forget();
          if (isFirst && mayBeOutdated(error)) return attempt();
          throw error;
        }
      };
      return withRetries(
        world.config,
        attempt,
        retrying(context, watch, () => kept),
      );
    });
  } catch (error) {
    throw describeDatabaseError(error) ?? error;
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

/** A destroy needs no online recipes: what it drops is empty. */
async function plan(
  client: PoolClient,
  { hazards }: Pick<ApplyPolicy, "hazards">,
  noted: LayerNote | undefined,
  before: Catalog,
  target: Target<unknown>,
): Promise<{ list: StatementList }> {
  if (hazards === undefined) return { list: statementsFor(target.live, target.wanted) };
  const planned = await planLayer(client, before, target);
  refuseHazards(planned, hazards.allow, [...hazards.allowedBefore, ...(noted?.allow ?? [])]);
  return planned;
}

/** The connection that holds the database lock. */
interface Connection {
  client: PoolClient;
  watch: BlockerWatch;
  /** Told how many statements have become lasting. */
  keep: (statements: number) => void;
}

/** Plans from what is known, runs the plan, and proves that nothing is left. */
async function turnInto<Kept extends ContributionRecord | undefined>(
  world: LayerWorld,
  context: CallContext,
  { client, watch, keep }: Connection,
  policy: ApplyPolicy,
  goal: Goal<Kept>,
  before: Catalog,
  started: number,
): Promise<Applied<Kept>> {
  const noted = await policy.note.ledger.readBeyond(client, policy.note.packed);
  const target = await goal(before.facts, noted);
  const { wanted, record } = target;
  const { list } = await plan(client, policy, noted, before, target);
  const { role, major } = await world.knownTarget().facts();
  await refuseMissingRights(client, role, target.live, wanted, list.statements);
  await refuseTooManyLocks(client, target.live, wanted, major);
  const next = record === undefined ? undefined : { record, allow: policy.hazards?.allow ?? [] };
  const note = await policy.note.ledger.due(client, next, list.statements.length > 0);
  const [first] = list.statements;
  if (note !== undefined && (first === undefined || first.transaction === "none")) await alone(client, note);
  const hooks = {
    live: before.facts,
    wanted,
    signal: context.signal,
    before: async (statements: readonly Statement[]) => {
      await refuseDroppingRows(client, statements, policy.rows);
      await note?.();
    },
    kept: keep,
    progress: progressOf(context.report, context.signal),
    waiting: <T>(work: () => Promise<T>) => watch.during(work),
  };
  await run(client, list, world, hooks);
  if (list.statements.length > 0) await prove(await world.live.refresh(), wanted, (live) => goal(live, noted));
  return {
    record,
    lastRun: {
      statements: list.statements.length,
      elapsedMs: Math.round(performance.now() - started),
      serverVersion: before.serverVersion,
    },
  };
}

/** Tells of the first try and then now and again, because there may be very many. */
function retrying({ report, signal }: CallContext, watch: BlockerWatch, kept: () => number): TransactionOptions {
  let told = Number.NEGATIVE_INFINITY;
  const outcome = (): string =>
    kept() === 0
      ? "nothing was changed"
      : `${kept()} statements stay, each harmless by itself, and the next run goes on`;
  return {
    signal,
    blockers: () => watch.describe(),
    outcome,
    onRetry: ({ attempt, reason, leftMs }) => {
      const message = `${reason}; ${outcome()}; try ${attempt} follows, for at most ${Math.round(leftMs / 1000)} s`;
      const isTime = performance.now() - told >= RETRY_MESSAGE_INTERVAL_MS;
      if (isTime) told = performance.now();
      if (isTime) report.info(message);
      else report.status(message);
    },
  };
}

async function run(
  client: PoolClient,
  list: StatementList,
  { config }: LayerWorld,
  hooks: ExecutionHooks,
): Promise<void> {
  if (list.statements.length === 0) return;
  try {
    await timed("apply", () => execute(client, list, config, hooks));
  } catch (error) {
    throw explained(error);
  }
}

/** Where no transaction comes first: a step that stands by itself must not be counted as somebody else's. */
async function alone(client: PoolClient, note: () => Promise<void>): Promise<void> {
  await client.query("begin");
  try {
    await note();
    await client.query("commit");
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error;
  }
}

/** A short update says nothing; a long one tells where it is, about once a second. */
function progressOf(report: Reporter, signal: AbortSignal) {
  let told = performance.now();
  return (message: string): void => {
    signal.throwIfAborted();
    if (performance.now() - told < PROGRESS_INTERVAL_MS) return;
    told = performance.now();
    report.status(message);
  };
}

async function prove(
  { facts }: { facts: FactBase },
  wanted: FactBase,
  goal: (live: FactBase) => Promise<Target<unknown>>,
): Promise<void> {
  // Equal as a whole, mostly; only what differs is worth a plan.
  if (facts.rootHash === wanted.rootHash) return;
  const next = await goal(facts);
  const left = [...renameStatements(next.renames), ...statementsFor(next.live, next.wanted).statements];
  if (left.length === 0) return;
  throw new UserError(
    [
      `After the update ${left.length === 1 ? "1 statement is" : `${left.length} statements are`} still needed, expected none:`,
      ...left.slice(0, MOST_SHOWN).map((statement) => `    ${statement.sql.split("\n")[0]}`),
      ...differing(next.live, next.wanted).slice(0, MOST_SHOWN),
      "Run `pulumi up` again: if nothing is left then, somebody else changed the database meanwhile. If this stays, it is a defect of pgstrata, not of " +
        "your files: report it with this message, the definition in the file and the server's version.",
    ].join("\n"),
  );
}

const MOST_SHOWN = 10;

/** What differs of objects that both sides have, one form above the other. */
function differing(live: FactBase, wanted: FactBase): string[] {
  return contributionOf(live, wanted).changed.map(({ id, attribute, from, to }) =>
    [
      `  ${attribute} of ${describe(id)}:`,
      `    the server has  ${shown(from)}`,
      `    asked for was   ${shown(to)}`,
    ].join("\n"),
  );
}

const shown = (value: PayloadValue): string =>
  (typeof value === "string" ? value : JSON.stringify(value ?? null)).replaceAll("\n", " ");
