/** Kills an update between its stages, and says what was not as it must be afterwards. */
import { listBackups } from "../../../provider/backup/backupFiles.ts";
import { ask } from "../../support/database.ts";
import {
  type Command,
  createProcedureCrash,
  type ProcedureCrash,
  type StageBoundary,
} from "../../support/procedureCrash.ts";
import { AFTER, BEFORE, PROGRAM, ROWS, ROWS_DIGEST } from "../../support/procedureProgram.ts";
import { UPDATE } from "./stageBoundaries.ts";

export type UpdateBoundary = keyof typeof UPDATE;

/** The small stack with its rows, kept as it is before an update of both of its layers. */
export async function createUpdatable(): Promise<ProcedureCrash> {
  const crash = await createProcedureCrash({ program: PROGRAM, files: BEFORE });
  await crash.stack.succeed("up", "--yes", "--skip-preview");
  await ask(crash.url, ROWS);
  await crash.keep();
  for (const [path, text] of Object.entries(AFTER)) await crash.stack.write(path, text);
  return crash;
}

/** What the next run says of the killed one, where something of it is left. */
const SAID: Partial<Record<UpdateBoundary, RegExp>> = {
  "during the dump": /an unfinished backup/,
  "after the dump, before its proof": /an unfinished backup/,
  "during the proof": /an unfinished backup/,
};

/** @param command the one that is killed, and run again. */
export async function killUpdateAt(crash: ProcedureCrash, command: Command, name: UpdateBoundary): Promise<string[]> {
  const boundary: StageBoundary = UPDATE[name];
  const rows = await ask(crash.url, ROWS_DIGEST);
  const killed = await crash.killAt(command, boundary);
  const problems: string[] = [];
  const backups = await listBackups(`${crash.stack.directory}/backups`);
  const again = await crash.recover(command);
  if (again.exitCode !== 0) return [`${name}: the next run failed:\n${killed.output}\n---\n${again.output}`];
  if (!(SAID[name] ?? /./).test(again.output)) problems.push(`it does not say what it found:\n${again.output}`);
  const preview = await crash.stack.run("preview", "--expect-no-changes");
  if (preview.exitCode !== 0) problems.push(`something is left to do:\n${preview.output}`);
  if (JSON.stringify(await ask(crash.url, ROWS_DIGEST)) !== JSON.stringify(rows))
    problems.push("rows are not as they were");
  problems.push(...(await crash.backupProblems()));
  const now = await listBackups(`${crash.stack.directory}/backups`);
  if (now.length <= backups.length && !again.output.includes("unchanged"))
    problems.push("no backup before the changes");
  if ((await crash.databases()).length !== 1) problems.push(`databases: ${(await crash.databases()).join(", ")}`);
  return problems.map((problem) => `${name}: ${problem}`);
}
