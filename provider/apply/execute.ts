/**
 * How planned statements run: which share a transaction, with which time limits, and what is rolled back
 * on failure. Their order comes with the plan; locks, batches and messages are left to the files beside
 * it.
 */
import type { PoolClient, QueryConfig } from "pg";
import type { FactBase } from "../catalog/pgDelta.ts";
import { quoteIdent } from "../catalog/quote.ts";
import type { ProviderConfig } from "../core/config.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { PIN_SESSION } from "../database/sessionSettings.ts";
import { withWaiting } from "../database/transaction.ts";
import { withDropsTogether } from "../plan/mergeStatements.ts";
import { isStrong, locksOf } from "../plan/requiredLocks.ts";
import type { Statement, StatementList } from "../plan/statement.ts";
import { lockBackoff, takeLocks } from "./acquireLocks.ts";
import { backfill } from "./backfill.ts";
import { copyRows } from "./copyRows.ts";
import { Pipeline } from "./pipeline.ts";
import { StatementError } from "./statementError.ts";

/** How long to wait for locks, and how long a statement may run, by its kind. */
export type ExecutionLimits = Pick<
  ProviderConfig,
  "lockTimeoutMs" | "lockLimitMs" | "statementTimeoutMs" | "longStatementTimeoutMs"
>;

/** What surrounds the statements. */
export interface ExecutionHooks {
  /** The database as it is, and as it will be. */
  live: FactBase;
  desired: FactBase;
  signal: AbortSignal;
  /**
   * Runs in each transaction with the locks held, before the statements that need them: gates that must see
   * what those will see.
   */
  before: (statements: readonly Statement[]) => Promise<void>;
  /** Runs before the commit of each transaction; what it throws rolls back. */
  beforeCommit?: () => Promise<void>;
  /** Told how many statements have become lasting; negative when some were taken back. */
  kept: (statements: number) => void;
  progress: (message: string) => void;
  /** Surrounds whatever may wait for a lock. */
  waiting: <T>(work: () => Promise<T>) => Promise<T>;
}

/**
 * Runs statements in one transaction, or, where the server demands a commit in between (a new enum value) or
 * a recipe has steps of its own, in as few as it allows. A failure rolls back the open transaction.
 */
export async function execute(
  client: PoolClient,
  list: StatementList,
  limits: ExecutionLimits,
  hooks: ExecutionHooks,
): Promise<void> {
  const run = new Execution(client, list, limits, hooks);
  for (const group of groups(list.statements)) {
    const [first] = group;
    if (first?.transaction === "none") await run.standalone(first);
    else await run.inTransaction(group);
  }
}

type Setting = StatementList["settings"][number];

/** What is read of a transaction may take longer than its statements, with pauses in between. */
const UNLIMITED = `
  select pg_catalog.set_config(name, '0', true) from pg_catalog.pg_settings
   where name in ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')`;

class Execution {
  private readonly client: PoolClient;
  private readonly list: StatementList;
  private readonly limits: ExecutionLimits;
  private readonly hooks: ExecutionHooks;
  private done = 0;
  private committed = 0;

  constructor(client: PoolClient, list: StatementList, limits: ExecutionLimits, hooks: ExecutionHooks) {
    this.client = client;
    this.list = list;
    this.limits = limits;
    this.hooks = hooks;
  }

  /**
   * One transaction. Its locks are taken just before the first statement that needs one, so that what is new
   * is made without them.
   */
  async inTransaction(group: readonly Statement[]): Promise<void> {
    const { client, hooks, list } = this;
    const { lockTimeoutMs } = this.limits;
    const { locks, first } = locksOf(group, hooks.live, hooks.desired);
    const now: SessionLimits = { isHolding: false, patienceMs: lockTimeoutMs, limitMs: 0 };
    await client.query("begin");
    try {
      await this.set([...list.settings, ...timeouts(now)], true);
      const ahead = new Pipeline(client);
      for (const statement of group.slice(0, first)) await this.runLimited(statement, now, ahead);
      await ahead.settle();
      if (now.limitMs !== 0) await this.set(timeouts({ ...now, limitMs: 0 }), true);
      await hooks.waiting(() => takeLocks(client, locks, lockTimeoutMs));
      if (locks.size > 0) Object.assign(now, holding(lockTimeoutMs));
      await hooks.before(group);
      await hooks.waiting(() => this.runLocked(withDropsTogether(group.slice(first)), now));
      if (hooks.beforeCommit !== undefined) {
        await client.query(UNLIMITED);
        await hooks.beforeCommit();
      }
      // With nothing in between: what was read is what the next reading goes on from.
      await client.query("commit");
    } catch (error) {
      await client.query("rollback").catch(() => {});
      throw error;
    }
    hooks.kept(this.done - this.committed);
    this.committed = this.done;
  }

  /** Statements that others may wait for: the less they wait for answers, the shorter that is. */
  private async runLocked(statements: readonly Statement[], now: SessionLimits): Promise<void> {
    const ahead = new Pipeline(this.client);
    for (const statement of statements) {
      await this.runLimited(statement, now, ahead);
      if (now.isHolding) continue;
      // A lock that cannot be taken beforehand, of a view or a sequence, was the first one.
      await ahead.settle();
      Object.assign(now, holding(this.limits.lockTimeoutMs));
    }
    await ahead.settle();
  }

  /**
   * Runs a statement of a transaction with the limit of its kind, where it can be without waiting for the
   * answer.
   */
  private async runLimited(statement: Statement, now: SessionLimits, ahead: Pipeline): Promise<void> {
    const limitMs = this.limitOf(statement, now);
    if (statement.searchPath !== now.searchPath) {
      await ahead.send(setting([searchPath(statement)], true));
      now.searchPath = statement.searchPath;
    }
    if (limitMs !== now.limitMs) await ahead.send(setting(timeouts({ ...now, limitMs }), true));
    now.limitMs = limitMs;
    await this.run(statement, ahead);
  }

  /**
   * One statement that is a transaction of its own. While it waits under a weak lock nobody waits for it, so
   * it may wait for long.
   */
  async standalone(statement: Statement): Promise<void> {
    const { lockTimeoutMs, lockLimitMs } = this.limits;
    const isPatient = lockTimeoutMs !== 0 && !isStrong(statement.lock) && !isBatched(statement);
    const patienceMs = isPatient ? Math.max(lockTimeoutMs, lockLimitMs) : lockTimeoutMs;
    const limitMs = this.limitOf(statement, { isHolding: false, patienceMs });
    const settings = [...this.list.settings, searchPath(statement), ...timeouts({ patienceMs, limitMs })];
    try {
      await this.set(settings, false);
      await this.run(statement);
    } finally {
      for (const { name } of settings) await this.client.query(`reset ${quoteIdent(name)}`).catch(() => {});
      await this.client.query(PIN_SESSION).catch(() => {});
      await this.set([{ name: "lock_timeout", value: String(lockTimeoutMs) }], false).catch(() => {});
    }
    this.hooks.kept(1);
    this.committed = this.done;
  }

  /**
   * What takes long has a right to it where nobody waits for it, or where somebody approved of the waiting. A
   * long statement that needs no lock itself, but stands in a transaction that holds some, has no such right.
   */
  private limitOf({ work, lock }: Statement, now: Pick<SessionLimits, "isHolding" | "patienceMs">): number {
    const isLong = work === "rows" && !(now.isHolding && !isStrong(lock));
    return isLong ? this.limits.longStatementTimeoutMs : withWaiting(this.limits.statementTimeoutMs, now.patienceMs);
  }

  private async set(settings: readonly Setting[], isLocal: boolean): Promise<void> {
    await this.client.query(setting(settings, isLocal));
  }

  private async run(statement: Statement, ahead?: Pipeline): Promise<void> {
    const { client, hooks } = this;
    this.done += statement.standsFor ?? 1;
    const at = `${this.done}/${this.list.statements.length}`;
    hooks.progress(`${at} ${statement.op} ${statement.subject}`);
    if (ahead !== undefined && !isBatched(statement) && statement.undo === undefined)
      return ahead.send(statement.sql, (error) => new StatementError(statement, error, this.committed));
    await ahead?.settle();
    const filled = (rows: number): void => hooks.progress(`${at} filled in ${rows} rows of ${statement.subject}`);
    const running = (): Promise<unknown> => {
      if (statement.copying !== undefined) return copyRows(client, statement.copying, hooks.signal, filled);
      return statement.backfill === undefined
        ? client.query(statement.sql)
        : backfill(client, statement, hooks.signal, filled);
    };
    const mayWait = isStrong(statement.lock) || statement.transaction === "none";
    await (mayWait ? hooks.waiting(running) : running()).catch(async (error: unknown) => {
      // What takes a recipe back has the time it needs, whatever cut the step.
      if (statement.undo !== undefined)
        await this.set([{ name: "statement_timeout", value: "0" }], false).catch(() => {});
      const undone = await undo(client, statement);
      if (undone > 0) hooks.kept(-undone);
      throw new StatementError(statement, error, this.committed - undone);
    });
  }
}

const setting = (settings: readonly Setting[], isLocal: boolean): QueryConfig => ({
  text: "select pg_catalog.set_config(name, value, $3) from unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as setting (name, value)",
  values: [settings.map(({ name }) => name), settings.map(({ value }) => value), isLocal],
});

const isBatched = ({ backfill, copying }: Statement): boolean => backfill !== undefined || copying !== undefined;

/** What holds for the statements of an open transaction. */
interface SessionLimits {
  /** Whether other sessions may be waiting for this one. */
  isHolding: boolean;
  /** `lock_timeout`. */
  patienceMs: number;
  /** `statement_timeout`; undefined where it has to be set again. */
  limitMs: number | undefined;
  /** As the last statement needed it. */
  searchPath?: string | undefined;
}

const holding = (lockTimeoutMs: number): SessionLimits => ({
  isHolding: true,
  patienceMs: lockBackoff(lockTimeoutMs),
  limitMs: undefined,
});

const searchPath = (statement: Statement): Setting => ({
  name: "search_path",
  value: statement.searchPath ?? PINNED_SEARCH_PATH,
});

function timeouts({ patienceMs, limitMs }: Pick<SessionLimits, "patienceMs" | "limitMs">): Setting[] {
  return [
    { name: "lock_timeout", value: String(patienceMs) },
    { name: "statement_timeout", value: String(limitMs ?? 0) },
  ];
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
