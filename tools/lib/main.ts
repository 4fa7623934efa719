/**
 * How a command begins and ends: its usage, exit codes, and what is printed of an error. What a message says
 * is left to the thrower.
 */
import { shownError, UserError } from "../../provider/core/errors.ts";

let hasReported = false;

/**
 * Prints the report of a command, the only thing on its standard output where that is JSON. With it, a
 * failure does not print one more.
 */
export function printReport(text: string): void {
  hasReported = true;
  console.log(text);
}

/**
 * Runs a command of the project, or prints its usage where that is asked for. A user's mistake is printed as
 * one message, a defect of ours with its stack before it; with `--json` also as JSON on the standard output.
 *
 * @param usage the line to type, and what more there is to say of it.
 * @param failed the exit code where it does not end well.
 */
export async function runMain(usage: string, command: () => Promise<void>, failed = 1): Promise<void> {
  const given = optionsIn(process.argv.slice(2));
  if (given.includes("--help") || given.includes("-h")) {
    console.log(usage);
    return;
  }
  try {
    await command();
  } catch (error) {
    const told = await toldOf(error);
    if (given.includes("--json") && !hasReported) console.log(JSON.stringify({ error: asJson(told) }, null, 2));
    console.error(`\nerror: ${shownError(told)}`);
    process.exitCode = failed;
  }
}

function optionsIn(words: readonly string[]): readonly string[] {
  const end = words.indexOf("--");
  return end === -1 ? words : words.slice(0, end);
}

/** The code is null for a defect of ours. */
function asJson(error: unknown): { code: string | null; message: string } {
  const message = error instanceof Error ? error.message : String(error);
  return { code: error instanceof UserError ? error.code : null, message };
}

/**
 * What a user reads of anything that a command throws. Of an error of the database its DETAIL never shows,
 * which may hold values of rows; of a defect the stack goes to stderr.
 */
export const describeFailure = async (error: unknown): Promise<string> => shownError(await toldOf(error));

async function toldOf(error: unknown): Promise<unknown> {
  if (error instanceof UserError) return error;
  const { describeDatabaseError } = await import("../../provider/database/databaseError.ts");
  const told = describeDatabaseError(error);
  if (told === undefined) console.error(error);
  return told ?? error;
}
