/** Parameters of connection strings that several types read. */
import { ConnectionStringError } from "./connectionStringError.ts";

/** The value of a parameter, or of its synonyms; undefined where there is none. */
export function single(parameters: URLSearchParams, names: string[]): string | undefined {
  const values = new Set(names.flatMap((name) => parameters.getAll(name)));
  if (values.size > 1) {
    throw new ConnectionStringError(`it gives different values for the parameter ${names.join(" or ")}; give one`);
  }
  return [...values][0];
}

/** A parameter that turns something on or off. */
export function flag(parameters: URLSearchParams, names: string[]): boolean | undefined {
  const text = single(parameters, names);
  if (text === undefined) return undefined;
  if (!["true", "false", "1", "0"].includes(text)) {
    throw new ConnectionStringError("its parameter tls or ssl is neither true nor false");
  }
  return text === "true" || text === "1";
}
