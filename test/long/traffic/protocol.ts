/** What the process of the tests and the process of the clients say to each other. */

/**
 * A statement, or a pause of the application in the open transaction, in milliseconds. `$client` is the
 * number of the client.
 */
export type Step = string | { pauseMs: [least: number, most: number] };

/** One transaction of an application. */
export interface ClientTransaction {
  steps: Step[];
  /** How often it is chosen, compared with the others. Default 1. */
  weight?: number;
}

export interface TrafficOrder {
  url: string;
  clients: number;
  transactions: ClientTransaction[];
  /**
   * What a further client runs all the time, on tables that nobody changes: its waits are those of the
   * machine.
   */
  control: ClientTransaction;
}

export interface TrafficReport {
  /** Transactions that were committed. */
  transactions: number;
  /** The longest time that a statement of a client took, in milliseconds, and the statement. */
  longestMs: number;
  longestStatement: string;
  /** The longest time that a statement of the further client took, in milliseconds. */
  controlMs: number;
  /** Errors of the transactions that failed, with SQLSTATE. */
  failed: string[];
}

export type ToClients = { start: TrafficOrder } | { stop: true };
export type FromClients = { started: true } | { report: TrafficReport };
