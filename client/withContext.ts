/**
 * Work on behalf of a user: one transaction on one connection, which carries a context that the database
 * verifies. What the user then sees is decided by the policies; who the user is, by the application.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { createHmac } from "node:crypto";
import type { Pool, PoolClient, QueryResult, QueryResultRow } from "pg";
import { BEGUN, type Begun, commit, IS_LEFT, rollback } from "./session.ts";

/** For whom a transaction runs. */
export interface RequestContext {
  userId: string;
  /**
   * The active organization: nothing of another one is visible then. Left out or null for all of the user's
   * organizations. Membership is checked by the database either way.
   */
  organizationId?: string | null | undefined;
}

export interface ContextOptions {
  /**
   * The stack's output `contextKey`, `<name>:<key>`.
   * @default the environment variable PLATFORM_CONTEXT_KEY
   */
  key?: string | undefined;
}

/** A query that the server prepares under a name, once a connection: policies cost more to plan than to ask. */
export interface NamedQuery {
  /** Stands for this text alone. Behind a pooler in transaction mode it takes one that knows prepared statements. */
  name: string;
  text: string;
  values?: readonly unknown[];
}

/** What a work may do with its connection. It ends with the transaction, and refuses any later query. */
export interface ContextClient {
  query<Row extends QueryResultRow = QueryResultRow>(
    sql: string | NamedQuery,
    values?: readonly unknown[],
  ): Promise<QueryResult<Row>>;
}

export type Work<T> = (client: ContextClient) => Promise<T>;

/** A mistake in how contexts are used. What the database refuses is an error of `pg`. */
export class ContextError extends Error {
  override readonly name = "ContextError";
}

/**
 * Runs a work in one transaction for a user. The transaction is committed when the work's promise is fulfilled,
 * and rolled back when it is rejected. Works with every pool, and behind poolers in transaction mode: nothing that a
 * work does to the session outlives the transaction. A work that ends the transaction itself is an error.
 *
 * ```ts
 * const projects = await withContext(pool, { userId, organizationId }, ({ query }) =>
 *   query("select id, name from platform.projects where status = $1", ["ACTIVE_HEALTHY"]),
 * );
 * ```
 *
 * Within a work, the same pool and context go on in the same transaction, behind a savepoint; another context
 * on the same pool is refused, as it would wait for a connection while it holds one.
 */
export function withContext<T>(
  pool: Pool,
  context: RequestContext,
  work: Work<T>,
  options: ContextOptions = {},
): Promise<T> {
  return run(pool, { scope: "user", ...identityOf(context) }, work, options);
}

/**
 * Runs a work before a user is known: it may call the functions `platform_access.find_user`, `sign_up`,
 * `start_session`, `find_session` and `find_api_key`, and sees no row of a tenant.
 */
export function withSignIn<T>(pool: Pool, work: Work<T>, options: ContextOptions = {}): Promise<T> {
  return run(pool, { scope: "sign_in", userId: "", organizationId: "" }, work, options);
}

interface Identity {
  scope: "user" | "sign_in";
  userId: string;
  organizationId: string;
}

/** The transaction that a work runs in. */
interface Transaction {
  pool: Pool;
  claims: string;
  client: PoolClient;
  isOpen: boolean;
  savepoints: number;
}

const current = new AsyncLocalStorage<readonly Transaction[]>();

async function run<T>(pool: Pool, identity: Identity, work: Work<T>, options: ContextOptions): Promise<T> {
  const claims = [identity.scope, identity.userId, identity.organizationId].join(":");
  const around = current.getStore() ?? [];
  const open = around.find((each) => each.pool === pool && each.isOpen);
  if (open !== undefined) {
    if (open.claims !== claims)
      throw new ContextError(
        "withContext is called for another context within a work on the same pool; expected the same one. End the first work before, or use another pool",
      );
    return inSavepoint(open, work);
  }
  const key = parseKey(options.key ?? process.env.PLATFORM_CONTEXT_KEY);
  const client = await pool.connect();
  let broken: Error | undefined;
  const lost = (error: Error): void => {
    broken = error;
  };
  // A connection that is lost between two queries would end the process otherwise.
  client.on("error", lost);
  const transaction: Transaction = { pool, claims, client, isOpen: true, savepoints: 0 };
  let begun: Begun | undefined;
  try {
    begun = await begin(client, claims, key);
    const result = await current.run([...around, transaction], () => inWork(transaction, work));
    await end(client, begun).catch((error: unknown) => {
      broken ??= error instanceof Error ? error : new Error(String(error));
      throw error;
    });
    return result;
  } catch (error) {
    const undo = begun === undefined ? "ROLLBACK" : rollback(begun, client);
    await client.query(undo).catch((failure: unknown) => {
      broken ??= failure instanceof Error ? failure : new Error(String(failure));
    });
    throw error;
  } finally {
    transaction.isOpen = false;
    client.removeListener("error", lost);
    client.release(broken);
  }
}

async function begin(client: PoolClient, claims: string, { name, key }: Key): Promise<Begun> {
  // Of several statements there are several results, which the driver's types do not tell.
  const results: QueryResult<Begun> | QueryResult<Begun>[] = await client.query<Begun>(`BEGIN; ${BEGUN}`);
  const begun = [results].flat().at(-1)?.rows[0];
  if (begun === undefined) throw new ContextError("the database gives no challenge; expected one row");
  const signature = createHmac("sha256", key)
    .update(["platform context 1", claims, begun.challenge].join(":"))
    .digest("hex");
  await client.query("SELECT pg_catalog.set_config('app.context', $1, true)", [[name, claims, signature].join(":")]);
  return begun;
}

/** What fails here is not trusted to have left the connection as it was. */
async function end(client: PoolClient, begun: Begun): Promise<void> {
  try {
    await client.query(commit(begun, client));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "25P02")
      throw new ContextError("the transaction was rolled back: a query failed whose error the work did not pass on");
    if (code === IS_LEFT)
      throw new ContextError(
        "the work has ended its transaction, or leaves a prepared statement; expected neither. Leave COMMIT and ROLLBACK to withContext, and deallocate what is prepared",
        { cause: error },
      );
    throw error;
  }
}

/** Hands out queries, and waits for those that the work has forgotten to wait for. */
async function inWork<T>(transaction: Transaction, work: Work<T>): Promise<T> {
  const pending = new Set<Promise<unknown>>();
  let isOver = false;
  const query: ContextClient["query"] = async (sql, values) => {
    if (isOver || !transaction.isOpen)
      throw new ContextError("a query comes after the end of its work; expected the work to await it");
    const { values: own, ...asked } = typeof sql === "string" ? { text: sql, values } : { values, ...sql };
    const sent = transaction.client.query(own === undefined ? asked : { ...asked, values: [...own] });
    pending.add(sent);
    return sent.finally(() => pending.delete(sent));
  };
  try {
    return await work({ query });
  } finally {
    isOver = true;
    await Promise.allSettled(pending);
  }
}

async function inSavepoint<T>(transaction: Transaction, work: Work<T>): Promise<T> {
  transaction.savepoints += 1;
  const savepoint = `context_${transaction.savepoints}`;
  await transaction.client.query(`SAVEPOINT ${savepoint}`);
  try {
    const result = await inWork(transaction, work);
    await transaction.client.query(`RELEASE SAVEPOINT ${savepoint}`);
    return result;
  } catch (error) {
    await transaction.client.query(`ROLLBACK TO SAVEPOINT ${savepoint}`).catch(() => {});
    throw error;
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function identityOf({ userId, organizationId }: RequestContext): Omit<Identity, "scope"> {
  const asUuid = (name: string, value: string): string => {
    if (UUID.test(value)) return value.toLowerCase();
    throw new ContextError(`${name} is no UUID`);
  };
  const organization = organizationId ?? undefined;
  return {
    userId: asUuid("userId", userId),
    organizationId: organization === undefined ? "" : asUuid("organizationId", organization),
  };
}

interface Key {
  name: string;
  key: string;
}

function parseKey(text: string | undefined): Key {
  const [name, key, ...rest] = (text ?? "").split(":");
  if (name && key && rest.length === 0) return { name, key };
  throw new ContextError(
    "there is no key to sign the context with; expected <name>:<key> in PLATFORM_CONTEXT_KEY, as `pulumi stack output contextKey --show-secrets` prints it",
  );
}
