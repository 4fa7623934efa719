/** A question to the person at the terminal. What is asked is left to the command. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../../provider/core/errors.ts";

/**
 * @param instead the option that answers it where nobody can be asked.
 * @returns whether the answer is yes; an interrupt and the end of the input are a no.
 */
export async function confirm(question: string, instead: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UserError(
      "PS706",
      `There is no terminal to ask: ${question} Nothing was changed. Give ${instead} to answer beforehand.`,
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  terminal.on("SIGINT", () => terminal.close());
  try {
    return /^y(es)?$/i.test((await Promise.race([terminal.question(`${question} [y/N] `), closed])).trim());
  } finally {
    terminal.close();
  }
}
