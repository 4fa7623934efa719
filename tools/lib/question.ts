/** A question to the person at the terminal. What is asked is left to the command. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";
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

/** A line of the input that a terminal does not show; empty where there is none. */
export async function askSecret(question: string, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const isTerminal = input.isTTY === true;
  if (isTerminal) process.stderr.write(`${question}: `);
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input, output: nowhere, terminal: isTerminal });
  const closed = new Promise<string>((resolve) => terminal.once("close", () => resolve("")));
  terminal.on("SIGINT", () => terminal.close());
  try {
    return (await Promise.race([terminal.question(""), closed])).trim();
  } finally {
    terminal.close();
    if (isTerminal) process.stderr.write("\n");
  }
}
