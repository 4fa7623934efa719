/**
 * What `npm run pull` says at its end: the files, how the program declares them, and what is left to a
 * person.
 */
import type { PulledDatabase } from "../../provider/resources/pullDatabase.ts";
import type { PulledRows } from "../../provider/resources/pullRows.ts";

/** @param into the folder as the user named it. */
export function pullSummary(
  { database, files, assumed, roles, leftOut, changes, warnings }: PulledDatabase,
  layer: string,
  into: string,
): string {
  const list = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
  return [
    `Pulled ${database} into ${into}:`,
    ...files.map(({ name }) => `  ${name}`),
    ...list(
      `What it needs of what is left out, in ${into}-assumed:`,
      assumed.map(({ name }) => name),
    ),
    ...list("In no file:", leftOut),
    ...list("Warnings:", warnings),
    "",
    changes.length === 0
      ? "Checked: an update with these files adopts the database as it is, without a statement."
      : "An update with these files would still change:",
    ...changes.map((change) => `  ${change}`),
    "",
    "Declare it in the program:",
    "",
    ...declaration(layer, into, assumed.length > 0, roles),
  ].join("\n");
}

function declaration(layer: string, into: string, isAssuming: boolean, roles: readonly string[]): string[] {
  const properties = [
    `name: ${JSON.stringify(layer)}`,
    `files: [${JSON.stringify(into)}]`,
    ...(isAssuming ? [`assumes: [${JSON.stringify(`${into}-assumed`)}]`] : []),
    ...(roles.length > 0 ? [`roles: ${JSON.stringify(roles).replaceAll('","', '", "')}`] : []),
  ];
  return [
    `  new Layer(${JSON.stringify(layer)}, {`,
    ...properties.map((property) => `    ${property},`),
    "  }, { provider });",
  ];
}

/** The same of the rows of a table. */
export function rowsSummary({ database, rows, key, changes }: PulledRows, table: string, into: string): string {
  return [
    `Pulled ${rows.toLocaleString("en-US")} rows of ${table} in ${database} into ${into}, in plain text.`,
    "",
    changes.length === 0
      ? "Checked: an update with this file adopts the rows as they are."
      : "An update with this file would still change:",
    ...changes.map((change) => `  ${change}`),
    "",
    "Declare them in the program:",
    "",
    `  new Rows(${JSON.stringify(table)}, {`,
    `    table: ${JSON.stringify(table)},`,
    `    key: ${JSON.stringify(key).replaceAll('","', '", "')},`,
    `    file: ${JSON.stringify(into)},`,
    "  }, { provider });",
  ].join("\n");
}
