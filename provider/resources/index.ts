import type { ResourceType } from "../server/resource.ts";
import type { Session } from "../session.ts";

/** The resource types by token. Each is loaded at its first use, which keeps the start of the process short. */
export const resourceTypes: Record<string, (session: Session) => Promise<ResourceType>> = {
  "pgstrata:index:Layer": async (session) => (await import("./Layer.ts")).createLayer(session),
  "pgstrata:index:Row": async (session) => (await import("./Row.ts")).createRow(session),
};
