/**
 * What a run has to pass before its first change, in this order. Each step is carried out in its own room.
 */
import type { GuardStep } from "./guard.ts";
import type { Run } from "./run.ts";

export function guardSteps({ record }: Run): GuardStep[] {
  const steps: GuardStep[] = [];
  if (steps.length === 0) return [];
  return [
    {
      name: "start",
      isNeeded: () => true,
      run: async () => {
        record.startedAt = new Date().toISOString();
      },
    },
    ...steps,
  ];
}
