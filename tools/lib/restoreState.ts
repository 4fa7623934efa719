/**
 * How a stack's state becomes that of a backup: whether it can, where the present one is kept, and what is
 * said when the backend does not take it.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { stamp, writePrivate } from "../../provider/backup/backupFiles.ts";
import type { Stored } from "../../provider/backup/record.ts";
import { UserError } from "../../provider/core/errors.ts";
import { askPulumi } from "./pulumi.ts";
import { shellCommand } from "./shell.ts";

/** A state of the backup that the stack can have. */
export interface StateToImport {
  /** What is to be said of the operations that an update which was killed has left. */
  endsPending: string[];
  /**
   * Keeps the present state beside the backup. Imports it as it is, which fails as the import of the other
   * one would: where another update holds the stack, or the passphrase is wrong.
   *
   * @throws {UserError}
   */
  keepPresent(): Promise<void>;
  /**
   * @param keptAs name of the database that had its name before.
   * @throws {UserError} which says that the database has been swapped.
   */
  replace(keptAs: string): Promise<void>;
}

export interface StateOrder {
  root: string;
  stack: string;
  env: NodeJS.ProcessEnv;
  backup: Stored;
  isFromOther: boolean;
  say: (line: string) => void;
}

const exported = z.object({
  deployment: z.object({
    /** Differs from state to state: it holds a salt, a data key or the stack's address. */
    secrets_providers: z.unknown(),
    pending_operations: z
      .array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }))
      .nullish()
      .transform((operations) => operations ?? []),
  }),
});

/**
 * Undefined where the state stays.
 *
 * @throws {UserError} where the backup's state is not one of this stack's backend.
 */
export async function stateToImport(order: StateOrder): Promise<StateToImport | undefined> {
  const { root, stack, env, backup, isFromOther, say } = order;
  const { folder, record } = backup;
  if (record.state === undefined || isFromOther) return undefined;
  const file = join(folder, record.state);
  const text = await askPulumi(root, ["stack", "export", "--stack", stack], env);
  const { deployment: present } = exported.parse(JSON.parse(text));
  const { deployment: other } = exported.parse(JSON.parse(readFileSync(file, "utf8")));
  if (!isDeepStrictEqual(present.secrets_providers, other.secrets_providers)) {
    throw new UserError(
      "PS819",
      `The state in the backup ${record.name} is not one of this stack: its secrets are encrypted with another key than those of the stack ${stack}. ` +
        "Expected a backup that an update of this stack has taken, with the same passphrase or key. Nothing was changed. " +
        "Give --from-other-database where its rows are meant all the same: the stack's state then stays as it is.",
    );
  }
  const name = `${record.name}.replaced-${stamp(new Date())}.json`;
  const kept = join(folder, name);
  const importing = (path: string): Promise<string> =>
    askPulumi(root, ["stack", "import", "--stack", stack, "--file", path], env);
  return {
    endsPending: present.pending_operations.map(
      ({ type, resource }) =>
        `An update that was killed has left the operation "${type}" of ${resource.urn}; it ends with the present state.`,
    ),
    async keepPresent() {
      await writePrivate(folder, name, text).catch((error: unknown) => {
        throw new UserError(
          "PS703",
          `The present state cannot be kept in ${kept}: ${error instanceof Error ? error.message : String(error)}. Nothing was changed.`,
        );
      });
      await importing(kept).catch((error: unknown) => {
        throw new UserError(
          "PS846",
          `The state of the stack ${stack} cannot be replaced. Nothing was changed. ${reasonOf(error)}\n` +
            `If no update runs, end the one that was killed, and run this again:\n  ${shellCommand("pulumi", "cancel", "--yes", stack)}`,
        );
      });
    },
    async replace(keptAs) {
      await importing(file).catch((error: unknown) => {
        throw new UserError(
          "PS846",
          `The database has the rows of the backup, and as it was it is ${keptAs}; but the state of the stack ${stack} was not replaced. ${reasonOf(error)}\n` +
            `Once that is mended, replace it:\n  ${shellCommand("pulumi", "stack", "import", "--stack", stack, "--file", file)}`,
        );
      });
      say(`The state that the stack had is kept in ${kept}.`);
    },
  };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message.trim() : String(error));
