/**
 * How a stack gets a backup back: what is said and asked beforehand, and the seconds of each stage. How a
 * database is restored is left to `provider/backup/restore.ts`, and the state to `restoreState.ts`.
 */
import { unfinishedDatabases } from "../../provider/backup/leftDatabases.ts";
import type { Stored } from "../../provider/backup/record.ts";
import { checkFiles, planRestore, type RestorePlan, restoreBeside, swap } from "../../provider/backup/restore.ts";
import { runNumber, takeRunLock } from "../../provider/database/runLock.ts";
import { openDatabase } from "../../provider/database/target.ts";
import { ageOf, rowsOf } from "./backupText.ts";
import { type StateToImport, stateToImport } from "./restoreState.ts";

export interface RestoreOrder {
  root: string;
  stack: string;
  env: NodeJS.ProcessEnv;
  backup: Stored;
  /** Of the target. Secret. */
  url: string;
  /** The rows alone are meant: the backup is of another database, or of another stack. */
  isFromOther: boolean;
  /** A name for the new database, which is then not swapped. */
  into?: string | undefined;
  /** Asks a person, unless it was said beforehand; false stops. */
  confirm: (question: string) => Promise<boolean>;
  say: (line: string) => void;
}

/** What was done. */
export interface Restored {
  backup: string;
  /** The database that has the rows now. */
  database: string;
  /** The name of the one that had its name before; null where names were not swapped. */
  keptAs: string | null;
  /** Whether the stack's state is that of the backup. */
  hasState: boolean;
  stages: { name: string; seconds: number }[];
}

/**
 * @returns undefined where the person said no.
 * @throws {UserError} with what to do.
 */
export async function restoreStack(order: RestoreOrder): Promise<Restored | undefined> {
  const { root, backup, say, into, confirm } = order;
  const { record } = backup;
  const stages: Restored["stages"] = [];
  let running: { name: string; since: number } | undefined;
  const onStage = (name: string | undefined): void => {
    const now = performance.now();
    if (running !== undefined) stages.push({ name: running.name, seconds: round((now - running.since) / 1000) });
    running = name === undefined ? undefined : { name, since: now };
  };
  const database = openDatabase({ url: order.url });
  if (database === undefined) throw new Error("a restore came without a URL");
  const name = database.target.database;
  const signal = new AbortController().signal;
  const report = { info: say, warn: say, status: () => {}, plan: async () => {} };
  try {
    onStage("check");
    await checkFiles(backup);
    const plan = await planRestore(database, backup, into);
    const state = plan.keptAs === undefined ? undefined : await stateToImport(order);
    onStage(undefined);
    for (const line of intention(order, { plan, state, label: database.label })) say(line);
    if (!(await confirm(plan.keptAs === undefined ? `Restore into ${plan.into}?` : `Restore and swap ${name}?`)))
      return undefined;
    if (state !== undefined) {
      onStage("present state");
      await state.keepPresent();
    }
    const lock = await takeRunLock(database, runNumber(undefined), { report, signal });
    try {
      for (const line of await unfinishedDatabases(database)) say(`warning: ${line}`);
      await restoreBeside(database, backup, plan, { projectDirectory: root, signal, onStage });
    } finally {
      await lock.release();
    }
    if (plan.keptAs !== undefined) {
      onStage("swap");
      await swap(database, plan);
    }
    if (state !== undefined && plan.keptAs !== undefined) {
      onStage("state");
      await state.replace(plan.keptAs);
    }
    onStage(undefined);
    return {
      backup: record.name,
      database: plan.keptAs === undefined ? plan.into : name,
      keptAs: plan.keptAs ?? null,
      hasState: state !== undefined,
      stages,
    };
  } finally {
    await database.close();
  }
}

interface Intended {
  plan: RestorePlan;
  state: StateToImport | undefined;
  label: string;
}

function intention({ backup, stack, isFromOther }: RestoreOrder, { plan, state, label }: Intended): string[] {
  const { record } = backup;
  const rows = `${Object.keys(record.rows).length} tables, ${rowsOf(record).toLocaleString("en")} rows`;
  const lines = [
    `Backup ${record.name}: ${rows}, ${ageOf(record.takenAt, new Date())} old (${record.takenAt}), of ${record.database}`,
    `It is restored into the new database ${plan.into} beside ${label}.`,
  ];
  if (!plan.hasOwners)
    lines.push("Its objects will belong to the connecting role, which is not a member of all their owners.");
  if (plan.keptAs === undefined) {
    lines.push(
      `The two are not swapped, because ${plan.reason ?? "that is not allowed"}: afterwards, set the stack's databaseUrl to ${plan.into}.`,
    );
    return lines;
  }
  return [
    ...lines,
    `Then it takes the name of the target, which is kept as ${plan.keptAs}; rows written since the backup stay there.`,
    `${plan.sessions === 1 ? "1 session" : `${plan.sessions} sessions`} on the target will be ended.`,
    state === undefined
      ? `The state of the stack ${stack} stays as it is: the backup ${isFromOther ? "is not of this database" : "has none"}.`
      : `The state of the stack ${stack} becomes that of the backup.`,
    ...(state?.endsPending ?? []),
  ];
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100;
