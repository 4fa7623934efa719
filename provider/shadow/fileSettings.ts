/**
 * With which session settings each statement of a file is read, so that it means the same when it is executed
 * in another place. Which statements are is left to `orderedLoad.ts`.
 */
import type { PoolClient } from "pg";
import type { SqlFile } from "./sqlFile.ts";
import type { SqlSpan } from "./sqlStatements.ts";
import { sqlStatements } from "./sqlStatements.ts";
import { statementNames } from "./statementNames.ts";

/**
 * With which path a file is read, whatever the server, the role or the URL has: a new database's own. What a
 * file sets holds to its end.
 */
export const PATH_OF_FILES = `set search_path = "$user", public`;

/** What was set in a session, by name. */
export type Settings = ReadonlyMap<string, string>;

/** A statement of a file with the settings at its place. */
export interface Step extends SqlSpan {
  file: SqlFile;
  settings: Settings;
}

/** A statement that could not set what it should. */
export class SettingError extends Error {
  readonly file: SqlFile;
  readonly start: number;

  constructor(file: SqlFile, start: number, cause: unknown) {
    super("a setting was refused", { cause });
    this.file = file;
    this.start = start;
  }
}

/**
 * All that the session has set. It is asked with the path of a file. The two that are not listed go first.
 */
const SETTINGS = `
  select 'session_authorization' as name, pg_catalog.current_setting('session_authorization') as value
  union all select 'role', pg_catalog.current_setting('role')
  union all select name, setting from pg_catalog.pg_settings where source operator(pg_catalog.=) 'session'
    and name operator(pg_catalog.!~) '^transaction_(isolation|read_only|deferrable)$'`;

const SET =
  "select pg_catalog.set_config(name, value, false) from unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as setting (name, value)";

async function settingsOf(client: PoolClient): Promise<Settings> {
  const { rows } = await client.query<{ name: string; value: string }>(SETTINGS);
  return new Map(rows.map(({ name, value }) => [name, value]));
}

/**
 * Makes `to` of the settings `from`. What is not set any more gets the value that the connection began with.
 */
export async function enterSettings(client: PoolClient, from: Settings, to: Settings): Promise<void> {
  if (from === to) return;
  const names = [...new Set([...to.keys(), ...from.keys()])].filter((name) => from.get(name) !== to.get(name));
  if (names.length > 0) await client.query(SET, [names, names.map((name) => to.get(name) ?? null)]);
}

/**
 * The statements of files, those that only set something left out: what they set is in the settings of those
 * that follow. The settings of the session are afterwards as they were.
 *
 * @throws {SettingError}
 */
export async function stepsOf(
  client: PoolClient,
  files: readonly SqlFile[],
): Promise<{ before: Settings; steps: Step[] }> {
  const before = await settingsOf(client);
  const steps: Step[] = [];
  await client.query("savepoint settings");
  for (const file of files) {
    await client.query(PATH_OF_FILES);
    let settings = await settingsOf(client);
    for (const { start, end } of sqlStatements(file.sql)) {
      const sql = file.sql.slice(start, end);
      if (!statementNames(sql).isSetting) {
        steps.push({ file, start, end, settings });
        continue;
      }
      await client.query(sql).catch((error: unknown) => {
        throw new SettingError(file, start, error);
      });
      settings = await settingsOf(client);
    }
  }
  await client.query("rollback to savepoint settings; release savepoint settings");
  return { before, steps };
}
