/**
 * How checks ask the target: read-only, each for a limited time, and what cannot be asked is INCONCLUSIVE.
 * What is asked is left to the checks.
 */
import type { PoolClient, QueryResultRow } from "pg";
import { codeOf } from "../database/connectionError.ts";
import type { Database } from "../database/target.ts";
import type { CheckKind, CheckResult } from "./results.ts";
import type { GateSettings } from "./settings.ts";

/** SQLSTATE of a statement that was cancelled, by its time limit for one. */
const CANCELLED = "57014";

/** Asks one database for the checks of one gate. */
export class Measuring {
  readonly settings: GateSettings;
  private readonly database: Database;
  private tail: Promise<unknown> = Promise.resolve();

  constructor(database: Database, settings: GateSettings) {
    this.database = database;
    this.settings = settings;
  }

  /** How long each of so many questions without work takes, in milliseconds. */
  probe(times: number): Promise<number[]> {
    return this.inTurn(async () => {
      const client = await this.database.connect();
      try {
        const tookMs: number[] = [];
        for (let n = 0; n < times; n++) {
          const started = performance.now();
          await client.query("select");
          tookMs.push(performance.now() - started);
        }
        return tookMs;
      } finally {
        client.release();
      }
    });
  }

  /**
   * Results that come from one row. Where the question fails, each of the checks is INCONCLUSIVE.
   *
   * @param names of the checks.
   */
  async ask<Row extends QueryResultRow>(
    kind: CheckKind,
    names: readonly string[],
    sql: string,
    values: readonly unknown[],
    results: (row: Row) => CheckResult[],
  ): Promise<CheckResult[]> {
    try {
      const [row] = await this.readOnly(async (client) => (await client.query<Row>(sql, [...values])).rows);
      if (row === undefined) throw new Error("the question has no answer");
      return results(row);
    } catch (error) {
      return names.map((name) => inconclusive(kind, name, this.reason(error)));
    }
  }

  /** Runs questions in a transaction that is read-only and undone. */
  readOnly<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    return this.inTurn(() => this.inReadOnlyTransaction(work));
  }

  private async inReadOnlyTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.database.connect();
    let isBroken = false;
    try {
      const { checkTimeoutMs } = this.settings.thresholds;
      const opened = [
        client.query("begin transaction read only"),
        client.query("select pg_catalog.set_config('statement_timeout', $1, true)", [String(checkTimeoutMs)]),
      ];
      const done = work(client);
      await Promise.all([...opened, done]);
      return await done;
    } finally {
      await client.query("rollback").catch(() => {
        isBroken = true;
      });
      client.release(isBroken);
    }
  }

  /** One after another: a further connection would take longer than the questions do. */
  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.tail.then(task);
    this.tail = result.catch(() => undefined);
    return result;
  }

  /** Of an error of the server only what holds no value of a row. */
  reason(error: unknown): string {
    const state = codeOf(error);
    if (state === CANCELLED) return `no answer within ${this.settings.thresholds.checkTimeoutMs} ms`;
    // Syntax, names and privileges.
    if (state?.startsWith("42") && error instanceof Error) return `${error.message} (${state})`;
    if (state !== undefined) return `the server answers with SQLSTATE ${state}`;
    return error instanceof Error ? error.message : "no answer";
  }
}

export function inconclusive(kind: CheckKind, name: string, reason: string, mend?: string): CheckResult {
  return {
    name,
    kind,
    status: "INCONCLUSIVE",
    measured: `could not be measured: ${reason}`,
    expected: "a measurement",
    mend: mend ?? `Remove the reason, or override the check "${name}" for this plan with gateOverrides.`,
  };
}
