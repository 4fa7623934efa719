/** The passphrase of a checkout's own state, and the salts in its stack files, which belong to it. */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../provider/core/errors.ts";
import { layoutOf } from "./layout.ts";
import { createOnce } from "./place.ts";

/** Files of the stacks that run on the local database. */
export const LOCAL_STACK_FILES = ["Pulumi.dev.yaml", "Pulumi.audit-dev.yaml"];

/**
 * Makes the passphrase of a checkout that has none. A salt that Pulumi wrote with an earlier one is of no use
 * and is removed before.
 *
 * @throws {UserError} PS708 when a stack file, or the state of a stack, needs one that is gone.
 */
export function ensurePassphrase(root: string): void {
  const { passphrase, state } = layoutOf(root);
  if (existsSync(passphrase)) return;
  if (hasStacks(state)) {
    throw new UserError(
      "PS708",
      `The passphrase that opens the state of this checkout's stacks, ${passphrase}, is missing. Put that file back; or give up ` +
        `their local databases and states: run \`npm run reset\`, delete ${state}, and run \`npm start\`.`,
    );
  }
  for (const name of LOCAL_STACK_FILES) removeOrphanedSalt(root, name);
  createOnce(passphrase, `${randomBytes(32).toString("base64url")}\n`, 0o600);
}

/** Whether a state backend has the state of any stack. */
function hasStacks(state: string): boolean {
  const folder = join(state, ".pulumi", "stacks");
  if (!existsSync(folder)) return false;
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).some((name) => name.endsWith(".json"));
}

function removeOrphanedSalt(root: string, name: string): void {
  const file = join(root, name);
  if (!existsSync(file)) return;
  const text = readFileSync(file, "utf8");
  if (!/^encryptionsalt: /m.test(text)) return;
  if (/^\s+secure: /m.test(text)) {
    throw new UserError(
      "PS708",
      `${file} holds secrets, but the passphrase that opens them, ${layoutOf(root).passphrase}, is missing. Put that file back; ` +
        `or delete the secrets and the line \`encryptionsalt\` from ${name}, and set the secrets again after \`npm start\`.`,
    );
  }
  writeFileSync(file, text.replace(/^encryptionsalt: .*\n?/m, ""));
}
