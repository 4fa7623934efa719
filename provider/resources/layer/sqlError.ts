import type { SqlFileError } from "../../shadow/loadSql.ts";
import type { LayerInputs } from "./inputs.ts";
import type { LayerRuntime } from "./runtime.ts";

/** SQLSTATEs of a name that is not known: table, function, schema, other object, column. */
const UNDEFINED_OBJECT = new Set(["42P01", "42883", "3F000", "42704", "42703"]);

/** The message of a SQL file's error, with the layer that is missing below where that can be told. */
export function describeSqlError(
  error: SqlFileError,
  { name, base }: LayerInputs,
  { ownership }: LayerRuntime,
): string {
  if (!UNDEFINED_OBJECT.has(error.code)) return error.message;
  const role = /role "(.+)" does not exist/.exec(error.message)?.[1];
  if (role !== undefined) {
    return `${error.message}\nThe layer "${name}" names a role that it does not list: add "${role}" to its \`roles\`.`;
  }
  const owner = ownership.ownerNamedIn(error.message);
  const known = base.map((layer) => `"${layer.name}"`).join(", ") || "none";
  const advice =
    owner === undefined
      ? `The layer "${name}" sees only itself and its base (${known}). If the object belongs to another layer, add that one to \`base\`; if no layer declares it, name it in \`assumes\`.`
      : `It belongs to the layer "${owner}", which is not a base of "${name}" (its base: ${known}). Add it to \`base\`.`;
  return `${error.message}\n${advice}`;
}
