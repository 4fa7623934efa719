/**
 * The properties of `Layer` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Layer.ts`.
 */
import { flag, type ResourceSpec, text, textMap, texts } from "./property.ts";

const renamesDescription =
  'Old names of tables and columns by their new ones, e.g. `{"platform.tasks": "jobs", "platform.projects.title": "name"}`: what has the old name in the database is renamed, with all that it holds. ' +
  "The same as a comment `-- renamed from: jobs` at the table's or column's line. What was renamed already may stay named here.";

export const layer: ResourceSpec = {
  description:
    "A set of SQL files held as desired state. The files hold plain, declarative SQL (CREATE, ALTER TABLE … ENABLE ROW LEVEL SECURITY, GRANT, REVOKE); what they mean on top of the base is compared with the live database, and only the difference is executed, in one transaction. Deleting the layer takes its contribution out again; it refuses while a table to be dropped holds rows or while objects that are not part of the program depend on it. Objects that existed before stay.",
  properties: {
    name: {
      type: text,
      required: true,
      replaces: true,
      description: "Name of the layer, unique in the stack. A change of it replaces the layer.",
    },
    files: {
      type: texts,
      required: true,
      description:
        "SQL files, or directories whose `*.sql` files are taken in name order; relative to the project directory.",
    },
    base: {
      type: { type: "array", items: { $ref: "#/types/pgstrata:index:LayerBase" } },
      description: "The layers that this one stands on, lowest first. Default none.",
    },
    assumes: {
      type: texts,
      description:
        "SQL files of objects that exist in the target but belong to no layer. They are never created there. Default none.",
    },
    roles: {
      type: texts,
      description: "Cluster roles that the SQL names. A layer never creates roles in the target. Default none.",
    },
    allow: {
      type: texts,
      description:
        "Hazards, such as the loss of a column's data, that are approved by name, as a stopped plan prints it. An approval counts once in a stack: for a second time it needs a note in brackets that tells it apart, such as `drop-column:app.t.a (2026-11: replaced)`. An approval of an object that does not exist is ignored. `hand-over:app.t` leaves in place what the files no longer have, for a layer that declares it now and is updated later, or in another stack. Default none.",
    },
    renames: {
      type: textMap,
      description: `${renamesDescription} Default none.`,
    },
    conversions: {
      type: textMap,
      description:
        'Expressions that give columns their values, by column, e.g. `{"shop.visits.at": "to_timestamp(at / 1000.0)"}`: for a change of type without a cast, or a new column. The same as a comment `-- converted by: to_timestamp(at / 1000.0)` at the column\'s line. One that has done its work may stay. Default none.',
    },
    keepWithRows: {
      type: texts,
      description:
        "Tables that the deletion of the layer leaves in place while they hold rows, with what is on them and what they need. A layer that is made again adopts them. Default none.",
    },
    forceDestroy: {
      type: flag,
      default: false,
      description:
        "Lets the deletion of the layer drop tables that hold rows, also those of `keepWithRows`. The rows are lost. Default false.",
    },
    digest: {
      type: text,
      description: "Digest of the layer's own files and roles, computed by the provider; not to be given by programs.",
    },
    baseDigest: {
      type: text,
      description: "Digest of the files below it, computed by the provider; not to be given by programs.",
    },
    objects: {
      type: texts,
      role: "output",
      description: 'What the layer adds, in words, e.g. "table platform.users".',
    },
    contribution: {
      type: text,
      role: "output",
      description: "What the layer adds, packed, for drift and deletion. Its form may change.",
    },
    adopted: {
      type: texts,
      role: "output",
      description: "Objects that existed before the layer; a deletion leaves them.",
    },
    drift: { type: texts, role: "output", description: "What differed in the database at the last refresh." },
    spentApprovals: {
      type: texts,
      role: "output",
      description: "Approvals that updates of this stack have used; they no longer approve anything.",
    },
    lastRun: {
      type: { $ref: "#/types/pgstrata:index:LayerRun" },
      role: "output",
      description: "The last run that executed something.",
    },
  },
};

/** Object types that layers use. */
export const layerTypes: Record<string, ResourceSpec> = {
  LayerBase: {
    description: "A layer that another one stands on.",
    properties: {
      name: { type: text, required: true, description: "Name of the layer." },
      files: { type: texts, required: true, description: "Its SQL files or directories." },
      renames: { type: textMap, description: "Its renames, where it has some as an input." },
    },
  },
  LayerRun: {
    description: "What a run of a layer did.",
    properties: {
      statements: { type: { type: "integer" }, required: true, description: "Number of statements executed." },
      elapsedMs: { type: { type: "integer" }, required: true, description: "Time in the database, in milliseconds." },
      serverVersion: { type: text, required: true, description: "Version of the server, e.g. `18.4`." },
    },
  },
};
