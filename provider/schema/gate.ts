/**
 * The properties of `Gate` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Gate.ts`.
 */
import { anyMap, flag, type ResourceSpec, text, texts, whole } from "./property.ts";

export const gate: ResourceSpec = {
  description:
    "Go or no-go before anything changes: checks of the target and of the moment. What an update needs in any case stops a preview as well; what has to hold when an update begins is a forecast in a preview, and stops the first change of an update. Other resources depend on it. A destroy is not held by it.",
  properties: {
    schemas: {
      type: texts,
      description: "Schemas that the program's objects are in; their tables are the managed ones. Default none.",
    },
    extensions: { type: texts, description: "Extensions that are there or can be created. Default none." },
    roles: { type: texts, description: "Roles that have to exist. Default none." },
    createdRoles: {
      type: texts,
      description:
        "Roles that the program creates; the connecting role needs CREATEROLE where one is missing. Default none.",
    },
    sources: {
      type: texts,
      description:
        "Files and folders that make up the desired state, from the project directory. Their digest is part of the plan's, and is what a promotion compares. Default none.",
    },
    checks: {
      type: text,
      default: "sql/checks/gate",
      description:
        "Folder of the program's own checks: a file is one SELECT that returns name, status, measured, expected, and perhaps mend; its first line is `-- kind: plan` or `-- kind: run`. Default `sql/checks/gate`.",
    },
    settings: {
      type: anyMap,
      description:
        "Plain settings of the stack, never a secret: a part of the plan's digest. Own checks read them as `current_setting('pgstrata.<name>', true)`. Default none.",
    },
    window: {
      type: text,
      description: 'Maintenance window in UTC, such as "02:00-04:00", over midnight too. Default any time.',
    },
    windowOverride: {
      type: text,
      description: "A reason to update outside of the window; it is recorded. Default none.",
    },
    incident: { type: text, description: "An open incident; no update begins. Default none." },
    approvedPlan: { type: text, description: "Digest of the one plan that may be carried out. Default any." },
    promoteFrom: {
      type: text,
      description: "The stack that must have verified the same desired state before. Default none.",
    },
    promoteMaxAgeHours: { type: whole, default: 168, description: "How old that may be, in hours. Default 168." },
    trial: { type: texts, description: "Names of checks that report and stop nothing. Default none." },
    overrides: {
      type: anyMap,
      description:
        "For checks that could not be measured, by name: who, why, until (ISO 8601) and plan (its digest). Default none.",
    },
    thresholds: { type: anyMap, description: "Limits of the built-in checks, by name. Default those of the manual." },
    isDryRun: { type: flag, description: "Whether the program runs in a preview. Not kept." },
    release: {
      type: anyMap,
      description: "What the stack of `promoteFrom` exports: desired, result, verifiedAt, commit. Not kept.",
    },
    desired: { type: text, role: "output", description: "Digest of the desired state." },
  },
};
