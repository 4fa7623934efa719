/** How a diff of a resource type is written in the protocol's form. */
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import type { DiffKind, DiffResult } from "../core/resourceType.ts";

const KINDS: Record<DiffKind, 0 | 1 | 2 | 3 | 4 | 5> = {
  add: messages.PropertyDiff.Kind.ADD,
  "add-replace": messages.PropertyDiff.Kind.ADD_REPLACE,
  delete: messages.PropertyDiff.Kind.DELETE,
  "delete-replace": messages.PropertyDiff.Kind.DELETE_REPLACE,
  update: messages.PropertyDiff.Kind.UPDATE,
  "update-replace": messages.PropertyDiff.Kind.UPDATE_REPLACE,
};

/** The protocol's form of a diff: the detailed entries, and the top-level names derived from them. */
export function encodeDiff(diff: DiffResult): InstanceType<typeof messages.DiffResponse> {
  const response = new messages.DiffResponse();
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  response.setChanges(diff.changed ? DIFF_SOME : DIFF_NONE);
  response.setHasdetaileddiff(true);
  response.setDeletebeforereplace(diff.deleteBeforeReplace ?? false);
  const changed = new Set<string>();
  const replacing = new Set<string>();
  for (const [path, { kind, inputDiff }] of Object.entries(diff.changed ? diff.detailed : {})) {
    const entry = new messages.PropertyDiff();
    entry.setKind(KINDS[kind]);
    entry.setInputdiff(inputDiff);
    response.getDetaileddiffMap().set(path, entry);
    const property = /^[^.[]+/.exec(path)?.[0] ?? path;
    changed.add(property);
    if (kind.endsWith("-replace")) replacing.add(property);
  }
  response.setDiffsList([...changed]);
  response.setReplacesList([...replacing]);
  return response;
}
