/** Which values a check allows, where it lists them. The check is read as the server prints it. */

const LITERAL = /^'((?:[^']|'')*)'(?:::[a-z_ ]+(?:\(\d+\))?)?$/;

/**
 * The values of a check that demands one of a list of texts, such as
 * `CHECK ((status = ANY (ARRAY['a'::text, 'b'::text])))`; undefined for any other check.
 *
 * @param definition as `pg_get_constraintdef` prints it.
 * @param column as it stands in the definition, quoted where it has to be; `VALUE` for a domain.
 */
export function checkedValues(definition: string, column: string): string[] | undefined {
  const name = column.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const list = new RegExp(
    `^CHECK \\(\\(\\(?${name}\\)?(?:::[a-z ]+)? = ANY \\(\\(?ARRAY\\[(.*?)\\]\\)?(?:::[a-z ]+\\[\\])?\\)\\)\\)(?: NOT VALID)?$`,
    "s",
  ).exec(definition)?.[1];
  if (list === undefined) return undefined;
  const values: string[] = [];
  for (const item of itemsOf(list)) {
    const literal = LITERAL.exec(item.replace(/^\((.*)\)::[a-z ]+$/s, "$1"))?.[1];
    if (literal === undefined) return undefined;
    values.push(literal.replaceAll("''", "'"));
  }
  return values.length > 0 ? values : undefined;
}

/** The parts between the commas that stand outside of literals. */
function itemsOf(list: string): string[] {
  const items: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let n = 0; n < list.length; n++) {
    if (list[n] === "'") isQuoted = !isQuoted;
    if (list[n] !== "," || isQuoted) continue;
    items.push(list.slice(start, n).trim());
    start = n + 1;
  }
  return [...items, list.slice(start).trim()];
}
