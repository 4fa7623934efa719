/**
 * The properties of `Verification` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Verification.ts`.
 */
import { flag, number, numberMap, type ResourceSpec, text, textMaps, texts } from "./property.ts";

export const verification: ResourceSpec = {
  description:
    "Checks after the last change of an update, each with PASS, WARNING or FAIL. It depends on all other resources of the database, and is due where the run changes something, where it would check something else than the last time, and where the last result was FAIL or PENDING; a run that changes nothing shows no difference. All that a check does is undone. FAIL fails the update, whose changes stay; the report is in the state.",
  properties: {
    checks: {
      type: texts,
      required: true,
      description:
        "Files, or folders of `.sql` files, with checks: each stands below a line `-- check: <name>` and ends with a query that returns name, status, measured and expected. `-- as: <role>` runs it as that role, `-- writes` in a transaction that may write. A relative path starts at the project.",
    },
    lintSchemas: {
      type: texts,
      description:
        "Schemas whose live catalog is linted: ERROR is FAIL, WARNING is WARNING. A line `lint-ignore <code>: <reason>` in the comment of an object exempts it. Default none.",
    },
    desired: {
      type: text,
      description: "A digest of what is desired, as the program tells it apart; kept beside the result.",
    },
    otherWriters: {
      type: flag,
      default: true,
      description:
        "Whether others may write rows during an update. Where they may, a difference in the rows of a table is a WARNING; where not, as in a maintenance window, it is FAIL. Default true.",
    },
    slowdownPercent: {
      type: number,
      default: 10,
      description: "By how much a query may be slower than before the update, in percent. Default 10.",
    },
    layerSlowdownPercent: {
      type: numberMap,
      description: "The same for a run that changes a layer, by the layer's name, such as `{ rls: 5 }`. Default none.",
    },
    report: {
      type: textMaps,
      role: "output",
      description: "The answers: objects of name, status, measured and expected.",
    },
    result: {
      type: text,
      role: "output",
      description:
        "The worst status of all: PASS, WARNING or FAIL; PENDING where the checks let the update through, and it deletes something afterwards or is of targets only. The next update verifies again.",
    },
    verifiedAt: { type: text, role: "output", description: "When it was verified, as ISO 8601." },
    commit: {
      type: text,
      role: "output",
      description:
        "The commit of the project that was verified, with `-dirty` where files differ from it; empty outside of git.",
    },
    resources: {
      type: texts,
      role: "output",
      description: "URNs of what was declared when it was verified, and of what the update deleted afterwards.",
    },
    checksDigest: { type: text, role: "output", description: "SHA-256 of the checks." },
  },
};
