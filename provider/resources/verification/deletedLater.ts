/**
 * What a verification has not seen the update come to: it deletes that afterwards, or is of targets only. The
 * engine tells the provider neither; the state of the stack tells what there is.
 */
import { z } from "zod";
import { exportState } from "../../backup/stateExport.ts";
import { stackNameOf } from "../../core/urn.ts";
import type { Session } from "../session.ts";

const resource = z.object({ urn: z.string(), delete: z.boolean().default(false), provider: z.string().default("") });
const exported = z.object({ deployment: z.object({ resources: z.array(resource).default([]) }) });

/** Those that `declared.ts` notes. */
const CHANGING = /(?:::|\$)pgstrata:index:(?:Layer|Row|Rows)::/;

/**
 * What an update deletes after its verification, or has left out.
 *
 * @param noted resources that an earlier verification has noted; undefined for the first one.
 * @param urn of the verification.
 * @returns the URNs, and why they may be gone already where the state cannot be asked.
 */
export async function deletedLater(
  session: Session,
  noted: readonly string[] | undefined,
  urn: string,
  signal: AbortSignal,
): Promise<{ urns: string[]; doubt?: string }> {
  const { declared, replaced } = session.record;
  const missingOf = (known: readonly string[]): string[] => known.filter((each) => !declared.has(each));
  const state = await exportState(stackNameOf(urn), session.projectDirectory, signal);
  if ("reason" in state) return { urns: [...missingOf(noted ?? []), ...replaced], doubt: state.reason };
  const { resources } = exported.parse(JSON.parse(state.text)).deployment;
  const known = noted ?? ofTheSameTarget(resources, declared);
  const missing = missingOf(known);
  const isOurs = (one: string): boolean => known.includes(one) || declared.has(one);
  const found = resources.filter((each) => isOurs(each.urn) && (each.delete || missing.includes(each.urn)));
  return { urns: [...new Set(found.map((each) => each.urn))] };
}

/** A stack may have several targets, each with a provider of its own. */
function ofTheSameTarget(resources: readonly z.output<typeof resource>[], declared: ReadonlySet<string>): string[] {
  const providers = new Set(resources.flatMap(({ urn, provider }) => (declared.has(urn) ? [provider] : [])));
  return resources.flatMap(({ urn, provider }) => (CHANGING.test(urn) && providers.has(provider) ? [urn] : []));
}
