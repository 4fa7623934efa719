/** Ids and texts that name one schema, as they are once its objects have moved to another. */
import { splitName } from "../../catalog/kinds/kind.ts";
import type { PayloadValue, StableId } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";

/** As the server prints a name: quoted only where it must be. */
const plainName = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdent(name));

/** @param from a name that needs no quotes and stands in no text with another meaning. */
export function inSchema<Value extends PayloadValue>(value: Value, from: string, to: string): Value;
export function inSchema(value: PayloadValue, from: string, to: string): PayloadValue {
  if (typeof value === "string") return value === from ? to : value.replaceAll(`${from}.`, () => `${plainName(to)}.`);
  if (Array.isArray(value)) return value.map((each) => inSchema(each, from, to));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inSchema(each, from, to)]));
}

interface Move {
  name: string;
  schema: string;
}

export function inSchemaId(id: StableId, move: Move): StableId {
  const { name: from, schema: to } = move;
  switch (id.kind) {
    case "schema":
      return id.name === from ? { ...id, name: to } : id;
    case "acl":
    case "comment":
    case "securityLabel":
      return { ...id, target: inSchemaId(id.target, move) };
    case "function":
    case "procedure":
    case "aggregate":
      return {
        ...id,
        schema: id.schema === from ? to : id.schema,
        args: id.args.map((type) => inSchema(type, from, to)),
      };
    case "extensionIntent":
      return splitName(id.key)[0] === from ? { ...id, key: inSchema(id.key, from, to) } : id;
    default:
      return "schema" in id && id.schema === from ? { ...id, schema: to } : id;
  }
}
