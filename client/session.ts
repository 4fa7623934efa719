/**
 * What a work may leave on its connection beyond the transaction, and the SQL that takes it away: the next user of
 * a pooled connection finds it as the work did.
 */

/**
 * Settings that applications and poolers make for a session on connect. A work leaves them as they were; all
 * others go back to what the connection began with.
 */
const KEPT = [
  "role",
  "search_path",
  "application_name",
  "client_encoding",
  "DateStyle",
  "IntervalStyle",
  "TimeZone",
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
];

/** A transaction as it begins. */
export interface Begun {
  /** Tells it from every other one. */
  challenge: string;
  /** Values of the settings that are kept. */
  settings: string[];
}

const current = KEPT.map((name) => `pg_catalog.current_setting('${name}')`).join(", ");
export const BEGUN = `SELECT platform_access.challenge() AS challenge, ARRAY[${current}] AS settings`;

/** The SQLSTATE of what `commit` refuses: the work has left its transaction, or something on the session. */
export const IS_LEFT = "25000";

/** Quotes a text: a client of the driver. */
interface Quoting {
  escapeLiteral(text: string): string;
}

/**
 * Ends a work's transaction in one round trip. Deferred constraints are asked before the context goes. A statement
 * that SQL has prepared could stand in the place of one that the driver has prepared under its name.
 */
export const commit = (begun: Begun, client: Quoting): string => `
SET CONSTRAINTS ALL IMMEDIATE;
DO $check$
BEGIN
  IF platform_access.challenge() OPERATOR(pg_catalog.<>) ${client.escapeLiteral(begun.challenge)} THEN
    RAISE EXCEPTION 'the transaction is not the one that was begun' USING ERRCODE = '${IS_LEFT}';
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_prepared_statements WHERE from_sql) THEN
    RAISE EXCEPTION 'a prepared statement is left' USING ERRCODE = '${IS_LEFT}';
  END IF;
END
$check$;
${cleanUp(begun, client)};
COMMIT`;

/** After a failure. The connection may be a pooler's, which goes on to others when its client has gone. */
export const rollback = (begun: Begun, client: Quoting): string => `
ROLLBACK;
DO $check$
DECLARE
  prepared text;
BEGIN
  FOR prepared IN SELECT name FROM pg_catalog.pg_prepared_statements WHERE from_sql LOOP
    EXECUTE pg_catalog.format('DEALLOCATE %I', prepared);
  END LOOP;
END
$check$;
${cleanUp(begun, client)}`;

/** Each of them is allowed within a transaction, unlike DISCARD ALL, which would also undo what was set on connect. */
function cleanUp({ settings }: Begun, client: Quoting): string {
  const kept = KEPT.map((name, n) => `('${name}', ${client.escapeLiteral(settings[n] ?? "")})`).join(", ");
  return `CLOSE ALL;
DISCARD TEMP;
DISCARD SEQUENCES;
UNLISTEN *;
SELECT pg_catalog.pg_advisory_unlock_all();
RESET ROLE;
RESET ALL;
SELECT pg_catalog.set_config(name, value, false) FROM (VALUES ${kept}) AS kept (name, value)
WHERE pg_catalog.current_setting(name) OPERATOR(pg_catalog.<>) value`;
}
