/**
 * How SQL files are executed in one transaction, what they may not do, and where in a file an error is. The
 * order of statements that need one another is left to `orderedLoad.ts`.
 */
import pg, { type PoolClient } from "pg";
import { UserError } from "../core/errors.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import { enterSettings, PATH_OF_FILES, SettingError, type Settings, type Step, stepsOf } from "./fileSettings.ts";
import { mayLackSomething } from "./missingNames.ts";
import { loadOrdered, StatementFault, sqlOf } from "./orderedLoad.ts";
import { orderFault } from "./orderFault.ts";
import { withoutPsql } from "./psqlCommands.ts";
import { placeAt, placeOf, type SqlFile, SqlFileError, serverSays } from "./sqlFile.ts";
import { sqlStatements } from "./sqlStatements.ts";
import { statementNames } from "./statementNames.ts";
import { addedUnmanaged, unmanaged, unmanagedFault } from "./unmanaged.ts";

const { DatabaseError } = pg;

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

/** A statement in the order in which it was executed; its settings where that is not the written one. */
type Executed = Omit<Step, "settings"> & { settings?: Settings };

/**
 * Executes files, all in one transaction: each as a whole in the order given, or statement by statement where
 * one needs what stands behind it.
 *
 * @param client is not to be used for anything else afterwards.
 * @param options.isAssumed whether they say what is there anyway, so that it does not matter what no layer
 *   can hold.
 * @throws {SqlFileError} with `file:line:column`, the server's message and the line itself. Nothing of the
 *   files then stays.
 */
export async function loadSql(
  client: PoolClient,
  written: readonly SqlFile[],
  { isAssumed = false } = {},
): Promise<void> {
  const files = written.map(withoutPsql);
  let order: readonly Executed[] | undefined;
  await client.query(OPEN);
  try {
    const before = isAssumed ? undefined : await unmanaged(client);
    try {
      await loadAsWritten(client, files);
    } catch (error) {
      if (!needsOrder(error)) throw error;
      await client.query("rollback");
      await client.query(OPEN);
      const { transaction } = await sideEffects(client);
      order = await loadInOrder(client, files);
      // Which file it was, the search for the place tells.
      for (const file of files.slice(0, 1)) refuseSideEffects(file, transaction, await sideEffects(client));
    }
    await client.query(PATH_OF_OURS);
    const added = before === undefined ? [] : addedUnmanaged(before, await unmanaged(client));
    if (added.length > 0) throw await locatedUnmanaged(client, order ?? statementsOf(files), added);
    await client.query(CLOSE);
  } catch (error) {
    await client.query("rollback").catch(() => {});
    if (!(error instanceof SqlFileError && error.place === undefined)) throw error;
    throw await withPlace(client, order ?? statementsOf(files), error);
  }
}

const needsOrder = (error: unknown): boolean =>
  error instanceof SqlFileError && error.cause instanceof DatabaseError && mayLackSomething(error.cause);

async function loadAsWritten(client: PoolClient, files: readonly SqlFile[]): Promise<void> {
  const { transaction } = await sideEffects(client);
  const loads = files.map((file) => loadFile(client, file));
  for (const load of loads) load.catch(() => {});
  for (const [n, file] of files.entries()) {
    const after = await loads[n];
    if (after !== undefined) refuseSideEffects(file, transaction, after);
  }
}

/** @returns the statements in the order in which they succeeded. */
async function loadInOrder(client: PoolClient, files: readonly SqlFile[]): Promise<readonly Step[]> {
  try {
    const { before, steps } = await stepsOf(client, files);
    const ends = steps.find((step) => statementNames(sqlOf(step)).isTransaction);
    if (ends !== undefined) throw transactionFault(ends.file, ends.start);
    const ordered = await loadOrdered(client, before, steps);
    const fault = await orderFault(client, ordered);
    if (fault !== undefined) throw fault;
    return ordered.steps;
  } catch (error) {
    if (error instanceof SettingError) throw located(error.file, error.cause, error.start);
    if (error instanceof StatementFault) throw located(error.step.file, error.cause, error.step.start);
    throw error;
  }
}

const statementsOf = (files: readonly SqlFile[]): Executed[] =>
  files.flatMap((file) => sqlStatements(file.sql).map((span) => ({ file, ...span })));

/** Executes statements once more, each by itself, until what is looked for was found after one. */
async function replay(
  client: PoolClient,
  order: readonly Executed[],
  isFound: (n: number) => Promise<boolean>,
): Promise<number | undefined> {
  let settings: Settings = new Map();
  for (const [n, step] of order.entries()) {
    if (step.settings !== undefined) await enterSettings(client, settings, step.settings);
    else if (step.file !== order[n - 1]?.file) await client.query(PATH_OF_FILES);
    settings = step.settings ?? settings;
    const isSound = await client.query(step.file.sql.slice(step.start, step.end)).then(
      () => true,
      () => false,
    );
    if (!isSound || (await isFound(n))) return n;
  }
  return undefined;
}

/**
 * A file is sent whole, and not every error of the server has a position: the statements are executed once
 * more, each by itself.
 */
async function withPlace(client: PoolClient, order: readonly Executed[], error: SqlFileError): Promise<SqlFileError> {
  try {
    await client.query(OPEN);
    const { transaction } = await sideEffects(client);
    const n = await replay(client, order, async () => !isHarmless(await sideEffects(client), transaction));
    const step = n === undefined ? undefined : order[n];
    if (step === undefined) return error;
    const { code, fault, sqlstate, cause } = error;
    const place = placeAt(step.file.sql, step.start);
    return new SqlFileError(code, step.file.path, fault, { sqlstate, cause, place });
  } catch {
    // What has no place keeps its message.
    return error;
  } finally {
    await client.query("rollback").catch(() => {});
  }
}

/** What no layer can hold, with the place of the statement that made the first of it where that is found. */
async function locatedUnmanaged(
  client: PoolClient,
  order: readonly Executed[],
  added: readonly string[],
): Promise<UserError> {
  const { code, fault } = unmanagedFault(added);
  const made = await statementThatMade(client, order, added).catch(() => undefined);
  if (made === undefined) return new UserError(code, fault, { property: "files" });
  return new SqlFileError(code, made.file.path, fault, { place: placeAt(made.file.sql, made.start) });
}

/**
 * Which statement made the first of what no layer can hold. Asking the catalog after each of thousands takes
 * long, so the files are executed twice: once to find the part with the statement, once to find it in there.
 */
async function statementThatMade(
  client: PoolClient,
  order: readonly Executed[],
  added: readonly string[],
): Promise<Executed | undefined> {
  let first = 0;
  let last = order.length - 1;
  for (const part of [Math.ceil(Math.sqrt(order.length)), 1]) {
    await client.query("rollback");
    await client.query(OPEN);
    const found = await replay(client, order, async (n) => {
      if (n < first || ((n + 1) % part !== 0 && n !== last)) return false;
      // The file's own path comes back for the statements after this one.
      await client.query(`savepoint look; ${PATH_OF_OURS}`);
      const there = await unmanaged(client);
      await client.query("rollback to savepoint look");
      return added.some((what) => there.has(what));
    });
    if (found === undefined) break;
    first = found - (found % part);
    last = found;
  }
  return order[last];
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
    throw located(file, error);
  });
  const [, , after] = await Promise.all([ready, load, sideEffects(client)]);
  return after;
}

/** What {@link OPEN} makes of a COMMIT, or of a statement after a ROLLBACK. */
function endsTransaction(error: unknown): boolean {
  return error instanceof DatabaseError && (error.constraint === `${GUARD}_fkey` || error.code === "25006");
}

/** @param start of the statement, where it is known. */
function transactionFault({ path, sql }: SqlFile, start?: number): SqlFileError {
  return new SqlFileError(
    "PS106",
    path,
    `found BEGIN, COMMIT or ROLLBACK, expected plain declarative SQL. A layer is one transaction that pgstrata opens and closes: remove the statement.`,
    { place: start === undefined ? undefined : placeAt(sql, start) },
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

/**
 * What `pg` tells of a server's error; anything else (a broken connection) is passed on as it is.
 *
 * @param start of the statement, where it was sent by itself.
 */
function located(file: SqlFile, error: unknown, start?: number): unknown {
  if (endsTransaction(error)) return transactionFault(file, start);
  if (!(error instanceof DatabaseError) || error.code === undefined) return error;
  const own = start === undefined ? undefined : placeAt(file.sql, start);
  const place = error.position === undefined ? own : placeOf(file.sql, Number(error.position), start);
  return new SqlFileError("PS103", file.path, serverSays(error), { place, sqlstate: error.code, cause: error });
}
