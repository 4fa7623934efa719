/** The one question before an update: only its name in full is a yes. */
import { createInterface } from "node:readline/promises";
import { UserError } from "../../provider/core/errors.ts";

/** @throws {UserError} where there is no terminal to ask in. */
export async function askForName(question: string, name: string, signal: AbortSignal): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UserError(
      "PS841",
      "Standard input is no terminal, so that the plan cannot be confirmed. Expected a person, or --yes. Nothing was changed.",
    );
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  // In a terminal that reads a line, Ctrl-C is a key and no signal.
  terminal.on("SIGINT", () => process.kill(process.pid, "SIGINT"));
  try {
    return (await terminal.question(question, { signal })).trim() === name;
  } catch (error) {
    if (signal.aborted) return false;
    throw error;
  } finally {
    terminal.close();
  }
}
