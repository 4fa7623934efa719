/** How `Pulumi.dev.yaml` stays usable in each checkout although its salt belongs to one passphrase. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../../provider/core/errors.ts";
import { layoutOf } from "../setup/layout.ts";

const STACK_FILE = "Pulumi.dev.yaml";

/** What git compares and commits of a stack file: all but the salt. `.gitattributes` names the filter. */
const SALT_FILTER = {
  "filter.pgstrata-salt.clean": "sed -e '/^encryptionsalt:/d'",
  "filter.pgstrata-salt.smudge": "cat",
};

/**
 * Makes `Pulumi.dev.yaml` fit for this checkout. Pulumi writes into it the salt that belongs to the
 * passphrase of this checkout and is of no use to another; a filter in the checkout's own git configuration
 * keeps it out of git. A salt whose passphrase is gone is removed. To be called before a passphrase is made.
 *
 * @throws {UserError} when the file holds secrets whose passphrase is gone.
 */
export async function prepareStackFile(root: string): Promise<void> {
  removeOrphanedSalt(root);
  for (const [name, value] of Object.entries(SALT_FILTER)) {
    // Without git, or outside of a checkout, there is nothing to keep clean.
    await execa("git", ["-C", root, "config", "--local", name, value], { reject: false });
  }
}

/**
 * To be called after a command that may have written the salt: git compares sizes before it asks the filter,
 * so it must be told that nothing changed. A change of anything else is left as it is.
 */
export async function settleStackFile(root: string): Promise<void> {
  const git = (...args: string[]) => execa("git", ["-C", root, ...args], { reject: false });
  const { exitCode, stdout } = await git("diff", "--patch", "--", STACK_FILE);
  if (exitCode === 0 && stdout === "") await git("add", "--", STACK_FILE);
}

function removeOrphanedSalt(root: string): void {
  const file = join(root, STACK_FILE);
  const { passphrase } = layoutOf(root);
  const text = readFileSync(file, "utf8");
  if (!/^encryptionsalt: /m.test(text) || existsSync(passphrase)) return;
  if (/^\s+secure: /m.test(text)) {
    throw new UserError(
      "PS708",
      `${file} holds secrets, but the passphrase that opens them, ${passphrase}, is missing. Put that file back; or delete ` +
        `the secrets and the line \`encryptionsalt\` from ${STACK_FILE}, and set the secrets again after \`npm start\`.`,
    );
  }
  writeFileSync(file, text.replace(/^encryptionsalt: .*\n?/m, ""));
}
