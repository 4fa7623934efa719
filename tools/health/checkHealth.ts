/**
 * One round of health checks: all registrations of a database, several at once, each with a limit of time, so
 * that none waits for a dead host. What is asked of a service is left to `provider/services/`.
 */
import type { Database } from "../../provider/database/target.ts";
import { ConnectionStringError } from "../../provider/services/connectionStringError.ts";
import { endpointText, ProbeFailure } from "../../provider/services/failures.ts";
import { probeService } from "../../provider/services/probe.ts";
import { isChecked, type Recorded, type Registration, readRegistrations, recordResults } from "./registrations.ts";

export interface HealthOptions {
  /** How many are asked at once. */
  concurrency: number;
  /** Longest run of one probe. */
  timeoutMs: number;
  /** How many equal results change a status. */
  after: number;
  /** Ends the round: what is not known then is not recorded. */
  signal: AbortSignal;
}

export interface Health {
  id: string;
  name: string;
  type: string;
  endpoint: string;
  /** Of this round; skipped where the registration is inactive. */
  result: "healthy" | "unhealthy" | "skipped";
  /** What the registry has now; undefined where it was not recorded. */
  status: string | undefined;
  version: string | undefined;
  latencyMs: number | undefined;
  error: string | undefined;
}

/** @throws {UserError} where the registrations cannot be read, or results not recorded. */
export async function checkHealth(database: Database, options: HealthOptions): Promise<Health[]> {
  const registrations = await readRegistrations(database);
  const found = await inParallel(registrations, options.concurrency, (each) => checked(each, options));
  const known = found.filter((each) => each !== undefined);
  const results = known.flatMap(({ id, result, error = null }): Recorded[] =>
    result === "skipped" ? [] : [{ id, result, error }],
  );
  const statuses = results.length === 0 ? new Map() : await recordResults(database, results, options.after);
  return known.map((each) => ({ ...each, status: statuses.get(each.id) }));
}

/** Undefined where the round has ended before it was known. */
async function checked(registration: Registration, { timeoutMs, signal }: HealthOptions): Promise<Health | undefined> {
  const { id, name, type, connectionString } = registration;
  const about = { id, name, type, endpoint: endpointText(registration), status: undefined };
  const nothing = { version: undefined, latencyMs: undefined, error: undefined };
  if (signal.aborted) return undefined;
  if (!isChecked(registration)) return { ...about, ...nothing, result: "skipped" };
  if (connectionString === null) {
    return {
      ...about,
      ...nothing,
      result: "unhealthy",
      error: "its connection string does not open; register it again",
    };
  }
  try {
    const config = registration.config ?? {};
    const answer = await probeService({ connectionString, type, config, access: "read", timeoutMs, signal });
    return { ...about, ...nothing, ...answer, result: "healthy" };
  } catch (error) {
    if (signal.aborted) return undefined;
    return { ...about, ...nothing, result: "unhealthy", error: reasonOf(error) };
  }
}

/** Only what is free of secrets by its making. */
function reasonOf(error: unknown): string {
  if (error instanceof ProbeFailure) return error.message;
  if (error instanceof ConnectionStringError) return `its connection string cannot be used: ${error.message}`;
  throw error;
}

async function inParallel<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) {
      const item = items[index];
      if (item !== undefined) results[index] = await work(item);
    }
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return results;
}
