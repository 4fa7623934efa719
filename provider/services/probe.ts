/**
 * A real connection to a service, with a limit of time. Whatever fails is a `ProbeFailure`, whose message may
 * be shown. What is asked of a service is left to its type.
 */
import { parseConnectionString } from "./connectionString.ts";
import { networkFailure, ProbeFailure } from "./failures.ts";
import { orAborted, reach } from "./network.ts";
import { type Access, type ProbeAnswer, type ProbeTarget, type ServiceType, textSetting } from "./serviceType.ts";
import { SERVICE_TYPES } from "./serviceTypes.ts";

export const PROBE_TIMEOUT_MS = 5000;

export interface ProbeRequest {
  /** Secret. */
  connectionString: string;
  type: string;
  /** The settings of the registration. */
  config?: Readonly<Record<string, unknown>>;
  access: Access;
  timeoutMs?: number;
  /** Ends the probe before its time. */
  signal?: AbortSignal;
}

/**
 * @throws {ProbeFailure} where the service is not as it has to be.
 * @throws {ConnectionStringError} where the string cannot be read.
 */
export async function probeService(request: ProbeRequest): Promise<ProbeAnswer> {
  const { service, target } = targetOf(request);
  const { parts, signal } = target;
  try {
    await reach(parts, signal);
    return await orAborted(service.probe(target), signal);
  } catch (error) {
    throw networkFailure(error, parts) ?? new ProbeFailure("protocol", parts);
  }
}

/**
 * What a request means, for one use within its time.
 *
 * @throws {ConnectionStringError} where the string cannot be read.
 */
export function targetOf(request: ProbeRequest): { service: ServiceType; target: ProbeTarget } {
  const { connectionString, type, config = {}, access, timeoutMs = PROBE_TIMEOUT_MS } = request;
  const parts = parseConnectionString(connectionString, type);
  const services: readonly ServiceType[] = SERVICE_TYPES;
  const service = services.find((each) => each.type === parts.type);
  if (service === undefined) throw new Error("a connection string was read as a type that is not listed");
  const time = AbortSignal.timeout(timeoutMs);
  const signal = request.signal === undefined ? time : AbortSignal.any([time, request.signal]);
  const { searchParams: parameters } = new URL(connectionString);
  const ca = textSetting(config, "ca");
  return { service, target: { connectionString, parts, parameters, config, ca, access, timeoutMs, signal } };
}
