import pg from "pg";
import { UserError } from "../core/errors.ts";
import { describeLostConnection } from "./lostConnection.ts";

/**
 * Turns an error of the database, or of the connection to it, into a message about what to do. Undefined when
 * it is neither. Values never show: the server's DETAIL, which may hold them, is not used.
 */
export function describeDatabaseError(error: unknown): UserError | undefined {
  if (error instanceof UserError) return error;
  const lost = describeLostConnection(error);
  if (lost !== undefined || !(error instanceof pg.DatabaseError)) return lost;
  return new UserError(advise(error));
}

/** The table, constraint or column that an error names, as `schema.table`. */
function tableOf(error: pg.DatabaseError): string {
  return error.table ? `table ${error.schema ? `${error.schema}.` : ""}${error.table}` : "the table";
}

function advise(error: pg.DatabaseError): string {
  const table = tableOf(error);
  switch (error.code) {
    case "42501":
      return insufficientPrivilege(error);
    case "55P03":
      return "another session holds a lock that is needed here. End that session or wait, and run again; lockTimeoutMs and lockLimitMs set how long pgstrata waits.";
    case "57014":
      return /user request/.test(error.message)
        ? "an administrator cancelled a statement. Ask who did and why, and run again."
        : "a statement was cancelled because it ran longer than allowed. Look for what slows it down, or raise the limit (0 for none): statementTimeoutMs for what changes only the catalog or one row, longStatementTimeoutMs for what reads, checks, copies or indexes rows.";
    case "40P01":
    case "40001":
      return "another session worked on the same rows at the same time. Nothing was changed; run again.";
    case "25006":
      return "the database is read-only: a standby, or default_transaction_read_only is set for the server, the database or the role. Expected the primary server; correct the host in the URL, or reset the setting.";
    case "53300":
      return "the server has no free connection (too many connections). Close other clients, or raise max_connections.";
    case "53100":
      return "the server's disk is full. Free space there and run again.";
    case "53200":
      return `the server ran out of memory: ${error.message}. Often it is the lock table: raise max_locks_per_transaction.`;
    case "23502":
      return `column "${error.column ?? "?"}" of ${table} has no value, and it demands one. Give it a value.`;
    case "23503":
      return `foreign key "${error.constraint ?? "?"}" of ${table} is violated: the row that it refers to does not exist, or is still referred to. Create the other row first (dependsOn), or remove what refers to it.`;
    case "23505":
      return `unique constraint "${error.constraint ?? "?"}" of ${table} is violated: another row has the same values. Identify the row by these columns (key), or change them.`;
    case "23514":
      return `check constraint "${error.constraint ?? "?"}" of ${table} rejects a value. Give a value that it allows.`;
    case "23P01":
      return `exclusion constraint "${error.constraint ?? "?"}" of ${table} is violated: another row conflicts with this one.`;
    case "42P01":
    case "42703":
    case "42883":
    case "3F000":
      return `${error.message}. It may belong to a layer that is not applied yet: create the layer first (dependsOn), or correct the name.`;
  }
  return `the database reports: ${error.message} (SQLSTATE ${error.code ?? "unknown"}).`;
}

function insufficientPrivilege(error: pg.DatabaseError): string {
  const policy = /row-level security policy/.test(error.message);
  if (policy && /would be affected/.test(error.message)) {
    return `${error.message}: rows may be hidden from this role, so it cannot be proved that none is lost. Connect as the table's owner or as a role with BYPASSRLS.`;
  }
  if (policy) {
    return `${error.message}. Connect as the table's owner or as a role with BYPASSRLS, or add a policy that lets this role write.`;
  }
  const kind = /permission denied for (table|view|sequence|function|schema|database|column)/.exec(error.message)?.[1];
  const grant = kind ? GRANTS[kind] : undefined;
  return grant
    ? `${error.message}. Connect as the owner, or let the owner run ${grant}.`
    : `${error.message}. Connect as the owner of the object, or as a member of the role that owns it.`;
}

const GRANTS: Record<string, string> = {
  table: "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE … TO the connecting role",
  view: "GRANT SELECT ON … TO the connecting role",
  sequence: "GRANT USAGE ON SEQUENCE … TO the connecting role",
  function: "GRANT EXECUTE ON FUNCTION … TO the connecting role",
  schema: "GRANT USAGE ON SCHEMA … (and CREATE, to make objects) TO the connecting role",
  database: "GRANT CONNECT, CREATE ON DATABASE … TO the connecting role",
  column: "GRANT SELECT, UPDATE ON the table TO the connecting role",
};
