/**
 * How a stack gets a backup back: which database it goes to, what is said and asked beforehand, the state,
 * and the seconds of each stage. How a database is restored is left to `provider/backup/restore.ts`.
 */
import { join } from "node:path";
import { stamp } from "../../provider/backup/backupFiles.ts";
import { unfinishedDatabases } from "../../provider/backup/leftDatabases.ts";
import type { Stored } from "../../provider/backup/record.ts";
import { checkFiles, planRestore, type RestorePlan, restoreBeside, swap } from "../../provider/backup/restore.ts";
import { UserError } from "../../provider/core/errors.ts";
import type { Properties } from "../../provider/core/resourceType.ts";
import { parseConnectionUrl } from "../../provider/database/connectionUrl.ts";
import { runNumber, takeRunLock } from "../../provider/database/runLock.ts";
import { openDatabase } from "../../provider/database/target.ts";
import { ageOf, rowsOf } from "./backupText.ts";
import { askPulumi } from "./pulumi.ts";

export interface RestoreOrder {
  root: string;
  stack: string;
  env: NodeJS.ProcessEnv;
  backup: Stored;
  /** Inputs of the stack's providers, their URLs in the clear. */
  providers: readonly Properties[];
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
  const database = openDatabase({ url: urlOf(order) });
  if (database === undefined) throw new Error("a restore came without a URL");
  const name = database.target.database;
  const signal = new AbortController().signal;
  const report = { info: say, warn: say, status: () => {}, plan: async () => {} };
  try {
    onStage("check");
    await checkFiles(backup);
    const plan = await planRestore(database, backup, into);
    onStage(undefined);
    for (const line of intention(order, plan, database.label)) say(line);
    if (!(await confirm(plan.keptAs === undefined ? `Restore into ${plan.into}?` : `Restore and swap ${name}?`)))
      return undefined;
    const lock = await takeRunLock(database, runNumber(undefined), { report, signal });
    try {
      for (const line of await unfinishedDatabases(database)) say(`warning: ${line}`);
      await restoreBeside(database, backup, plan, { projectDirectory: root, signal, onStage });
    } finally {
      await lock.release();
    }
    let hasState = false;
    if (plan.keptAs !== undefined) {
      onStage("swap");
      await swap(database, plan);
      onStage("state");
      hasState = await importState(order);
    }
    onStage(undefined);
    return {
      backup: record.name,
      database: plan.keptAs === undefined ? plan.into : name,
      keptAs: plan.keptAs ?? null,
      hasState,
      stages,
    };
  } finally {
    await database.close();
  }
}

/** The database that the backup is of, also where its address has changed since. */
function urlOf({ providers, backup, stack }: RestoreOrder): string {
  const urls = providers.flatMap(({ url }) => (typeof url === "string" ? [url] : []));
  const same = urls.find((url) => parseConnectionUrl(url).label === backup.record.database);
  const only = urls.length === 1 ? urls[0] : undefined;
  const found = same ?? only;
  if (found !== undefined) return found;
  throw new UserError(
    "PS701",
    `The stack ${stack} names ${urls.length === 0 ? "no database" : `${urls.length} databases`}, and none is ${backup.record.database}, which the backup is of. ` +
      "Run `pulumi up` for the stack first, or set its databaseUrl.",
  );
}

function intention({ backup, stack }: RestoreOrder, plan: RestorePlan, label: string): string[] {
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
    record.state === undefined
      ? `The state of the stack ${stack} stays as it is: the backup has none.`
      : `The state of the stack ${stack} becomes that of the backup.`,
  ];
}

/** The state as it is now is kept beside the backup. */
async function importState({ root, stack, env, backup, say }: RestoreOrder): Promise<boolean> {
  const { folder, record } = backup;
  if (record.state === undefined) return false;
  const file = join(folder, record.state);
  const present = join(folder, `${record.name}.replaced-${stamp(new Date())}.json`);
  try {
    await askPulumi(root, ["stack", "export", "--stack", stack, "--file", present], env);
    await askPulumi(root, ["stack", "import", "--stack", stack, "--file", file], env);
    say(`The state that the stack had is kept in ${present}.`);
    return true;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    say(
      `warning: the state was not imported (${error.message.split("\n")[0]}). Run: pulumi stack import --stack ${stack} --file ${file}`,
    );
    return false;
  }
}

const round = (seconds: number): number => Math.round(seconds * 100) / 100;
