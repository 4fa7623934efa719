import pg, { type PoolClient } from "pg";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { withDatabaseLock } from "../../databaseLock.ts";
import type { Catalog } from "../../engine/facts.ts";
import type { FactBase } from "../../engine/pgDelta.ts";
import { type Statement, type StatementList, statementsFor } from "../../engine/statements.ts";
import type { CallContext, Reporter } from "../../server/resource.ts";
import { timed } from "../../timing.ts";
import { isContention, type TransactionOptions, withRetries } from "../../transaction.ts";
import { UserError } from "../../userError.ts";
import { execute, StatementError } from "./execute.ts";
import { type RowsGate, refuseDroppingRows } from "./gates.ts";
import { planLayer, refuseHazards } from "./plan.ts";
import { refuseMissingRights } from "./rights.ts";
import type { LastRun } from "./state.ts";
import type { LayerWorld } from "./world.ts";

const PROGRESS_INTERVAL_MS = 1000;

/** What a layer wants of the database, as a function of what the database holds: it is asked again after each wait. */
export type Goal = (live: FactBase) => FactBase;

/** What may stop an update. */
export interface ApplyPolicy {
  rows: RowsGate;
  /** Approvals; left out for a destroy, which the gate for rows alone guards. */
  hazards?: { allow: readonly string[]; allowedBefore: readonly string[] };
}

/** What was there before, and what was done. */
export interface Applied {
  before: FactBase;
  lastRun: LastRun;
}

/**
 * Turns the live database into what `goal` asks for: under the database lock, in one transaction, with a lock timeout and
 * retries. Afterwards the catalog is read again and must ask for nothing more.
 *
 * @throws {UserError} for what the server refuses, with the statement; nothing of the transaction then stays.
 */
export async function applyGoal(
  world: LayerWorld,
  context: CallContext,
  policy: ApplyPolicy,
  goal: Goal,
): Promise<Applied> {
  const target = world.knownTarget();
  const started = performance.now();
  const client = await target.connect();
  let broken = false;
  const onError = (): void => {
    broken = true;
  };
  client.on("error", onError);
  try {
    return await withDatabaseLock(client, context.report, context.signal, (waited) => {
      let attempts = 0;
      const attempt = async (): Promise<Applied> => {
        // What this run read back last is still so, unless another update came in between.
        const isFirst = attempts++ === 0;
        const before = await (isFirst && !waited ? world.live.get() : world.live.refresh());
        try {
          return await turnInto(world, context, client, policy, goal, before, started);
        } catch (error) {
          world.live.forget();
          if (isFirst && error instanceof RefusedStatement && error.committed === 0 && !isContention(error))
            return attempt();
          throw error;
        }
      };
      return withRetries(world.config, attempt, retrying(context));
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
  { hazards }: ApplyPolicy,
  before: Catalog,
  wanted: FactBase,
): Promise<{ list: StatementList }> {
  if (hazards === undefined) return { list: statementsFor(before.facts, wanted) };
  const planned = await planLayer(client, before, wanted);
  refuseHazards(planned, hazards.allow, hazards.allowedBefore);
  return planned;
}

/** Plans from what is known, runs the plan, and proves that nothing is left. */
async function turnInto(
  world: LayerWorld,
  context: CallContext,
  client: PoolClient,
  policy: ApplyPolicy,
  goal: Goal,
  before: Catalog,
  started: number,
): Promise<Applied> {
  const wanted = goal(before.facts);
  const { list } = await plan(client, policy, before, wanted);
  await refuseMissingRights(client, (await world.knownTarget().facts()).role, before.facts, wanted, list.statements);
  await run(client, list, before.facts, world, context, policy.rows);
  if (list.statements.length > 0) prove(await world.live.refresh(), wanted, goal);
  return {
    before: before.facts,
    lastRun: {
      statements: list.statements.length,
      elapsedMs: Math.round(performance.now() - started),
      serverVersion: before.serverVersion,
    },
  };
}

function retrying({ report, signal }: CallContext): TransactionOptions {
  return {
    signal,
    onRetry: (attempt, tries, reason) =>
      report.info(`${reason}; nothing was changed; try ${attempt} of ${tries} follows`),
  };
}

async function run(
  client: PoolClient,
  list: StatementList,
  live: FactBase,
  { config }: LayerWorld,
  { report, signal }: CallContext,
  rows: RowsGate,
): Promise<void> {
  if (list.statements.length === 0) return;
  const hooks = {
    live,
    signal,
    before: (statements: readonly Statement[]) => refuseDroppingRows(client, statements, rows),
    progress: progressOf(report, signal),
  };
  try {
    await timed("apply", () => execute(client, list, config, hooks));
  } catch (error) {
    throw explained(error);
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

function explained(error: unknown): unknown {
  if (!(error instanceof StatementError) || !(error.cause instanceof pg.DatabaseError)) return error;
  return new RefusedStatement(error, error.cause);
}

/** SQLSTATEs after which the same may succeed: lock timeout, deadlock, serialization failure. Who retries adds the advice. */
const PASSING = new Set(["55P03", "40P01", "40001"]);

/** SQLSTATEs of causes outside the statement, which have an advice of their own: rights, standby, disk, memory, connections, time. */
const ADVISED = new Set(["42501", "25006", "53100", "53200", "53300", "57014"]);

/** A statement that the server refused, as a person reads it. Definitions hold no secrets, so the SQL is shown. */
export class RefusedStatement extends UserError {
  override name = "RefusedStatement";
  /** SQLSTATE. */
  readonly code: string | undefined;
  /** How many statements before it stay. */
  readonly committed: number;

  constructor({ statement: { sql, subject }, committed }: StatementError, cause: pg.DatabaseError) {
    const lines = [`The server refused ${subject}: ${cause.message} (SQLSTATE ${cause.code ?? "unknown"}).`];
    if (cause.hint !== undefined) lines.push(`The server's hint: ${cause.hint}`);
    if (cause.code !== undefined && ADVISED.has(cause.code)) lines.push(describeDatabaseError(cause)?.message ?? "");
    lines.push(
      "The statement was:",
      ...sql
        .split("\n")
        .slice(0, 20)
        .map((line) => `    ${line}`),
      committed === 0
        ? "The transaction was undone: nothing was changed."
        : `The transaction was undone; the ${committed} statements before it stay, each harmless by itself. Run \`pulumi up\` again once the cause is gone.`,
    );
    super(cause.code !== undefined && PASSING.has(cause.code) ? `${subject}: ${cause.message}` : lines.join("\n"));
    this.code = cause.code;
    this.committed = committed;
  }
}

function prove({ facts }: { facts: FactBase }, wanted: FactBase, goal: Goal): void {
  // Equal as a whole, mostly; only what differs is worth a plan.
  if (facts.rootHash === wanted.rootHash) return;
  const left = statementsFor(facts, goal(facts)).statements;
  if (left.length === 0) return;
  throw new UserError(
    [
      `After the update ${left.length} statements are still needed, expected none. Somebody else changed the database meanwhile, or the server keeps something other than what was asked for:`,
      ...left.slice(0, 10).map((statement) => `    ${statement.sql.split("\n")[0]}`),
      "Run `pulumi up` again; if this stays, the definition has a form that the server rewrites.",
    ].join("\n"),
  );
}
