/** What a rollback prints at its end, for people. */
import { visible } from "../../provider/core/visible.ts";
import type { RollbackReport, UndoReport } from "./components.ts";
import type { LastReport } from "./last.ts";

export function formatRollback({ rolledBack, archived, elapsedMs, budgetMs, checks }: RollbackReport): string {
  const width = Math.max(...checks.map(({ name }) => visible(name).length));
  return [
    ...checks.map(({ name, status, measured, expected }) => {
      const line = `${status.padEnd(7)}  ${visible(name).padEnd(width)}  ${visible(measured)}`;
      return status === "PASS" ? line : `${line}   expected ${visible(expected)}`;
    }),
    `Rolled back ${rolledBack} in ${seconds(elapsedMs)} of ${budgetMs / 60_000} min.`,
    ...(archived === 0 ? [] : [`${archived} registrations are in the archive: \`npm run rollback -- undo\``]),
  ].join("\n");
}

export function formatUndo({ inserted, updated, notOpened, refused, elapsedMs }: UndoReport): string {
  return [
    `Made the components again in ${seconds(elapsedMs)}. Registrations put back: ${inserted}; given their IDs and health back: ${updated}.`,
    ...notOpened.map(
      (name) =>
        `FAIL     registration ${visible(name)}: its connection string cannot be decrypted; it stays in the archive`,
    ),
    ...refused.map(
      ({ name, reason }) => `FAIL     registration ${visible(name)}: ${visible(reason)} It stays in the archive`,
    ),
    ...(refused.length === 0 ? [] : ["Once that is mended, `npm run rollback -- undo` puts them back."]),
  ].join("\n");
}

export function formatLast({ stack, returnedTo, commit, changes, elapsedMs }: LastReport): string {
  return (
    `Stack ${stack} is as after the update of ${returnedTo} (commit ${commit.slice(0, 12)}): ${changes}, ${seconds(elapsedMs)}. ` +
    "`pulumi up` returns to the files of this checkout."
  );
}

const seconds = (elapsedMs: number): string => `${(elapsedMs / 1000).toFixed(1)} s`;
