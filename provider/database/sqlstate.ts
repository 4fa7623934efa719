/**
 * What the SQLSTATEs that a user meets mean: reason, advice, and whether the same may succeed on another try.
 * Failures to connect are in `connectionError.ts`.
 */
import type pg from "pg";
import type { ErrorCode } from "../core/errorCodes.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";

/**
 * `contention`: another session was in the way. `lost`: the connection broke in use. `surroundings`:
 * something outside the statement. `rows`: values do not fit. `name`: something does not exist.
 */
export type Cause = "contention" | "lost" | "surroundings" | "rows" | "name";

export interface Sqlstate {
  /** What a user is told that meets it outside of a plan's statement. */
  code: ErrorCode;
  cause: Cause;
  /** Whether the same statement may succeed when it is run again, without a change by anybody. */
  isRetryable: boolean;
  /**
   * Why, in half a sentence. Values of rows never show: the server's DETAIL, which may hold them, is not
   * used.
   */
  reason: (error: pg.DatabaseError) => string;
  /** What to do. */
  advice: (error: pg.DatabaseError) => string;
}

type Text = string | ((error: pg.DatabaseError) => string);

const always = (text: Text): ((error: pg.DatabaseError) => string) => (typeof text === "string" ? () => text : text);

const row =
  (cause: Cause, isRetryable: boolean) =>
  (code: ErrorCode, reason: Text, advice: Text): Sqlstate => ({
    code,
    cause,
    isRetryable,
    reason: always(reason),
    advice: always(advice),
  });

const contention = row("contention", true);
const lost = row("lost", true);
const surroundings = row("surroundings", false);
const rows = row("rows", false);
const name = row("name", false);

/** The table that an error names, as `schema.table`. */
const tableOf = ({ schema, table }: pg.DatabaseError): string =>
  table ? `table ${schema ? `${schema}.` : ""}${table}` : "the table";

const constraintOf = (kind: string, what: string) => (error: pg.DatabaseError) =>
  `${kind} "${error.constraint ?? "?"}" of ${tableOf(error)} ${what}`;

const RUN_AGAIN = "Run `pulumi up` again once the server can be reached.";
const isRecoveryConflict = ({ message }: pg.DatabaseError): boolean => /conflict with recovery/.test(message);
const SAME_ROWS = contention(
  "PS302",
  (error) =>
    isRecoveryConflict(error)
      ? "the server is a standby and replayed a change of what was being read"
      : "another session worked on the same rows at the same time",
  (error) =>
    isRecoveryConflict(error)
      ? "Run again, or name the primary server in the URL; on a standby, max_standby_streaming_delay sets how long a replay waits."
      : "Nothing was changed; run again.",
);
const UNKNOWN_NAME = name(
  "PS401",
  ({ message }) => message,
  (error) => {
    const caller = calledFrom(error);
    return caller === undefined
      ? "It may belong to a layer that is not applied yet: create the layer first (dependsOn), or correct the name. A name without a schema is looked for in pg_catalog alone."
      : `The function ${caller} names it. pgstrata works with search_path = ${PINNED_SEARCH_PATH}, so that no other object takes the place of the one that is meant: ` +
          "give the function a search_path of its own (`ALTER FUNCTION … SET search_path = …`), which restoring a dump and logical replication need as well, or write the schema in its body.";
  },
);
const FOREIGN_KEY = rows(
  "PS404",
  (error) =>
    error.constraint === undefined
      ? error.message
      : constraintOf(
          "foreign key",
          "is violated: the row that it refers to does not exist, or is still referred to",
        )(error),
  "Create the other row first (dependsOn), or remove what refers to it.",
);
const BROKEN = lost("PS504", "the network, a proxy in between or the server broke it", RUN_AGAIN);

/** @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const SQLSTATES: Readonly<Record<string, Sqlstate>> = {
  "55P03": contention(
    "PS302",
    "another session holds a lock that is needed here",
    "End that session or wait, and run again; lockTimeoutMs and lockLimitMs set how long pgstrata waits.",
  ),
  "40P01": SAME_ROWS,
  "40001": SAME_ROWS,
  "57P01": lost("PS504", "the server is shutting down, or an administrator ended the connection", RUN_AGAIN),
  "57P02": lost("PS504", "another process of the server crashed, and the server restarts", RUN_AGAIN),
  "57P03": lost("PS504", "the server is starting up or shutting down", RUN_AGAIN),
  "08P01": lost(
    "PS504",
    ({ message }) => `a connection pooler or proxy in between ended it (${message})`,
    "Run `pulumi up` again; raise the limit that the pooler or proxy names, or connect to the server itself.",
  ),
  "57P05": lost("PS504", "it was idle for longer than the server allows", RUN_AGAIN),
  "08000": BROKEN,
  "08003": BROKEN,
  "08006": BROKEN,
  "42501": surroundings("PS304", ({ message }) => message, privilegeAdvice),
  "57014": surroundings(
    "PS306",
    (error) =>
      isUserRequest(error)
        ? "an administrator cancelled a statement"
        : "a statement was cancelled because it ran longer than allowed",
    (error) =>
      isUserRequest(error)
        ? "Find out who cancelled it and why, then run again."
        : "Look for what slows it down, or raise the limit (0 for none): statementTimeoutMs for what changes only the catalog or one row, longStatementTimeoutMs for what reads, checks, copies or indexes rows.",
  ),
  "25006": surroundings(
    "PS505",
    "the database is read-only: a standby, or default_transaction_read_only is set for the server, the database or the role",
    "Expected the primary server; correct the host in the URL, or reset the setting.",
  ),
  "53300": surroundings(
    "PS503",
    "the server has no free connection (too many connections)",
    "Close other clients, or raise max_connections.",
  ),
  "53100": surroundings("PS505", "the server's disk is full", "Free space there and run again."),
  "53200": surroundings(
    "PS305",
    ({ message }) => `the server ran out of memory: ${message}`,
    "Often it is the lock table: raise max_locks_per_transaction.",
  ),
  "23502": rows(
    "PS405",
    (error) => `column "${error.column ?? "?"}" of ${tableOf(error)} has no value but requires one`,
    "Give it a value.",
  ),
  // Of ON DELETE RESTRICT from version 18 on; triggers raise it with a message of their own.
  "23001": FOREIGN_KEY,
  "23503": FOREIGN_KEY,
  "23505": rows(
    "PS405",
    constraintOf("unique constraint", "is violated: another row has the same values"),
    "Identify the row by these columns (key), or change them.",
  ),
  "23514": rows("PS405", constraintOf("check constraint", "rejects a value"), "Give a value that it allows."),
  "23P01": rows(
    "PS405",
    constraintOf("exclusion constraint", "is violated: another row conflicts with this one"),
    "Change one of the two rows.",
  ),
  "42P01": UNKNOWN_NAME,
  "42703": UNKNOWN_NAME,
  "42883": UNKNOWN_NAME,
  "3F000": UNKNOWN_NAME,
};

/** Whether an error's code is one of that cause. */
export function isOf(cause: Cause, code: string | undefined): boolean {
  return code !== undefined && SQLSTATES[code]?.cause === cause;
}

/** The innermost function in which an error arose, such as that of a trigger. */
export const calledFrom = ({ where }: pg.DatabaseError): string | undefined =>
  /^(?:PL\/pgSQL|SQL) function "?([\w$.]+)/m.exec(where ?? "")?.[1];

const isUserRequest = ({ message }: pg.DatabaseError): boolean => /user request/.test(message);

function privilegeAdvice({ message }: pg.DatabaseError): string {
  const policy = /row-level security policy/.test(message);
  if (policy && /would be affected/.test(message)) {
    return "Rows may be hidden from this role, so it cannot be proved that none is lost. Connect as the table's owner or as a role with BYPASSRLS.";
  }
  if (policy) {
    return "Connect as the table's owner or as a role with BYPASSRLS, or add a policy that lets this role write.";
  }
  const kind = /permission denied for (table|view|sequence|function|schema|database|column)/.exec(message)?.[1];
  const grant = kind ? GRANTS[kind] : undefined;
  return grant
    ? `Connect as the owner, or let the owner run ${grant}.`
    : "Connect as the owner of the object, or as a member of the role that owns it.";
}

const GRANTS: Record<string, string> = {
  table: "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE … TO the connecting role",
  view: "GRANT SELECT ON … TO the connecting role",
  sequence: "GRANT USAGE ON SEQUENCE … TO the connecting role",
  function: "GRANT EXECUTE ON FUNCTION … TO the connecting role",
  schema: "GRANT USAGE ON SCHEMA … (and CREATE, to create objects) TO the connecting role",
  database: "GRANT CONNECT, CREATE ON DATABASE … TO the connecting role",
  column: "GRANT SELECT, UPDATE ON the table TO the connecting role",
};
