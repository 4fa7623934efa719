/** Which resource types there are, by token. */
import type { ResourceType } from "../core/resourceType.ts";
import type { Session } from "./session.ts";
import { noted } from "./verification/declared.ts";

/**
 * The resource types by token. Each is loaded at its first use, which keeps the start of the process short.
 */
export const resourceTypes: Record<string, (session: Session) => Promise<ResourceType>> = {
  "pgstrata:index:Gate": async (session) => (await import("./gate/gate.ts")).createGate(session),
  "pgstrata:index:Layer": async (session) => noted((await import("./layer/layer.ts")).createLayer(session), session),
  "pgstrata:index:Row": async (session) => noted((await import("./row/row.ts")).createRow(session), session),
  "pgstrata:index:Rows": async (session) => noted((await import("./rows/rows.ts")).createRows(session), session),
  "pgstrata:index:Backup": async (session) => (await import("./backup/backup.ts")).createBackup(session),
  "pgstrata:index:Verification": async (session) =>
    (await import("./verification/verification.ts")).createVerification(session),
  "pgstrata:index:Credential": async (session) =>
    (await import("./credential/credential.ts")).createCredential(session),
  "pgstrata:index:Probe": async (session) => (await import("./probe/probe.ts")).createProbe(session),
};

/** Begins to read the target's catalog, which nearly every run needs. */
export async function readAhead(session: Session): Promise<void> {
  if (session.database === undefined) return;
  const { liveCatalogOf } = await import("./layer/catalogCache.ts");
  liveCatalogOf(session).readEarly();
}
