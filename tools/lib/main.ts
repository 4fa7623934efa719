/**
 * How a command ends: exit codes, and what is printed of an error. What a message says is left to the
 * thrower.
 */
import { shownError, UserError } from "../../provider/core/errors.ts";

/**
 * Runs a command of the project. A user's mistake is printed as one message, a defect of ours with its stack
 * before it.
 *
 * @param failed the exit code where it does not end well.
 */
export async function runMain(command: () => Promise<void>, failed = 1): Promise<void> {
  try {
    await command();
  } catch (error) {
    if (!(error instanceof UserError)) console.error(error);
    console.error(`\nerror: ${shownError(error)}`);
    process.exitCode = failed;
  }
}
