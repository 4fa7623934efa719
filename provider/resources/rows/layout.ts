// What becomes of each column of a set: what it is in the table, whether it is held, and how it is compared.
import { UserError } from "../../core/errors.ts";
import type { Column } from "../row/columns.ts";
import type { TableName } from "../row/identity.ts";
import { bindSecret } from "../row/parameters.ts";
import type { RowsInputs } from "./inputs.ts";

export interface SetColumn {
  name: string;
  column: Column;
  /** `held` is compared and written, `initial` written with a new row only. */
  role: "key" | "held" | "initial";
  isSecret: boolean;
  /** For a secret that is stored in another form: SQL that gives the plain form. */
  expression: string | undefined;
  /** Its place in the set, and so in each row of the source. */
  place: number;
}

/** The columns of a set that its table has. */
export interface SetLayout {
  table: TableName;
  columns: SetColumn[];
  key: SetColumn[];
  held: SetColumn[];
  /** Columns of the set that the table lacks; a layer may still be about to add them. */
  absent: string[];
}

/**
 * @param names the columns of the set.
 * @throws {UserError} where a column takes no value, or no secret.
 */
export function layoutOf(
  inputs: RowsInputs,
  table: TableName,
  columns: ReadonlyMap<string, Column>,
  names: readonly string[],
): SetLayout {
  const found = names.flatMap((name, place): SetColumn[] => {
    const column = columns.get(name);
    if (column === undefined) return [];
    const isSecret = inputs.secretColumns.includes(name);
    if (isSecret) bindSecret(name, column, "");
    if (column.generated === "expression") {
      throw new UserError(
        "PS406",
        `column "${name}" of ${inputs.tableText} is generated, so it takes no value. Leave it out of the set`,
      );
    }
    const role = inputs.key.includes(name) ? "key" : inputs.initialColumns.includes(name) ? "initial" : "held";
    return [{ name, column, role, isSecret, expression: inputs.compareWith.get(name), place }];
  });
  return {
    table,
    columns: found,
    key: inputs.key.flatMap((name) => found.find((column) => column.name === name) ?? []),
    held: found.filter(({ role }) => role === "held"),
    absent: names.filter((name) => !columns.has(name)),
  };
}

/** @throws {UserError} that names what the table lacks. */
export function requireColumns(
  { absent }: Pick<SetLayout, "absent">,
  inputs: RowsInputs,
  columns: ReadonlyMap<string, Column>,
): void {
  if (absent.length === 0) return;
  throw new UserError(
    "PS401",
    `table ${inputs.tableText} has no column for ${absent.join(", ")}. It has ${[...columns.keys()].join(", ")}. ` +
      "Correct the name, or let the rows depend on the layer that adds the column (dependsOn)",
  );
}
