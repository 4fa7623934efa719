/** Kills a restore at a boundary, and says what was not as it must be afterwards. */
import { ask } from "../../support/database.ts";
import type { ProcedureCrash, StageBoundary } from "../../support/procedureCrash.ts";
import { ROWS_DIGEST } from "../../support/procedureProgram.ts";
import { RESTORE } from "./stageBoundaries.ts";

export type RestoreBoundary = keyof typeof RESTORE;

const COMMAND = ["restore", "latest", "--yes"];
const LEFT = 7;

/** Takes a backup of all rows by an update, and then loses most of them. */
export async function loseRows(crash: ProcedureCrash): Promise<void> {
  await crash.stack.succeed("up", "--yes", "--skip-preview");
  await ask(crash.url, `delete from shop.items where id > ${LEFT}`);
  await crash.keep();
}

/** @param rows as the backup has them. */
export async function killRestoreAt(
  crash: ProcedureCrash,
  name: RestoreBoundary,
  rows: Record<string, unknown>[],
): Promise<string[]> {
  const boundary: StageBoundary = RESTORE[name];
  await crash.killAt(COMMAND, boundary);
  const problems: string[] = [];
  const digest = async (): Promise<string> => JSON.stringify(await ask(crash.url, ROWS_DIGEST));
  const [standing] = await ask(crash.url, ROWS_DIGEST);
  const isSwapped = name.startsWith("after they are permanent");
  if (standing?.rows !== (isSwapped ? rows[0]?.rows : LEFT)) problems.push(`half a swap: ${JSON.stringify(standing)}`);
  const unfinished = (await crash.databases()).filter((each) => each.includes("_restoring_"));

  const again = await crash.recover(COMMAND);
  if (again.exitCode !== 0)
    return [...problems, `the next run failed:\n${again.output}`].map((each) => `${name}: ${each}`);
  if ((await digest()) !== JSON.stringify(rows)) problems.push(`rows are not those of the backup: ${await digest()}`);
  for (const each of unfinished) {
    const advice = `drop database "${each}";`;
    if (!again.output.includes(advice)) problems.push(`${each} is not named:\n${again.output}`);
    await ask(crash.url, advice);
  }
  const kept = (await crash.databases()).filter((each) => each.includes("_before_restore_"));
  const before = await Promise.all(
    kept.map((each) => ask(Object.assign(new URL(crash.url), { pathname: `/${each}` }).href, ROWS_DIGEST)),
  );
  if (!before.flat().some(({ rows: count }) => count === LEFT)) problems.push("the rows as they were are not kept");
  if ((await crash.databases()).length !== 1 + kept.length) problems.push("a database is left over");
  const up = await crash.recover(["pulumi", "up", "--yes", "--skip-preview"]);
  if (up.exitCode !== 0) problems.push(`the next update failed:\n${up.output}`);
  if ((await digest()) !== JSON.stringify(rows)) problems.push("the update changed the rows");
  problems.push(...(await crash.backupProblems()).filter((each) => !each.includes(".replaced-")));
  return problems.map((each) => `${name}: ${each}`);
}
