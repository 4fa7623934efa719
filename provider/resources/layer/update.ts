/**
 * How a layer is updated: under the update lock, planned from the present catalog, executed, noted in the
 * ledger, proved by reading back. The steps themselves are in `plan/` and `apply/`.
 */
import type { Pool, PoolClient } from "pg";
import { askRows } from "../../apply/askRows.ts";
import { compareResults } from "../../apply/compareResults.ts";
import { type ExecutionHooks, type ExecutionLimits, execute } from "../../apply/execute.ts";
import { refuseTooManyLocks } from "../../apply/lockTableRoom.ts";
import { refuseMissingPrivileges } from "../../apply/privileges.ts";
import { explained, mayBeOutdated } from "../../apply/statementError.ts";
import type { Catalog } from "../../catalog/readCatalog.ts";
import { type ContributionRecord, declaredBy } from "../../contribution/record.ts";
import type { CallContext, Properties, Reporter } from "../../core/resourceType.ts";
import { timed } from "../../core/timing.ts";
import { BlockerWatch } from "../../database/blockingSessions.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { againWhenLost } from "../../database/lostConnection.ts";
import { refuseReadOnly } from "../../database/readOnly.ts";
import { type TransactionOptions, withRetries } from "../../database/transaction.ts";
import { withDatabaseLock } from "../../database/updateLock.ts";
import type { BeforeChange, Change } from "../../guard/guard.ts";
import { type Approvals, approvedBy, refuseHazards } from "../../plan/approvals.ts";
import { type EqualResults, withEqualResults } from "../../plan/equalResults.ts";
import { takingBack } from "../../plan/inheritance/moveRows.ts";
import { type LayerPlan, planUpdate } from "../../plan/plan.ts";
import { planStatements } from "../../plan/planStatements.ts";
import { onlyAdds, onlyDrops } from "../../plan/provesItself.ts";
import { rowWarnings } from "../../plan/rowChecks/report.ts";
import type { Statement, StatementList } from "../../plan/statement.ts";
import { noteLayer } from "../../verification/runWrites.ts";
import type { Moves } from "./handOver.ts";
import type { LayerLedger, LedgerEntry } from "./ledger.ts";
import type { LastRun } from "./outputs.ts";
import { type RowsPrecondition, refuseDroppingRows } from "./preconditions.ts";
import { prove, provedWithin, Unproven } from "./prove.ts";
import { type RehearsedPlan, rehearsedPlan } from "./rehearsedPlan.ts";
import type { LayerRuntime } from "./runtime.ts";
import { tableChanges } from "./tableChanges.ts";
import type { LayerTransition } from "./transition.ts";

const PROGRESS_INTERVAL_MS = 1000;
const RETRY_MESSAGE_INTERVAL_MS = 15_000;

/**
 * What is desired of the database, as a function of what the database holds: it is asked again after each
 * wait.
 *
 * @param unrecorded what the database's ledger says and the state does not know.
 */
export type Goal<Kept> = (
  live: Pick<Catalog, "facts" | "kept">,
  unrecorded: LedgerEntry | undefined,
) => Promise<LayerTransition<Kept>>;

/** The layer's note in the database. */
export interface LedgerOfLayer {
  entries: LayerLedger;
  /** The record in the state, as it lies there. */
  packed: Properties[string] | undefined;
}

/** What may stop an update. */
export interface ApplyPolicy {
  rows: RowsPrecondition;
  /** Approvals; left out for a destroy, which the gate for rows alone guards. */
  hazards?: Approvals;
  ledger: LedgerOfLayer;
}

/** What was done. */
export interface Applied<Kept> extends Moves {
  record: Kept;
  lastRun: LastRun;
  /** Approvals that updates have used by now. */
  used: string[];
}

/**
 * Turns the live database into what `goal` asks for: under the database lock, in one transaction, with a lock
 * timeout and retries. Afterwards the catalog is read again and must ask for nothing more.
 *
 * @throws {UserError} for what the server refuses, with the statement; nothing of the transaction then stays.
 */
export async function applyGoal<Kept extends ContributionRecord | undefined>(
  runtime: LayerRuntime,
  change: Change,
  policy: ApplyPolicy,
  goal: Goal<Kept>,
): Promise<Applied<Kept>> {
  await refuseReadOnly(runtime.knownTarget());
  const started = performance.now();
  let hasBegun = false;
  const begin = (): void => {
    hasBegun = true;
  };
  try {
    return await runtime.session.guard.guarded(change, (beforeChange) => {
      const progress = { started, begin, beforeChange };
      return againWhenLost(
        () => underDatabaseLock(runtime, change.context, policy, goal, progress),
        () => !hasBegun,
      );
    });
  } catch (error) {
    throw describeDatabaseError(error) ?? error;
  }
}

/** What is told of one update, whatever number of connections it takes. */
interface Progress {
  /** When it started. */
  started: number;
  /** Told before the first change: from then on the connection must stay. */
  begin: () => void;
  /** The guard's. */
  beforeChange: BeforeChange;
}

async function underDatabaseLock<Kept extends ContributionRecord | undefined>(
  runtime: LayerRuntime,
  context: CallContext,
  policy: ApplyPolicy,
  goal: Goal<Kept>,
  { started, ...progress }: Progress,
): Promise<Applied<Kept>> {
  const target = runtime.knownTarget();
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
      const { rowQuestionTimeoutMs: timeoutMs } = runtime.config;
      const rows: AskedRows = { isFirst: true, equal: new Map(), pool, timeoutMs, report: context.report };
      let attempts = 0;
      let kept = 0;
      const used = new Set(policy.hazards?.spent);
      const attempt = async (lockTimeoutMs: number): Promise<Applied<Kept>> => {
        // What this run read back last is still so, unless another update came in between.
        const isFirst = attempts++ === 0;
        rows.isFirst = isFirst;
        // Of what was there when it was approved; a destroy is of what is there behind the backup.
        const known = (): Promise<Catalog> => (policy.hazards ? runtime.live.get() : runtime.live.recent());
        const before = await (isFirst && !waited ? known() : runtime.live.refresh());
        try {
          return await turnInto(
            runtime,
            context,
            { client, lockTimeoutMs, watch, ...progress, keep: (n) => (kept += n), rows, used },
            policy,
            goal,
            before,
            started,
          );
        } catch (error) {
          runtime.live.forget();
          if (isFirst && (error instanceof Unproven || mayBeOutdated(error))) return attempt(lockTimeoutMs);
          throw error;
        }
      };
      return withRetries(
        runtime.config,
        attempt,
        retrying(context, watch, () => kept),
      );
    });
  } finally {
    client.off("error", onError);
    client.release(broken);
  }
}

/**
 * A plan that has passed its rehearsal. A destroy needs no online recipes: what it drops is empty.
 *
 * @param connection.used told which approvals the plan uses. What it does stays, should a later step fail.
 */
async function plan<Kept extends ContributionRecord | undefined>(
  runtime: LayerRuntime,
  { client, rows, used }: Connection,
  { hazards, rows: gate }: ApplyPolicy,
  unrecorded: LedgerEntry | undefined,
  before: Catalog,
  target: LayerTransition<Kept>,
  report: Reporter,
): Promise<Pick<RehearsedPlan, "list" | "changedObjects" | "isRehearsed"> & { mayDrop: readonly string[] }> {
  const { live, desired, record } = target;
  const update = { before: target.before, desired, isDeclared: declaredBy(record) };
  if (hazards === undefined) {
    const dropping = planStatements(live, desired);
    const list = { ...dropping, statements: [...takingBack(before.rowMoves, []), ...dropping.statements] };
    const isRehearsed = !(rows.isFirst && onlyDrops(list.statements, target.before, desired));
    if (isRehearsed) await runtime.rehearse({ ...update, list }, report, { keepsCopy: false });
    return { list, changedObjects: [], mayDrop: gate.allow, isRehearsed };
  }
  const planned = await rehearsedPlan(
    runtime,
    {
      plan: (recreated) => planUpdate(client, before, target, unrecorded?.unfinished ?? [], recreated),
      asked: (made) => answered(made, rows),
      provesItself: ({ list }) => rows.isFirst && onlyAdds(list.statements, target.before, desired),
    },
    target,
    update,
    report,
  );
  const needed = refuseHazards(planned, hazards);
  for (const approval of needed) used.add(approval);
  // Where rows are kept, one that has come into an empty table since it was planned is not lost.
  const mayDrop = runtime.config.keepDroppedDays === 0 ? gate.allow : needed.map(approvedBy);
  return { ...planned, mayDrop };
}

/** The first try asks; what it was told holds for the next ones. */
async function answered(made: LayerPlan, rows: AskedRows): Promise<LayerPlan> {
  if (!rows.isFirst) return withEqualResults(made, rows.equal);
  const rowChecks = await askRows(rows.pool, made, rows.timeoutMs);
  for (const warning of rowWarnings(rowChecks)) rows.report.warn(warning);
  rows.equal = await compareResults(rows.pool, made.comparison, rows.timeoutMs);
  return withEqualResults({ ...made, rowChecks }, rows.equal);
}

/** How rows are asked, in the first try: what they answer hardly changes while a lock is waited for. */
interface AskedRows {
  isFirst: boolean;
  /** Told by the first try, and so for the next ones. */
  equal: EqualResults;
  pool: Pool;
  timeoutMs: number;
  report: Reporter;
}

/** The connection that holds the database lock. */
interface Connection {
  client: PoolClient;
  /** Of this try. */
  lockTimeoutMs: number;
  watch: BlockerWatch;
  /** Told before the first change. */
  begin: () => void;
  beforeChange: BeforeChange;
  rows: AskedRows;
  /** Told how many statements have become lasting. */
  keep: (statements: number) => void;
  /** Approvals that have been used, by this update's tries and by those before it. */
  used: Set<string>;
}

/** Plans from what is known, runs the plan, and proves that nothing is left. */
async function turnInto<Kept extends ContributionRecord | undefined>(
  runtime: LayerRuntime,
  context: CallContext,
  connection: Connection,
  policy: ApplyPolicy,
  goal: Goal<Kept>,
  before: Catalog,
  started: number,
): Promise<Applied<Kept>> {
  const { client, lockTimeoutMs, watch, begin, beforeChange, keep, used } = connection;
  const { report } = context;
  const unrecorded = await policy.ledger.entries.readUnrecorded(client, policy.ledger.packed);
  const target = await goal(before, unrecorded);
  const { desired, record } = target;
  for (const approval of unrecorded?.used ?? []) used.add(approval);
  if (isFirst(target)) beforeChange("beforehand");
  const planned = await plan(runtime, connection, policy, unrecorded, before, target, report);
  const { list, changedObjects: unfinished, mayDrop, isRehearsed } = planned;
  if (list.statements.length > 0) runtime.tellEventTriggers(before.facts, report);
  const { role, major } = await runtime.knownTarget().facts();
  await refuseMissingPrivileges(client, role, target.live, desired, list.statements);
  await refuseTooManyLocks(client, target.live, desired, major);
  const { handedOver, takenOver } = target;
  for (const approval of target.approvals ?? []) used.add(approval);
  const next = record && { record, used: [...used], unfinished, ...(handedOver && { handedOver }) };
  const writeEntry = await policy.ledger.entries.pendingEntry(client, next, list.statements.length > 0, takenOver);
  if (list.statements.length > 0 || writeEntry !== undefined) beforeChange();
  begin();
  const [first] = list.statements;
  if (writeEntry !== undefined && (first === undefined || first.transaction === "none"))
    await inOwnTransaction(client, writeEntry);
  let proved: Catalog | undefined;
  const proveWithin = async (): Promise<void> => {
    proved = await provedWithin(runtime.live, client, desired);
  };
  const hooks = {
    live: target.before,
    desired,
    signal: context.signal,
    before: async (statements: readonly Statement[]) => {
      await refuseDroppingRows(client, statements, { ...policy.rows, allow: mayDrop });
      await writeEntry?.();
    },
    ...(!isRehearsed && { beforeCommit: proveWithin }),
    kept: keep,
    progress: progressOf(report, context.signal),
    waiting: <T>(work: () => Promise<T>) => watch.during(work),
  };
  await run(client, list, { ...runtime.config, lockTimeoutMs }, hooks);
  if (list.statements.length > 0) {
    const layer = { name: policy.ledger.entries.layer, urn: context.urn };
    noteLayer(runtime.session.record, layer, tableChanges(list.statements, before.facts, desired));
  }
  if (next !== undefined && unfinished.length > 0) {
    const writeFinished = await policy.ledger.entries.pendingEntry(client, { ...next, unfinished: [] }, true);
    if (writeFinished !== undefined) await inOwnTransaction(client, writeFinished);
  }
  if (proved !== undefined) runtime.live.accept(proved, { isAddedTo: record !== undefined });
  else if (list.statements.length > 0)
    await prove(await runtime.live.refresh(), desired, (live) => goal(live, unrecorded));
  return {
    record,
    handedOver,
    takenOver,
    lastRun: {
      statements: list.statements.length,
      elapsedMs: Math.round(performance.now() - started),
      serverVersion: before.serverVersion,
    },
    used: [...used],
  };
}

/**
 * Whether something comes into a database without tables. Its plan has statements for certain, and there are
 * no rows for which it could be refused: so it is made once, after what comes before a change.
 */
function isFirst({ live, desired }: Pick<LayerTransition<unknown>, "live" | "desired">): boolean {
  return !live.facts().some(({ id }) => id.kind === "table") && desired.facts().some(({ id }) => !live.has(id));
}

/** Tells of the first try and then now and again, because there may be very many. */
function retrying({ report, signal }: CallContext, watch: BlockerWatch, kept: () => number): TransactionOptions {
  let told = Number.NEGATIVE_INFINITY;
  const outcome = (): string =>
    kept() === 0
      ? "nothing was changed"
      : `${kept()} statements stay, each harmless by itself, and the next run continues`;
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
  limits: ExecutionLimits,
  hooks: ExecutionHooks,
): Promise<void> {
  if (list.statements.length === 0) return;
  try {
    await timed("apply", () => execute(client, list, limits, hooks));
  } catch (error) {
    throw explained(error);
  }
}

/** Where no transaction comes first: a step that stands by itself must not be counted as another update's. */
async function inOwnTransaction(client: PoolClient, note: () => Promise<void>): Promise<void> {
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
