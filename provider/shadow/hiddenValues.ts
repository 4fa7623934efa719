/**
 * Values that the library hides, because they may be secrets: options of foreign-data objects that it does
 * not know as harmless, and how a subscription connects. A plan would write what stands in their place.
 */
import { describe } from "../catalog/objectNames.ts";
import type { Fact } from "../catalog/pgDelta.ts";
import type { Contribution } from "../contribution/contribution.ts";
import { UserError } from "../core/errors.ts";

const HIDDEN_OPTION = /^(.+?)=__OPTION_.+__$/s;

const HIDDEN_CONNECTION = "host=__CONN_HOST__ ";

/** @throws {UserError} where a layer says such a value. */
export function refuseHiddenValues(layer: string, { added, changed }: Contribution): void {
  const found = [
    ...added.flatMap(hiddenIn),
    ...changed.flatMap(({ id, attribute, to }) => hiddenIn({ id, payload: { [attribute]: to } })),
  ];
  if (found.length === 0) return;
  throw new UserError(
    "PS114",
    `The layer "${layer}" holds what may be a secret: ${found.join(", ")}. A secret in a file is in the repository, in plans and in logs, so no layer holds one. Expected foreign-data objects whose options are of the usual, harmless ones (host, port, dbname, user, schema_name, …), and no subscription. Make this one outside of the layers, or let the server's password file or service file name the secret.`,
    { property: "files" },
  );
}

function hiddenIn({ id, payload }: Fact): string[] {
  const options = Array.isArray(payload.options) ? payload.options.map(String) : [];
  const named = options.flatMap((option) => HIDDEN_OPTION.exec(option)?.[1] ?? []);
  const connection =
    typeof payload.conninfo === "string" && payload.conninfo.startsWith(HIDDEN_CONNECTION) ? ["the connection"] : [];
  return [...named.map((name) => `the option ${name}`), ...connection].map((what) => `${what} of ${describe(id)}`);
}
