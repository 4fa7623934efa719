/**
 * The mode `external`: a backup by others, of which a command tells the time. Nothing is believed without
 * one, and the command's output is never shown.
 */
import { UserError } from "../core/errors.ts";
import type { BackupOrder } from "./order.ts";
import type { ExternalRecord } from "./record.ts";
import { endOf, runProgram } from "./runProgram.ts";

/** With its zone: without, it would be another moment on each machine. */
const TIME = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/;
/** How far two clocks may be apart. */
const CLOCK_SKEW_MS = 300_000;
const HOUR_MS = 3_600_000;

/** @throws {UserError} where there is no such backup, or an old one only. */
export async function externalBackup(order: BackupOrder): Promise<ExternalRecord> {
  const { settings, projectDirectory, signal, database, stack, project, planDigest } = order;
  const started = performance.now();
  const refused = (found: string): UserError => notProven(found, settings.maxAgeHours);
  const env = Object.fromEntries(Object.entries(process.env).map(([name, value]) => [name, value ?? ""]));
  const result = await runProgram("/bin/sh", ["-c", settings.command ?? "exit 1"], {
    env,
    cwd: projectDirectory,
    signal,
    timeoutMs: settings.timeoutMs,
  });
  if (result.hasTimedOut) throw refused(`it did not end within ${settings.timeoutMs / 1000} s (\`backupTimeoutMs\`)`);
  if (result.exitCode !== 0) throw refused(`it ended with ${endOf(result)}`);
  const takenAt = timeIn(result.stdout);
  if (takenAt === undefined)
    throw refused("its last line is no time as ISO 8601 with a zone, such as 2026-01-31T02:00:00Z");
  const ageMs = Date.now() - takenAt.getTime();
  if (ageMs < -CLOCK_SKEW_MS) throw refused(`it tells a time to come, ${takenAt.toISOString()}`);
  if (ageMs > settings.maxAgeHours * HOUR_MS)
    throw refused(`the last backup is of ${takenAt.toISOString()}, ${Math.floor(ageMs / HOUR_MS)} hours ago`);
  return {
    format: 1,
    mode: "external",
    name: `external backup of ${takenAt.toISOString()}`,
    project,
    stack,
    database: database.label,
    takenAt: takenAt.toISOString(),
    ...(planDigest === undefined ? {} : { planDigest }),
    serverVersion: (await database.facts()).version,
    proof: { kind: "none", elapsedMs: 0 },
    elapsedMs: Math.round(performance.now() - started),
    warnings: [],
  };
}

function timeIn(output: string): Date | undefined {
  const text = output.trim().split("\n").at(-1)?.trim() ?? "";
  if (!TIME.test(text)) return undefined;
  const time = new Date(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2"));
  return Number.isNaN(time.getTime()) ? undefined : time;
}

function notProven(found: string, maxAgeHours: number): UserError {
  return new UserError(
    "PS815",
    `\`backupCommand\` does not prove a backup: ${found}. Expected one that is at most ${maxAgeHours} hours old (\`backupMaxAgeHours\`). ` +
      "Take a backup, or mend the command: run it in the folder of the project. Nothing was changed.",
  );
}
