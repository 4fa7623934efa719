/**
 * How statements are sent without waiting for each answer, and which failure counts. Knows nothing of plans;
 * `execute.ts` decides what may be sent this way.
 */
import type { PoolClient, QueryConfig } from "pg";

/**
 * Enough to keep the server busy over a slow line, few enough that an end is not far when the first one
 * fails.
 */
const MOST_UNANSWERED = 50;

/**
 * Sends statements of one open transaction without waiting for each answer; the server runs them in order.
 * Over a slow line this is what the time of an update depends on. It needs a connection in pipeline mode:
 * without, statements wait for one another as usual.
 *
 * After a statement fails, those sent behind it fail as well, because their transaction is over. Only the
 * first one counts.
 */
export class Pipeline {
  private readonly client: PoolClient;
  private readonly unanswered: Promise<void>[] = [];
  private failure: { error: unknown } | undefined;

  constructor(client: PoolClient) {
    this.client = client;
  }

  /**
   * Sends a statement; resolves when the next one may be sent. Throws what an earlier one, or this one,
   * failed with.
   *
   * @param explain what to throw for the error of this statement.
   */
  async send(sql: string | QueryConfig, explain: (error: unknown) => unknown = (error) => error): Promise<void> {
    this.refuseAfterFailure();
    const answer = this.client.query(sql).then(
      () => {},
      (error: unknown) => {
        this.failure ??= { error: explain(error) };
      },
    );
    this.unanswered.push(answer);
    if (this.unanswered.length >= MOST_UNANSWERED) await this.unanswered.shift();
    this.refuseAfterFailure();
  }

  /** Waits for all answers, and throws what the first statement failed with. */
  async settle(): Promise<void> {
    await Promise.all(this.unanswered.splice(0));
    this.refuseAfterFailure();
  }

  private refuseAfterFailure(): void {
    if (this.failure !== undefined) throw this.failure.error;
  }
}
