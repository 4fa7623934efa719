/** Whether a default can give each row another value, so that adding its column would copy the table. */

const LITERAL = /^(-?[\d.]+|true|false|NULL|'(?:[^']|'')*')(::[\w\s".[\](),]+)?$/i;

/** Of one transaction: the same in each row of an `ALTER TABLE`. */
const STABLE =
  /^(now\(\)|CURRENT_(DATE|TIMESTAMP|USER|ROLE)|SESSION_USER|transaction_timestamp\(\)|LOCALTIMESTAMP)(::[\w\s".[\](),]+)?$/i;

/**
 * Whether a default, as the catalog prints it, may have another value in each row. Only what is known not to
 * is taken not to: being wrong then costs time, and never a copy of the table under a lock.
 *
 * @see https://www.postgresql.org/docs/current/sql-altertable.html, notes on ADD COLUMN
 */
export function isVolatileDefault(expression: string): boolean {
  return !LITERAL.test(expression) && !STABLE.test(expression);
}
