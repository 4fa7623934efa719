/**
 * The properties of `Backup` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Backup.ts`.
 */
import { anyMap, type ResourceSpec, text, texts, whole } from "./property.ts";

export const backup: ResourceSpec = {
  description:
    "The backup before the last change of a stack, written down. The provider takes it, as its configuration says (`backup`), before the first statement of a run that changes the database, also where this resource is not declared, and in a destroy. Depend on all that changes the database, so that it comes last. Deleting the resource deletes no backup.",
  properties: {
    mode: { type: text, role: "output", description: "`dump`, `copy`, `external` or `off`." },
    takenAt: {
      type: text,
      role: "output",
      description: "The moment whose rows it has, as ISO 8601; empty where no change has needed one yet.",
    },
    file: { type: text, role: "output", description: "Path of the dump, or name of the copy; else empty." },
    sizeBytes: { type: whole, role: "output", description: "Size of the dump, or of the database that was copied." },
    sha256: { type: text, role: "output", description: "Of the dump; else empty." },
    rowCounts: { type: anyMap, role: "output", description: "Number of rows by table." },
    proof: {
      type: text,
      role: "output",
      description: "How it was proven: `restore` and where to, `list`, `copy`, or `none`.",
    },
    stateFile: { type: text, role: "output", description: "Path of the stack's state of the same moment; else empty." },
    warnings: { type: texts, role: "output", description: "What was noticed." },
  },
};
