/** How stack files of a checkout's own state stay usable although their salt belongs to one passphrase. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { UserError } from "../../provider/core/errors.ts";
import { layoutOf } from "../setup/layout.ts";

/** Of the stacks that run on the local database. */
const STACK_FILES = ["Pulumi.dev.yaml", "Pulumi.audit-dev.yaml"];

/** What git compares and commits of such a file: all but the salt. `.gitattributes` names the filter. */
const SALT_FILTER = {
  "filter.pgstrata-salt.clean": "sed -e '/^encryptionsalt:/d'",
  "filter.pgstrata-salt.smudge": "cat",
};

/**
 * Makes these files fit for this checkout. Pulumi writes into each the salt that belongs to the
 * passphrase of this checkout and is of no use to another; a filter in the checkout's own git configuration
 * keeps it out of git. A salt whose passphrase is gone is removed. To be called before a passphrase is made.
 *
 * @throws {UserError} when the file holds secrets whose passphrase is gone.
 */
export async function prepareStackFile(root: string): Promise<void> {
  for (const name of STACK_FILES) removeOrphanedSalt(root, name);
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
  for (const name of STACK_FILES) {
    const { exitCode, stdout } = await git("diff", "--patch", "--", name);
    if (exitCode === 0 && stdout === "") await git("add", "--", name);
  }
}

function removeOrphanedSalt(root: string, name: string): void {
  const file = join(root, name);
  if (!existsSync(file)) return;
  const { passphrase } = layoutOf(root);
  const text = readFileSync(file, "utf8");
  if (!/^encryptionsalt: /m.test(text) || existsSync(passphrase)) return;
  if (/^\s+secure: /m.test(text)) {
    throw new UserError(
      "PS708",
      `${file} holds secrets, but the passphrase that opens them, ${passphrase}, is missing. Put that file back; or delete ` +
        `the secrets and the line \`encryptionsalt\` from ${name}, and set the secrets again after \`npm start\`.`,
    );
  }
  writeFileSync(file, text.replace(/^encryptionsalt: .*\n?/m, ""));
}
