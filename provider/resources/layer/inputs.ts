/** Which inputs a layer takes, and what is wrong with them. Files are opened in `sqlSources.ts`. */
import { z } from "zod";
import { inputFault, UserError } from "../../core/errors.ts";
import type { CheckFailure, Properties } from "../../core/resourceType.ts";
import { asConversion } from "../../plan/conversions.ts";
import type { DeclaredRename, TableName } from "../../plan/renames/comments.ts";
import { nameParts } from "../../plan/renames/sqlTokens.ts";

const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, "expected a letter, then letters, digits, _ or -, 63 at most");
const paths = z.array(z.string().min(1, "expected a path"));

const renames = z
  .record(z.string(), z.string())
  .superRefine((entries, { addIssue }) => {
    for (const [key, value] of Object.entries(entries)) {
      const fault = renameFault(key, value);
      if (fault !== undefined) addIssue({ code: "custom", path: [key], message: fault });
    }
  })
  .default({})
  .transform((entries) => Object.entries(entries).flatMap(([key, value]) => asRename(key, value) ?? []));

const conversions = z
  .record(z.string(), z.string())
  .superRefine((entries, { addIssue }) => {
    for (const [key, value] of Object.entries(entries)) {
      if (asConversion(key, value) !== undefined) continue;
      const message =
        `found ${JSON.stringify({ [key]: value })}, expected a column with its schema and table and an expression of the columns as they were, such as ` +
        '{"shop.visits.at": "to_timestamp(at / 1000.0)"}';
      addIssue({ code: "custom", path: [key], message });
    }
  })
  .default({})
  .transform((entries) => Object.entries(entries).flatMap(([key, value]) => asConversion(key, value) ?? []));

function renameFault(key: string, value: string): string | undefined {
  if (asRename(key, value) !== undefined) return undefined;
  return (
    `found ${JSON.stringify({ [key]: value })}, expected the new name with its schema and the old one, quoted as in SQL where necessary, such as ` +
    '{"platform.tasks": "jobs"} for a table and {"platform.projects.title": "name"} for a column'
  );
}

function asRename(key: string, value: string): DeclaredRename | undefined {
  const [schema, table, column, ...more] = nameParts(key) ?? [];
  const [name, oldSchema, ...tooMany] = [...(nameParts(value) ?? [])].reverse();
  if (schema === undefined || table === undefined || name === undefined) return undefined;
  if (more.length > 0 || tooMany.length > 0 || (column !== undefined && oldSchema !== undefined)) return undefined;
  const from: TableName = oldSchema === undefined ? { name } : { schema: oldSchema, name };
  return {
    table: { schema, name: table },
    ...(column === undefined ? {} : { column }),
    from,
    place: `renames[${JSON.stringify(key)}]`,
  };
}

const tableName = z.string().transform((text, { addIssue }) => {
  const [schema, name, ...more] = nameParts(text) ?? [];
  if (schema !== undefined && name !== undefined && more.length === 0) return { schema, name };
  addIssue({
    code: "custom",
    message: `found "${text}", expected a table with its schema, quoted as in SQL where necessary`,
  });
  return z.NEVER;
});

const schema = z
  .strictObject({
    name,
    files: paths.min(1, "expected at least one directory or .sql file"),
    base: z
      .array(z.strictObject({ name, files: paths.min(1, "expected at least one directory or .sql file"), renames }))
      .default([]),
    renames,
    conversions,
    assumes: paths.default([]),
    roles: z.array(z.string().min(1, "expected the name of a role")).default([]),
    allow: z.array(z.string().min(1, "expected the name of a hazard")).default([]),
    keepWithRows: z.array(tableName).default([]),
    forceDestroy: z.boolean().default(false),
    digest: z.string().optional(),
    baseDigest: z.string().optional(),
  })
  .superRefine(({ name, base }, { addIssue }) => {
    for (const [n, layer] of base.entries()) {
      const below = base.slice(0, n).some((other) => other.name === layer.name);
      if (below || layer.name === name) {
        const found = below ? "a layer that the base has already" : "the layer itself";
        addIssue({ code: "custom", path: ["base", n, "name"], message: `found ${found}, expected another one` });
      }
    }
  });

/** Inputs of a layer after parsing; see the package schema for what each means. */
export type LayerInputs = z.output<typeof schema>;

/** All faults together, each with its property path. */
export function checkInputs(properties: Properties): { inputs: LayerInputs } | { failures: CheckFailure[] } {
  const parsed = schema.safeParse(properties);
  if (parsed.success) return { inputs: parsed.data };
  return {
    failures: parsed.error.issues.flatMap((issue) =>
      issue.code === "unrecognized_keys"
        ? issue.keys.map((key) => ({
            code: "PS601" as const,
            property: pathOf([...issue.path, key]),
            reason: "found a property that a layer does not have; expected none of this name",
          }))
        : [{ code: "PS601" as const, property: pathOf(issue.path), reason: issue.message }],
    ),
  };
}

/** As Pulumi writes it: `base[0].files`. */
function pathOf(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

/** Inputs that Check has accepted before, as they come back from the engine or out of a state. */
export function acceptedInputs(properties: Properties): LayerInputs {
  const result = checkInputs(properties);
  if ("inputs" in result) return result.inputs;
  const faults = result.failures.map(inputFault).join("; ");
  throw new UserError(
    "PS603",
    `The state of a layer was written by another version of pgstrata or changed by hand: ${faults}.`,
  );
}
