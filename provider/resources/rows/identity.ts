/** The id of a set of rows, and what an import takes from it. */
import { UserError } from "../../core/errors.ts";
import type { Properties } from "../../core/resourceType.ts";
import { parseTableName } from "../row/identity.ts";
import type { RowsInputs } from "./inputs.ts";

/** The resource's id: the table and the columns of the key, such as `app.countries/code`. */
export function rowsId({ tableText, key }: Pick<RowsInputs, "tableText" | "key">): string {
  return `${tableText}/${key.map(encodeURIComponent).join("&")}`;
}

/** Of an import: table and key, and no row. The program names the rows that it holds. */
export function importedInputs(id: string): Properties {
  const slash = id.indexOf("/");
  const table = id.slice(0, Math.max(slash, 0));
  const key = (slash < 0 ? "" : id.slice(slash + 1)).split("&").map(decode);
  if (parseTableName(table) && key.every((column) => column !== undefined && column !== ""))
    return { table, key: key.map((column) => column ?? ""), rows: [] };
  throw new UserError(
    "PS601",
    `"${id}" is not the id of a set of rows. Expected schema.table/column, several columns of the key joined by &, such as app.countries/code`,
  );
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
