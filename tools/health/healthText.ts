/** How a round of health checks is printed for people. Which exit code it has, is told here as well. */
import { visible } from "../../provider/core/visible.ts";
import type { Health } from "./checkHealth.ts";

/** The health of one database's registrations. */
export interface HealthReport {
  /** `user@host:port/database`. */
  database: string;
  checkedAt: string;
  registrations: Health[];
}

/** A line a registration; what is wrong stands below it. */
export function healthAsTable({ database, checkedAt, registrations }: HealthReport): string {
  const lines = registrations.map((each) =>
    [
      stateOf(each),
      each.name,
      each.type,
      each.endpoint,
      each.latencyMs === undefined ? "" : `${each.latencyMs} ms`,
      each.version ?? "",
    ].map(visible),
  );
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return [
    `${database}  ${checkedAt}`,
    ...registrations.flatMap(({ error }, n) => [
      (lines[n] ?? [])
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
      ...(error === undefined ? [] : [`  ${visible(error)}`]),
    ]),
    ...(registrations.length === 0 ? ["No service is registered."] : []),
  ].join("\n");
}

/** Whether the registry has an unhealthy one after this round. */
export const isUnhealthy = ({ registrations }: HealthReport): boolean =>
  registrations.some(({ status }) => status === "unhealthy");

/** The status; with what this round found, where that has not changed it yet. */
function stateOf({ result, status }: Health): string {
  if (status === undefined || status === result) return result;
  return `${status} (now ${result})`;
}
