/**
 * Values that the library hides, because they may be secrets: options of foreign-data objects that it does
 * not know as harmless, and how a subscription connects. A plan would write what stands in their place.
 */
import type { Fact } from "./pgDelta.ts";

const HIDDEN_OPTION = /^(.+?)=__OPTION_.+__$/s;

const HIDDEN_CONNECTION = "host=__CONN_HOST__ ";

/** What of an object is hidden, such as `the option token`. */
export function hiddenIn({ payload }: Pick<Fact, "payload">): string[] {
  const options = Array.isArray(payload.options) ? payload.options.map(String) : [];
  const connection =
    typeof payload.conninfo === "string" && payload.conninfo.startsWith(HIDDEN_CONNECTION) ? ["the connection"] : [];
  return [
    ...options.flatMap((option) => HIDDEN_OPTION.exec(option)?.[1] ?? []).map((name) => `the option ${name}`),
    ...connection,
  ];
}
