/**
 * How a command ends: exit codes, and what is printed of an error. What a message says is left to the
 * thrower.
 */
import { shownError, UserError } from "../../provider/core/errors.ts";

/**
 * Runs a command of the project. Exit code 0 when it ends well, else 1: a user's mistake is printed as one
 * message, a defect of ours with its stack before it.
 */
export async function runMain(command: () => Promise<void>): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UserError)) console.error(error);
    console.error(`\nerror: ${shownError(error)}`);
    process.exitCode = 1;
  }
}
