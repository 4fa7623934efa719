/** How a row's table and key are written, as a name and as the resource's id. */
import { UserError } from "../../core/errors.ts";

export interface TableName {
  schema: string;
  name: string;
}

export const TABLE_SHAPE = "schema.table, e.g. platform.organizations (a part that holds a dot in double quotes)";

/**
 * Reads `schema.table`; each part is taken as it is written, without folding to lower case. Undefined when it
 * is not that.
 */
export function parseTableName(text: string): TableName | undefined {
  const part = '([^."\\s]+|"(?:[^"]|"")+")';
  const match = new RegExp(`^${part}\\.${part}$`).exec(text);
  const [, schema, name] = match ?? [];
  return schema && name ? { schema: unquote(schema), name: unquote(name) } : undefined;
}

function unquote(part: string): string {
  return part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part;
}

/**
 * The resource's id: the table and the key, sorted by column, such as `platform.organizations/slug=lancio`.
 */
export function rowId(table: string, key: ReadonlyMap<string, string>): string {
  const parts = [...key].sort(([a], [b]) => (a < b ? -1 : 1));
  return `${table}/${parts.map(([column, value]) => `${encodeURIComponent(column)}=${encodeURIComponent(value)}`).join("&")}`;
}

/** The reverse of `rowId`, for import. Throws a `UserError` when the id has another form. */
export function parseRowId(id: string): { table: string; key: Map<string, string> } {
  const slash = id.indexOf("/");
  const table = id.slice(0, Math.max(slash, 0));
  const key = new Map<string, string>();
  for (const part of slash < 0 ? [] : id.slice(slash + 1).split("&")) {
    const [column = "", value] = part.split("=");
    if (column === "" || value === undefined) throw malformed(id);
    key.set(decode(column, id), decode(value, id));
  }
  if (key.size === 0 || !parseTableName(table)) throw malformed(id);
  return { table, key };
}

function decode(text: string, id: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed(id);
  }
}

function malformed(id: string): UserError {
  return new UserError(
    "PS601",
    `"${id}" is not the id of a row. Expected schema.table/column=value, several columns joined by &, such as platform.organizations/slug=lancio`,
  );
}
