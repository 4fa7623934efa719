/**
 * No layer says a value that may be a secret. Which values these are is told by `catalog/hiddenValues.ts`.
 */
import { hiddenIn } from "../catalog/hiddenValues.ts";
import { describe } from "../catalog/objectNames.ts";
import type { Fact } from "../catalog/pgDelta.ts";
import type { Contribution } from "../contribution/contribution.ts";
import { UserError } from "../core/errors.ts";

/** @throws {UserError} where a layer says such a value. */
export function refuseHiddenValues(layer: string, { added, changed }: Contribution): void {
  const found = [
    ...added.flatMap(named),
    ...changed.flatMap(({ id, attribute, to }) => named({ id, payload: { [attribute]: to } })),
  ];
  if (found.length === 0) return;
  throw new UserError(
    "PS114",
    `The layer "${layer}" holds what may be a secret: ${found.join(", ")}. A secret in a file is in the repository, in plans and in logs, so no layer holds one. Expected foreign-data objects whose options are of the usual, harmless ones (host, port, dbname, user, schema_name, …), and no subscription. Make this one outside of the layers, or let the server's password file or service file name the secret.`,
    { property: "files" },
  );
}

const named = (fact: Fact): string[] => hiddenIn(fact).map((what) => `${what} of ${describe(fact.id)}`);
