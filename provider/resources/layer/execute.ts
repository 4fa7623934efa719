import type { PoolClient } from "pg";
import type { FactBase } from "../../engine/pgDelta.ts";
import { quoteIdent } from "../../engine/quote.ts";
import type { Statement, StatementList } from "../../engine/statements.ts";
import { backfill } from "./backfill.ts";
import { locksOf, takeLocks } from "./locks.ts";

/** Limits for one transaction. */
export interface ExecutionLimits {
  lockTimeoutMs: number;
  statementTimeoutMs: number;
}

/** A statement that the server refused. */
export class StatementError extends Error {
  readonly statement: Statement;
  override readonly cause: unknown;
  /** How many statements before it stay, because the server demanded a commit after one of them. */
  readonly committed: number;

  constructor(statement: Statement, cause: unknown, committed: number) {
    super(cause instanceof Error ? cause.message : String(cause));
    this.statement = statement;
    this.cause = cause;
    this.committed = committed;
  }
}

/** What surrounds the statements. */
export interface ExecutionHooks {
  /** The database as it is. */
  live: FactBase;
  signal: AbortSignal;
  /** Runs at the start of each transaction, with the locks held: gates that must see what its statements will see. */
  before: (statements: readonly Statement[]) => Promise<void>;
  progress: (message: string) => void;
}

/**
 * Runs statements in one transaction, or, where the server demands a commit in between (a new enum value), in as few as it
 * allows. Whatever fails undoes the open transaction.
 */
export async function execute(
  client: PoolClient,
  list: StatementList,
  limits: ExecutionLimits,
  hooks: ExecutionHooks,
): Promise<void> {
  let done = 0;
  let committed = 0;
  const run = async (statement: Statement): Promise<void> => {
    const at = `${++done}/${list.statements.length}`;
    hooks.progress(`${at} ${statement.op} ${statement.subject}`);
    const filled = (rows: number): void => hooks.progress(`${at} filled in ${rows} rows of ${statement.subject}`);
    const running =
      statement.backfill === undefined
        ? client.query(statement.sql)
        : backfill(client, statement, hooks.signal, filled);
    await Promise.resolve<unknown>(running).catch(async (error: unknown) => {
      throw new StatementError(statement, error, committed - (await undo(client, statement)));
    });
  };
  const settings = [
    { name: "lock_timeout", value: String(limits.lockTimeoutMs) },
    { name: "statement_timeout", value: String(limits.statementTimeoutMs) },
    ...list.settings,
  ];
  for (const group of groups(list.statements)) {
    const alone = group.every(({ transaction }) => transaction === "none");
    if (!alone) await client.query("begin");
    try {
      for (const { name, value } of settings) {
        await client.query("select pg_catalog.set_config($1, $2, $3)", [name, value, !alone]);
      }
      if (!alone) await takeLocks(client, locksOf(group, hooks.live), limits.lockTimeoutMs);
      if (!alone) await hooks.before(group);
      for (const statement of group) await run(statement);
      if (!alone) await client.query("commit");
      committed = done;
    } catch (error) {
      if (!alone) await client.query("rollback").catch(() => {});
      throw error;
    } finally {
      if (alone) for (const { name } of settings) await client.query(`reset ${quoteIdent(name)}`).catch(() => {});
    }
  }
}

/** Takes a failed recipe back, as far as the server lets us, and tells how many of its steps that were. */
async function undo(client: PoolClient, { undo: what }: Statement): Promise<number> {
  if (what === undefined) return 0;
  return client.query(what.sql).then(
    () => what.steps,
    () => 0,
  );
}

/** Statements that may share a transaction, in order; one that may not is a group of its own. */
function groups(statements: readonly Statement[]): Statement[][] {
  const found: Statement[][] = [];
  let open: Statement[] = [];
  const close = (): void => {
    if (open.length > 0) found.push(open);
    open = [];
  };
  for (const statement of statements) {
    if (statement.transaction === "none") close();
    open.push(statement);
    if (statement.transaction !== "shared") close();
  }
  close();
  return found;
}
