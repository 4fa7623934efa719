/**
 * `npm run rls:matrix`: who reaches what under restrictive policies, as text, or as a page with `--html
 * <file>`. It prints the expected cells, which the tests hold a database to; it asks no database.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { UserError } from "../../provider/core/errors.ts";
import { runMain } from "../lib/main.ts";
import { formatMatrix, matrixPage, readMatrix } from "../lib/rlsMatrix.ts";

const USAGE = "npm run rls:matrix -- [--html <file>]";

await runMain(USAGE, async () => {
  const html = htmlFile();
  const matrix = readMatrix();
  if (html === undefined) {
    console.log(formatMatrix(matrix));
    return;
  }
  writeFileSync(html, matrixPage(matrix));
  console.log(`Written to ${html}.`);
});

function htmlFile(): string | undefined {
  try {
    return parseArgs({ options: { html: { type: "string" } } }).values.html;
  } catch (error) {
    throw new UserError("PS706", `${error instanceof Error ? error.message : String(error)}\nExpected: ${USAGE}`);
  }
}
