/** What an update deletes after its verification, as the state of the stack tells. */
import { z } from "zod";
import { exportState } from "../../backup/stateExport.ts";
import { stackNameOf } from "../../core/urn.ts";
import type { Session } from "../session.ts";

const exported = z.object({
  deployment: z.object({
    resources: z.array(z.object({ urn: z.string(), delete: z.boolean().default(false) })).default([]),
  }),
});

/**
 * What an update deletes after its verification.
 *
 * @param known resources that an earlier verification has noted.
 * @param urn of the verification.
 * @returns the URNs, and why they may be gone already where the state cannot be asked.
 */
export async function deletedLater(
  session: Session,
  known: readonly string[],
  urn: string,
  signal: AbortSignal,
): Promise<{ urns: string[]; doubt?: string }> {
  const { declared, replaced } = session.record;
  const missing = known.filter((each) => !declared.has(each));
  const state = await exportState(stackNameOf(urn), session.projectDirectory, signal);
  if ("reason" in state) return { urns: [...missing, ...replaced], doubt: state.reason };
  const { resources } = exported.parse(JSON.parse(state.text)).deployment;
  const isOurs = (one: string): boolean => known.includes(one) || declared.has(one);
  const found = resources.filter((each) => isOurs(each.urn) && (each.delete || missing.includes(each.urn)));
  return { urns: [...new Set(found.map((each) => each.urn))] };
}
