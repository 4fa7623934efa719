// Which settings decide what our own statements do, whatever the database, the role or the URL sets. How a
// catalog is printed is told by `catalog/printSettings.ts`; time limits belong to each statement.
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";

/**
 * What every session of ours has, and why. What is the database's own affair stays: in which time zone and
 * date style a literal is read, where new tables lie, how a commit reaches the disk.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  // Who may create in a schema of the path could have a function or an operator called with our rights.
  search_path: PINNED_SEARCH_PATH,
  // Off, a backslash in a quoted text begins an escape: the text would be another one, or end elsewhere.
  standard_conforming_strings: "on",
  // On, `x = NULL` in a file comes to mean `x IS NULL`, and stays so in what is made of it.
  transform_null_equals: "off",
  // Off, a null in an array becomes the text NULL.
  array_nulls: "on",
  // `document` refuses XML that a column of the type may hold.
  xmloption: "content",
  // Values that are read back as text: the same in each session, and with all their digits.
  bytea_output: "hex",
  extra_float_digits: "1",
  // Off, statements on a table with policies fail; where a policy must not hide a row it is switched off.
  row_security: "on",
  // Off, the shadow does not see a mistake in a function.
  check_function_bodies: "on",
  // The lock against other updates belongs to a session that has nothing to do while the shadow works.
  idle_session_timeout: "0",
  // Above it, a question that is asked once the tables are locked would be answered from before.
  default_transaction_isolation: "read committed",
};

/**
 * Sets them for the session. It is the first statement of each connection: its function is qualified and its
 * arguments are literals, so the path that it finds has no say in it. As a statement it also works where a
 * pooler refuses such settings as parameters of the connection.
 */
export const PIN_SESSION = `select ${Object.entries(SETTINGS)
  .map(([name, value]) => `pg_catalog.set_config('${name}', '${value}', false)`)
  .join(", ")}`;
