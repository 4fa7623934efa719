/** Which stack a resource belongs to, as told by its URN. */

/**
 * The stack and the project of a resource, as `stack::project`; the rest of its URN changes when a program is
 * rearranged.
 */
export function stackOf(urn: string): string {
  return urn
    .replace(/^urn:pulumi:/, "")
    .split("::")
    .slice(0, 2)
    .join("::");
}

/** Both by themselves. */
export function stackNameOf(urn: string): { stack: string; project: string } {
  const [stack = "", project = ""] = stackOf(urn).split("::");
  return { stack, project };
}
