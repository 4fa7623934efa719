/** Helpers of the types of service whose users can be rotated. */
import type { ServiceClient } from "./serviceType.ts";

/** Counts equal clients together. */
export function groupClients(clients: readonly Omit<ServiceClient, "connections">[]): ServiceClient[] {
  const groups = new Map<string, ServiceClient>();
  for (const { application, address } of clients) {
    const key = JSON.stringify([application, address]);
    const group = groups.get(key) ?? { application, address, connections: 0 };
    group.connections += 1;
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Words of a few of many. */
export const listed = (names: readonly string[], most = 3): string =>
  names.slice(0, most).join(", ") + (names.length > most ? ` and ${names.length - most} more` : "");
