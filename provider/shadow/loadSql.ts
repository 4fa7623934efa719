/**
 * How SQL files are executed in one transaction, what they may not do, and where in a file an error is. What
 * the result means is left to `contributions.ts`.
 */
import pg, { type PoolClient } from "pg";
import type { ErrorCode } from "../core/errorCodes.ts";
import { UserError } from "../core/errors.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { sqlStatements } from "./sqlStatements.ts";
import { addedUnmanaged, unmanaged, unmanagedFault } from "./unmanaged.ts";

const { DatabaseError } = pg;

/** One SQL file of a layer. */
export interface SqlFile {
  /** As a person would open it: relative to the project directory. */
  path: string;
  sql: string;
}

/** A place in a file; line and column are counted from 1, in characters. */
interface Place {
  line: number;
  column: number;
  /** The line itself. */
  text: string;
}

interface FaultContext {
  place?: Place | undefined;
  /** What the server answered with. */
  sqlstate?: string | undefined;
  cause?: unknown;
}

/** A mistake in a SQL file, with its place: where the server found it, else where its statement begins. */
export class SqlFileError extends UserError {
  override name = "SqlFileError";
  readonly path: string;
  readonly sqlstate: string | undefined;
  /** What is wrong, without the place. */
  readonly fault: string;
  readonly place: Place | undefined;

  constructor(code: ErrorCode, path: string, fault: string, { place, sqlstate, cause }: FaultContext = {}) {
    const [first = "", ...rest] = fault.split("\n");
    const where = place === undefined ? path : `${path}:${place.line}:${place.column}`;
    const line = place === undefined ? [] : [`    ${place.text}`, `    ${" ".repeat(place.column - 1)}^`];
    super(code, [`${where}: ${first}`, ...line, ...rest].join("\n"), { property: "files", cause });
    this.path = path;
    this.sqlstate = sqlstate;
    this.fault = fault;
    this.place = place;
  }
}

/**
 * With which path a file is read, whatever the server, the role or the URL has: a new database's own. What a
 * file sets holds to its end.
 */
const PATH_OF_FILES = `set search_path = "$user", public`;
const PATH_OF_OURS = `set search_path = ${PINNED_SEARCH_PATH}`;

/**
 * The transaction before a file and the one after it differ when the file ended it. Whoever changes what
 * belongs to the whole server (a role, a membership, a setting of a role) holds a lock on its catalog until
 * the end of his transaction, so that what others change meanwhile is told apart. Each object with an owner
 * is noted in `pg_shdepend`. It is asked with the path that a file has left behind.
 */
const SIDE_EFFECTS = `
  select pg_catalog.pg_current_xact_id()::pg_catalog.text as transaction,
         exists (select from pg_catalog.pg_locks where pid operator(pg_catalog.=) pg_catalog.pg_backend_pid()
                    and locktype operator(pg_catalog.=) 'relation' and database operator(pg_catalog.=) 0::pg_catalog.oid
                    and mode operator(pg_catalog.=) 'RowExclusiveLock'
                    and relation operator(pg_catalog.<>) 'pg_catalog.pg_shdepend'::pg_catalog.regclass::pg_catalog.oid) as "touchesServer"`;

const GUARD = "pgstrata_open_transaction";

/**
 * Opens the one transaction of all files. A file cannot end it and leave something behind (a role, which
 * belongs to the whole server): a row without its parent makes each COMMIT but ours fail, and what comes
 * after a ROLLBACK may only read.
 */
const OPEN = `
  set default_transaction_read_only = on;
  begin read write;
  create temporary table ${GUARD} (id int primary key, parent int constraint ${GUARD}_fkey
    references pg_temp.${GUARD} initially deferred) on commit drop;
  insert into pg_temp.${GUARD} values (1, 0);`;

const CLOSE = `delete from pg_temp.${GUARD}; commit`;

/**
 * Executes files in the order given, each as a whole, all in one transaction.
 *
 * @param client is not to be used for anything else afterwards.
 * @param options.isAssumed whether they say what is there anyway, so that it does not matter what no layer
 *   can hold.
 * @throws {SqlFileError} with `file:line:column`, the server's message and the line itself. Nothing of the
 *   files then stays.
 */
export async function loadSql(
  client: PoolClient,
  files: readonly SqlFile[],
  { isAssumed = false } = {},
): Promise<void> {
  await client.query(OPEN);
  try {
    const { transaction } = await sideEffects(client);
    const before = isAssumed ? undefined : await unmanaged(client);
    const loads = files.map((file) => loadFile(client, file));
    for (const load of loads) load.catch(() => {});
    for (const [n, file] of files.entries()) {
      const after = await loads[n];
      if (after !== undefined) refuseSideEffects(file, transaction, after);
    }
    await client.query(PATH_OF_OURS);
    const added = before === undefined ? [] : addedUnmanaged(before, await unmanaged(client));
    if (added.length > 0) throw await locatedUnmanaged(client, files, added);
    await client.query(CLOSE);
  } catch (error) {
    await client.query("rollback").catch(() => {});
    throw error instanceof SqlFileError && error.place === undefined ? await withPlace(client, files, error) : error;
  }
}

/**
 * A file is sent whole, and not every error of the server has a position: the files are executed once more,
 * the one with the fault in single statements.
 */
async function withPlace(client: PoolClient, files: readonly SqlFile[], error: SqlFileError): Promise<SqlFileError> {
  try {
    await client.query(OPEN);
    const { transaction } = await sideEffects(client);
    for (const file of files) {
      await client.query(PATH_OF_FILES);
      if (file.path !== error.path) await client.query(file.sql);
      else
        for (const { start, end } of sqlStatements(file.sql)) {
          const isSound = await client.query(file.sql.slice(start, end)).then(
            async () => isHarmless(await sideEffects(client), transaction),
            () => false,
          );
          if (!isSound) {
            const { code, path, fault, sqlstate, cause } = error;
            return new SqlFileError(code, path, fault, { sqlstate, cause, place: placeAt(file.sql, start) });
          }
        }
    }
  } catch {
    // What has no place keeps its message.
  } finally {
    await client.query("rollback").catch(() => {});
  }
  return error;
}

/** What no layer can hold, with the place of the statement that made the first of it where that is found. */
async function locatedUnmanaged(
  client: PoolClient,
  files: readonly SqlFile[],
  added: readonly string[],
): Promise<UserError> {
  const { code, fault } = unmanagedFault(added);
  const made = await statementThatMade(client, files, added).catch(() => undefined);
  if (made === undefined) return new UserError(code, fault, { property: "files" });
  return new SqlFileError(code, made.file.path, fault, { place: placeAt(made.file.sql, made.start) });
}

/**
 * Which statement made the first of what no layer can hold. Asking the catalog after each of thousands takes
 * long, so the files are executed twice: once to find the part with the statement, once to find it in there.
 */
async function statementThatMade(
  client: PoolClient,
  files: readonly SqlFile[],
  added: readonly string[],
): Promise<{ file: SqlFile; start: number } | undefined> {
  const statements = files.flatMap((file) => sqlStatements(file.sql).map((span) => ({ file, ...span })));
  let first = 0;
  let last = statements.length - 1;
  for (const part of [Math.ceil(Math.sqrt(statements.length)), 1]) {
    await client.query("rollback");
    await client.query(OPEN);
    for (const [n, { file, start, end }] of statements.entries()) {
      if (file !== statements[n - 1]?.file) await client.query(PATH_OF_FILES);
      await client.query(file.sql.slice(start, end));
      if (n < first || ((n + 1) % part !== 0 && n !== last)) continue;
      // The file's own path comes back for the statements after this one.
      await client.query(`savepoint look; ${PATH_OF_OURS}`);
      const found = await unmanaged(client);
      await client.query("rollback to savepoint look");
      if (!added.some((what) => found.has(what))) continue;
      first = n - (n % part);
      last = n;
      break;
    }
  }
  return statements[last];
}

const isHarmless = (after: SideEffects, transaction: string): boolean =>
  after.transaction === transaction && !after.touchesServer;

/**
 * Sends a file without waiting for those before it, so that the server works while this process is busy.
 * What follows one with a fault fails as well, and is not asked for.
 */
async function loadFile(client: PoolClient, file: SqlFile): Promise<SideEffects> {
  const ready = client.query(PATH_OF_FILES);
  const load = client.query(file.sql).catch((error: unknown) => {
    throw endsTransaction(error) ? transactionFault(file) : located(file, error);
  });
  const [, , after] = await Promise.all([ready, load, sideEffects(client)]);
  return after;
}

/** What {@link OPEN} makes of a COMMIT, or of a statement after a ROLLBACK. */
function endsTransaction(error: unknown): boolean {
  return error instanceof DatabaseError && (error.constraint === `${GUARD}_fkey` || error.code === "25006");
}

function transactionFault({ path }: SqlFile): SqlFileError {
  return new SqlFileError(
    "PS106",
    path,
    `found BEGIN, COMMIT or ROLLBACK, expected plain declarative SQL. A layer is one transaction that pgstrata opens and closes: remove the statement.`,
  );
}

interface SideEffects {
  transaction: string;
  touchesServer: boolean;
}

async function sideEffects(client: PoolClient): Promise<SideEffects> {
  const { rows } = await client.query<SideEffects>(SIDE_EFFECTS);
  const [row] = rows;
  if (row === undefined) throw new Error("the server answered a one-row query with no row");
  return row;
}

function refuseSideEffects(file: SqlFile, transaction: string, after: SideEffects): void {
  if (after.transaction !== transaction) throw transactionFault(file);
  if (after.touchesServer) {
    throw new SqlFileError(
      "PS106",
      file.path,
      `found a statement that changes a role, a membership or something else that belongs to the whole server, expected objects of one database. ` +
        "Roles belong to the whole server: declare them as `postgresql.Role` and `postgresql.GrantRole` (component AccessRoles) and name them in the layer's `roles`.",
    );
  }
}

/** What `pg` tells of a server's error; anything else (a broken connection) is passed on as it is. */
function located(file: SqlFile, error: unknown): unknown {
  if (!(error instanceof DatabaseError) || error.code === undefined) return error;
  const place = error.position === undefined ? undefined : placeOf(file.sql, Number(error.position));
  const hint = error.hint === undefined ? "" : `\n  The server's hint: ${error.hint}`;
  return new SqlFileError("PS103", file.path, error.message + hint, { place, sqlstate: error.code, cause: error });
}

/** @param position counted in characters (not UTF-16 units) from 1, as the server does. */
function placeOf(sql: string, position: number): Place {
  return placeAt(sql, [...sql].slice(0, position - 1).join("").length);
}

/** @param offset in UTF-16 units. */
function placeAt(sql: string, offset: number): Place {
  const before = sql.slice(0, offset);
  const start = before.lastIndexOf("\n") + 1;
  const end = sql.indexOf("\n", start);
  return {
    line: before.split("\n").length,
    column: [...before.slice(start)].length + 1,
    text: sql.slice(start, end === -1 ? undefined : end).replaceAll("\t", " "),
  };
}
