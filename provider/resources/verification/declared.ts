/**
 * Which resources a program declares, as Pulumi's calls tell: it checks those, and deletes the others of its
 * state at the end of the update, after the verification, unless only targets are updated. Which these are is
 * left to `deletedLater.ts`.
 */
import type { ResourceType } from "../../core/resourceType.ts";
import type { Session } from "../session.ts";

/** A resource type that changes the target, with its calls noted for the verification. */
export function noted(type: ResourceType, { record }: Session): ResourceType {
  const { declared } = record;
  return {
    ...type,
    check(context, olds, news) {
      declared.add(context.urn);
      return type.check(context, olds, news);
    },
    async diff(context, state, news) {
      const result = await type.diff(context, state, news);
      const isReplaced = result.changed && Object.values(result.detailed).some(({ kind }) => kind.endsWith("-replace"));
      if (isReplaced && result.deleteBeforeReplace !== true) record.replaced.add(context.urn);
      return result;
    },
  };
}
