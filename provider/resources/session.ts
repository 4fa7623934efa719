/**
 * What the resources of one configured provider share: settings, the database, and turns, because one process
 * must not work on two of them at once.
 */
import type { ProviderConfig } from "../core/config.ts";
import { type ContinuedRun, runNumber, takeRunLock } from "../database/runLock.ts";
import { openDatabase } from "../database/target.ts";
import { Guard, type GuardStep } from "../guard/guard.ts";
import type { Run } from "../guard/run.ts";
import { guardSteps } from "../guard/steps.ts";
import { Planned } from "./planned.ts";

/** What all resources of one configured provider share. */
export interface Session extends Run {
  /** Each change of the target goes through it. */
  readonly guard: Guard;
  /** Tells this run apart on the database. */
  readonly runNumber: number;
  /** What a preview has planned so far; empty in an update. */
  readonly planned: Planned;
  /**
   * Runs one task after another. Pulumi works on several resources at a time: two that change the database at
   * once could get into each other's locks, and one that plans keeps this process busy while another one's
   * locks are held.
   */
  inTurn<T>(task: () => Promise<T>): Promise<T>;
  /** Runs `task` before the connections are closed. */
  onClose(task: () => Promise<void>): void;
  /** Frees what is held. Called once, when the process ends. */
  close(): Promise<void>;
}

/** What the run is that a session belongs to. */
export interface RunOptions {
  /** Where the engine of this run listens. Default: the provider runs without one. */
  engineAddress?: string;
  /** The run that this process goes on with. */
  continued?: ContinuedRun | undefined;
  /** Default: where the process runs. */
  projectDirectory?: string;
  /** What must be passed before the first change, in this order. Default: what the configuration says. */
  steps?: readonly GuardStep[];
}

/** Connects to nothing yet. Throws a `UserError` when the URL is malformed. */
export function createSession(config: ProviderConfig, options: RunOptions = {}): Session {
  const database = openDatabase(config);
  const { engineAddress, continued, projectDirectory = process.cwd() } = options;
  const number = continued?.number ?? runNumber(engineAddress);
  const run: Run = {
    config,
    database,
    continued,
    record: { declared: new Set(), replaced: new Set() },
    projectDirectory,
  };
  const guard = new Guard(options.steps ?? guardSteps(run), async ({ context }) => {
    if (database === undefined) throw new Error("a change came before the URL of the database was known");
    return takeRunLock(database, number, context);
  });
  const tasks: (() => Promise<void>)[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  return {
    ...run,
    guard,
    runNumber: number,
    planned: new Planned(),
    inTurn: (task) => {
      const result = turn.then(task);
      turn = result.catch(() => undefined);
      return result;
    },
    onClose: (task) => void tasks.push(task),
    async close() {
      await Promise.allSettled(tasks.map((task) => task()));
      await guard.close();
      await database?.close();
    },
  };
}
