/** How a preview is shown, and whether it proposes any change. Its lines are left to the CLI. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { runPulumi } from "./pulumi.ts";

const summaryLine = z.object({ summaryEvent: z.object({ resourceChanges: z.record(z.string(), z.number()) }) });

/**
 * Shows the preview of a stack.
 *
 * @returns whether an update would change anything.
 * @throws {UserError} when the preview fails.
 */
export async function previewStack(root: string, stack: string): Promise<boolean> {
  const directory = mkdtempSync(join(tmpdir(), "pgstrata-preview-"));
  const events = join(directory, "events.json");
  try {
    await runPulumi(root, ["preview", "--stack", stack, "--event-log", events], { PULUMI_DEBUG_COMMANDS: "true" });
    return proposesChanges(readFileSync(events, "utf8"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * Whether an event log of the engine, one JSON object a line, sums up to anything but resources that stay as
 * they are.
 */
export function proposesChanges(eventLog: string): boolean {
  for (const line of eventLog.trim().split("\n").toReversed()) {
    const parsed = summaryLine.safeParse(JSON.parse(line));
    if (parsed.success) return Object.keys(parsed.data.summaryEvent.resourceChanges).some((kind) => kind !== "same");
  }
  // Without a summary nothing is known, and an update does no harm.
  return true;
}
