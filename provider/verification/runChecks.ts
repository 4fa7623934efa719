/**
 * Runs checks against the target, each within a savepoint that is undone, as the role that it names. What is
 * checked is written in the files of the project.
 */
import pg from "pg";
import { quoteIdent } from "../catalog/quote.ts";
import type { ProviderConfig } from "../core/config.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { codeOf } from "../database/connectionError.ts";
import { connectionLoss } from "../database/lostConnection.ts";
import type { Database } from "../database/target.ts";
import { inTransaction, isContention } from "../database/transaction.ts";
import type { Section } from "./checkFile.ts";
import { type CheckResult, STATUSES } from "./report.ts";

/** Longest run of one statement of a check. */
const STATEMENT_TIMEOUT_MS = 10_000;
const MOST_TRIES = 3;
const LONGEST_TEXT = 500;

/** Of a check whose answer cannot be used. */
const ANSWER = "one row or more of name, status (PASS, WARNING or FAIL), measured, expected";

/**
 * The answers of all checks, in their order. Nothing that they do stays.
 *
 * @throws only where the connection breaks: what else goes wrong is the answer FAIL of its check.
 */
export async function verify(
  database: Database,
  config: ProviderConfig,
  checks: readonly Section[],
  signal: AbortSignal,
): Promise<CheckResult[]> {
  const limits = { ...config, statementTimeoutMs: STATEMENT_TIMEOUT_MS };
  return inTransaction(database, limits, (client) => runChecks(client, checks, signal), { isUndone: true, signal });
}

/** The same within a transaction of the caller's, who undoes it. */
export async function runChecks(
  client: pg.ClientBase,
  checks: readonly Section[],
  signal?: AbortSignal,
): Promise<CheckResult[]> {
  const results: CheckResult[] = [];
  for (const check of checks) {
    signal?.throwIfAborted();
    results.push(...(await answersOf(client, check)));
  }
  return results;
}

async function answersOf(client: pg.ClientBase, check: Section): Promise<CheckResult[]> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await undone(client, async () => {
        await takeOn(client, check);
        let rows: Record<string, unknown>[] = [];
        for (const text of check.statements) ({ rows } = await client.query(single(text)));
        return resultsIn(check, rows);
      });
    } catch (error) {
      if (connectionLoss(error) !== undefined) throw error;
      if (tries < MOST_TRIES && isContention(error)) continue;
      return [failed(check, `the check ended with an error: ${shownCause(error)}`, "no error")];
    }
  }
}

interface SingleStatement extends pg.QueryConfig {
  queryMode: "extended";
}

/** Sent in the form in which the server refuses a second statement. */
export const single = (text: string): SingleStatement => ({ text, queryMode: "extended" });

async function undone<T>(client: pg.ClientBase, work: () => Promise<T>): Promise<T> {
  await client.query("SAVEPOINT pgstrata_check");
  try {
    return await work();
  } finally {
    await client.query("ROLLBACK TO SAVEPOINT pgstrata_check; RELEASE SAVEPOINT pgstrata_check");
  }
}

/** Returns whether the session may take on a role, as servers from 16 on tell it apart from membership. */
const MAY_TAKE_ON = `
  SELECT pg_catalog.pg_has_role(session_user, $1,
    CASE WHEN pg_catalog.current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END) AS may`;

/**
 * An owner of tables and a superuser pass by policies and privileges, so a check of access runs as the
 * application does. A role that made the others need not be a member of them: it becomes one for the check.
 */
export async function takeOn(
  client: pg.ClientBase,
  { roles, writes }: Pick<Section, "roles" | "writes">,
): Promise<void> {
  for (const role of roles) {
    const { rows } = await client.query<{ may: boolean }>(MAY_TAKE_ON, [role]);
    if (rows[0]?.may !== true) await client.query(`GRANT ${quoteIdent(role)} TO SESSION_USER`);
  }
  const [role] = roles;
  if (role !== undefined) await client.query(`SET LOCAL ROLE ${quoteIdent(role)}`);
  await client.query(
    `SET LOCAL search_path = ${PINNED_SEARCH_PATH}${writes ? "" : "; SET LOCAL transaction_read_only = on"}`,
  );
}

function resultsIn(check: Section, rows: readonly Record<string, unknown>[]): CheckResult[] {
  if (rows.length === 0) return [failed(check, "the query returned no row", ANSWER)];
  return rows.map(({ name, status, measured, expected }) => {
    const known = STATUSES.find((each) => each === status);
    const isOwn = typeof name === "string" && (name === check.name || name.startsWith(`${check.name} `));
    if (known === undefined || !isOwn) return failed(check, "a row has another name or no status", ANSWER);
    return { name, status: known, measured: textOf(measured), expected: textOf(expected) };
  });
}

const failed = ({ name }: Section, measured: string, expected: string): CheckResult => ({
  name,
  status: "FAIL",
  measured,
  expected,
});

function textOf(value: unknown): string {
  const text = value === null || value === undefined ? "nothing" : String(value);
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)} …` : text;
}

/** Classes of errors whose messages quote values of rows, such as `invalid input syntax`. */
const QUOTES_VALUES = /^(?:22|23|39|P0)/;

/** What the server says, as far as it holds no value of a row. */
export function shownCause(error: unknown): string {
  if (!(error instanceof pg.DatabaseError)) return error instanceof Error ? error.message : String(error);
  const code = codeOf(error) ?? "unknown";
  const { table, constraint } = error;
  const where = [table && ` on table ${table}`, constraint && ` by constraint ${constraint}`].filter(Boolean).join("");
  const text = QUOTES_VALUES.test(code) ? "the server refuses a value" : error.message;
  return textOf(`${text}${where} (SQLSTATE ${code})`);
}
