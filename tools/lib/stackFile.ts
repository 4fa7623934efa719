/** How git leaves out the salt that Pulumi writes into the stack files of a checkout's own state. */
import { execa } from "execa";
import { LOCAL_STACK_FILES } from "../setup/passphrase.ts";

/** What git compares and commits of such a file: all but the salt. `.gitattributes` names the filter. */
const SALT_FILTER = {
  "filter.pgstrata-salt.clean": "sed -e '/^encryptionsalt:/d'",
  "filter.pgstrata-salt.smudge": "cat",
};

/**
 * Sets that filter in the checkout's own git configuration. The salt belongs to the passphrase of this
 * checkout and is of no use to another.
 */
export async function filterSalt(root: string): Promise<void> {
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
  for (const name of LOCAL_STACK_FILES) {
    const { exitCode, stdout } = await git("diff", "--patch", "--", name);
    if (exitCode === 0 && stdout === "") await git("add", "--", name);
  }
}
