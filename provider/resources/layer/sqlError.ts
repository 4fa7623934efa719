/**
 * Which layer or role an error of a SQL file lacks, where that can be told. The error itself, with its place,
 * comes from `shadow/loadSql.ts`.
 */
import { UserError } from "../../core/errors.ts";
import type { SqlFileError } from "../../shadow/sqlFile.ts";
import type { LayerInputs } from "./inputs.ts";
import type { LayerRuntime } from "./runtime.ts";

/** SQLSTATEs of a name that is not known: table, function, schema, other object, column. */
const UNDEFINED_OBJECT = new Set(["42P01", "42883", "3F000", "42704", "42703"]);

/** A SQL file's error with the layer, or the role, that is missing below where that can be told. */
export function describeSqlError(
  error: SqlFileError,
  { name, base }: LayerInputs,
  { ownership }: LayerRuntime,
): UserError {
  if (!UNDEFINED_OBJECT.has(error.sqlstate ?? "")) return error;
  const { message, property, cause } = error;
  const role = /role "(.+)" does not exist/.exec(message)?.[1];
  if (role !== undefined) {
    const advice = `The layer "${name}" names a role that it does not list: add "${role}" to its \`roles\`.`;
    return new UserError("PS105", `${message}\n${advice}`, { property, cause });
  }
  const owner = ownership.ownerNamedIn(message);
  const known = base.map((layer) => `"${layer.name}"`).join(", ") || "none";
  const advice =
    owner === undefined
      ? `The layer "${name}" sees only itself and its base (${known}). If the object belongs to another layer, add that one to \`base\`; if no layer declares it, name it in \`assumes\`.`
      : `It belongs to the layer "${owner}", which is not a base of "${name}" (its base: ${known}). Add it to \`base\`.`;
  return new UserError("PS104", `${message}\n${advice}`, { property, cause });
}
