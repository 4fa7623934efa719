/**
 * What a run has to pass before its first change, in this order. Each step is carried out in its own room.
 */
import type { RowsByTable } from "../backup/tableRows.ts";
import { UserError } from "../core/errors.ts";
import { stackNameOf } from "../core/urn.ts";
import { isStillHeld } from "../database/runLock.ts";
import type { GuardStep } from "./guard.ts";
import type { Run } from "./run.ts";

export function guardSteps(run: Run): GuardStep[] {
  if (run.config.backup.mode === "off") run.record.backup = { mode: "off" };
  const counts: Counts = { counted: undefined };
  const steps = [gateStep(run), ...backupStep(run, counts), ...baselineStep(run, counts)];
  return [
    {
      name: "start",
      isNeeded: (change) => steps.some((step) => step.isNeeded(change)),
      run: async () => {
        run.record.startedAt = new Date().toISOString();
      },
    },
    ...steps,
  ];
}

/** What the backup hands on to the baseline of the same change. */
interface Counts {
  counted: RowsByTable | undefined;
}

/** A destroy goes without: a rollback must not wait for a maintenance window. */
function gateStep({ config, record }: Run): GuardStep {
  return {
    name: "gate",
    isNeeded: ({ operation }) =>
      (config.requireGate || record.gate !== undefined) && (operation !== "delete" || record.hasProgram === true),
    run: async ({ context }) => {
      if (record.gate !== undefined) {
        record.planDigest = await record.gate.pass(context);
        return;
      }
      throw new UserError(
        "PS803",
        "This run has no gate, and the provider's requireGate is true. Expected a gate that says GO before the first change. " +
          'Declare a Preflight before all other components; a run with --target names the gate as well: --target "**pgstrata:index:Gate::*". If the program is empty on purpose, run `pulumi destroy`. Nothing was changed.',
      );
    },
  };
}

/** A destroy is a change like any other. */
function backupStep({ config, database, record, continued, projectDirectory }: Run, counts: Counts): GuardStep[] {
  const { backup, lockLimitMs, lockTimeoutMs } = config;
  if (backup.mode === "off" || database === undefined) return [];
  return [
    {
      name: "backup",
      isNeeded: () => true,
      run: async ({ context, operation }, lock) => {
        if (continued !== undefined && (await isStillHeld(lock, continued))) {
          context.report.info("backup: the one that this command has taken before its first change");
          return;
        }
        const { takeBackup } = await import("../backup/takeBackup.ts");
        record.backup = await takeBackup({
          settings: backup,
          database,
          lock,
          lockWaitMs: Math.max(lockLimitMs, lockTimeoutMs),
          ...stackNameOf(context.urn),
          planDigest: record.planDigest,
          projectDirectory,
          report: context.report,
          signal: context.signal,
        });
        const taken = record.backup.record;
        // After a deletion the rows are other ones, and the baseline comes with a later change.
        const isFollowed = operation !== "delete" && taken !== undefined && taken.mode !== "external";
        counts.counted = isFollowed ? taken.rows : undefined;
      },
    },
  ];
}

/** What a verification compares with after the last change; a destroy has none. */
function baselineStep({ config, database, record, projectDirectory }: Run, counts: Counts): GuardStep[] {
  const { schemas, queries } = config.baseline;
  if (database === undefined || schemas.length + queries.length === 0) return [];
  return [
    {
      name: "baseline",
      isNeeded: ({ operation }) => operation !== "delete",
      run: async ({ context }) => {
        const { takeBaseline } = await import("../verification/baseline.ts");
        record.baseline ??= await takeBaseline(database, config, projectDirectory, context.signal, counts);
      },
    },
  ];
}
