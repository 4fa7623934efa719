/**
 * What must be done once before a run first changes the target, whichever resource comes to it. What is done
 * is left to the steps, and where a change begins to the resources.
 */
import { CHANGES_BEGIN, statusOfStep } from "../core/guardStatus.ts";
import type { CallContext } from "../core/resourceType.ts";
import type { RunLock } from "../database/runLock.ts";

/** The change that a run is about to make. */
export interface Change {
  context: CallContext;
  operation: "create" | "update" | "delete";
}

/** One thing that has to pass before the first change. */
export interface GuardStep {
  /** As progress shows it, such as `backup`. */
  readonly name: string;
  /** Whether a run has to pass the step before this change. */
  isNeeded(change: Change): boolean;
  /**
   * @param lock of the run, held on the database.
   * @throws {UserError} when the change must not be made; nothing has been changed then.
   */
  run(change: Change, lock: RunLock): Promise<void>;
}

/**
 * To be called right before the first statement of a resource that changes the target. It ends the work
 * where a step has not been passed; where a change is certain, it may be asked beforehand, before work that
 * would be lost.
 */
export type BeforeChange = (when?: "beforehand") => void;

/** Thrown where a change would begin before the guard has passed. */
class GuardComesFirst extends Error {
  constructor() {
    super("a change has begun before the guard has passed");
  }
}

/**
 * Stands between a run and its first change of the target. Nothing is asked of a run that changes nothing.
 * The lock of the run is taken before the steps and stays until the process ends: what they measured stays
 * true. Where its connection is lost, all is done again before the next change.
 */
export class Guard {
  /** How many resources this run has changed, and how many a preview would change. */
  readonly changes = { planned: 0, made: 0 };
  private readonly steps: readonly GuardStep[];
  private readonly takeLock: (change: Change) => Promise<RunLock>;
  private lock: RunLock | undefined;
  private readonly passed = new Set<GuardStep>();
  /** Why this run may change nothing any more. */
  private refusal: { error: unknown } | undefined;

  /** @param takeLock waits for other runs on the same database. */
  constructor(steps: readonly GuardStep[], takeLock: (change: Change) => Promise<RunLock>) {
    this.steps = steps;
    this.takeLock = takeLock;
  }

  /**
   * Runs work that may change the target, for a caller that has a turn. Where the work is about to change
   * something and a step has not been passed, it ends there, rolls back what transaction it has open, and is
   * run again afterwards.
   *
   * @throws {UserError} of the step that stops the change.
   */
  async guarded<T>(change: Change, work: (beforeChange: BeforeChange) => Promise<T>): Promise<T> {
    let hasChanged = false;
    const beforeChange: BeforeChange = (when) => {
      if (this.missing(change).length > 0) throw new GuardComesFirst();
      if (when === "beforehand") return;
      if (!hasChanged) this.changes.made += 1;
      hasChanged = true;
    };
    for (;;) {
      try {
        return await work(beforeChange);
      } catch (error) {
        if (!(error instanceof GuardComesFirst)) throw error;
      }
      await this.pass(change);
    }
  }

  /** To be called in a preview for a resource that an update would change. */
  notePlanned(): void {
    this.changes.planned += 1;
  }

  /** The lock of the run, where it has passed the steps before a change and still holds it. */
  get held(): RunLock | undefined {
    const { lock, refusal } = this;
    return refusal === undefined && lock?.isHeld === true ? lock : undefined;
  }

  async close(): Promise<void> {
    const { lock } = this;
    this.lock = undefined;
    await lock?.release();
  }

  private missing(change: Change): readonly GuardStep[] {
    const needed = this.steps.filter((step) => step.isNeeded(change));
    return this.lock?.isHeld === true ? needed.filter((step) => !this.passed.has(step)) : needed;
  }

  private async pass(change: Change): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal.error;
    const { report, signal } = change.context;
    try {
      if (this.lock?.isHeld === false) {
        report.warn("the connection that kept other runs away was lost: what comes before a change is done again");
        await this.close();
        this.passed.clear();
      }
      this.lock ??= await this.takeLock(change);
      for (const step of this.missing(change)) {
        signal.throwIfAborted();
        report.status(statusOfStep(step.name));
        await step.run(change, this.lock);
        this.passed.add(step);
      }
      report.status(CHANGES_BEGIN);
    } catch (error) {
      this.refusal = { error };
      throw error;
    }
  }
}
