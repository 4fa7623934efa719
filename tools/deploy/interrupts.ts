/** SIGINT and SIGTERM while an update is under way: what they reach is up to the stage that runs. */

const SIGNALS = ["SIGINT", "SIGTERM"] as const;
const EXIT_CODES: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

export class Interrupts {
  /** Aborted by the first signal. */
  readonly abort = new AbortController();
  private received: NodeJS.Signals | undefined;
  private readonly hands = new Set<(signal: NodeJS.Signals) => void>();

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.onSignal);
  }

  /** The exit code of a command that a signal has ended; undefined without one. */
  get exitCode(): number | undefined {
    return this.received === undefined ? undefined : EXIT_CODES[this.received];
  }

  /**
   * Hands each signal on; one that has come is handed on at once. The CLI asks for SIGINT to end in order.
   */
  handTo(hand: (signal: NodeJS.Signals) => void): void {
    this.hands.add(hand);
    if (this.received !== undefined) hand("SIGINT");
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  private readonly onSignal = (signal: NodeJS.Signals): void => {
    this.received ??= signal;
    this.abort.abort();
    for (const hand of this.hands) hand("SIGINT");
  };
}
