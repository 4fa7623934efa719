/**
 * The program's own checks: files of one SELECT each, whose rows are results. They read the stack's plain
 * settings as `current_setting('pgstrata.<name>', true)`.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PoolClient } from "pg";
import type { Properties } from "../core/resourceType.ts";
import { shortHash } from "./digest.ts";
import { inconclusive, type Measuring } from "./measure.ts";
import { type CheckKind, type CheckResult, KINDS, STATUSES } from "./results.ts";

export interface OwnCheck {
  /** Of the file, without its ending; what it is called where it says nothing. */
  name: string;
  path: string;
  sql: string;
  /** Undefined where the file does not say it. */
  kind: CheckKind | undefined;
}

/** Comments, and then a query: anything else could end the transaction that is read-only. */
const QUERY = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:select|with|values|table)\b/i;
const KIND_LINE = /^\s*--\s*kind:\s*(\S+)\s*$/m;

/** The checks of a folder in the order of their names; none where there is no folder. */
export async function readOwnChecks(folder: string, directory: string): Promise<OwnCheck[]> {
  const names = (await readdir(join(directory, folder)).catch(() => [])).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (file) => {
      const path = join(folder, file);
      const sql = await readFile(join(directory, path), "utf8");
      const said = KIND_LINE.exec(sql)?.[1];
      return { name: file.replace(/\.sql$/, ""), path, sql, kind: KINDS.find((kind) => kind === said) };
    }),
  );
}

/** Runs the checks of one kind; those whose kind is not said count as `plan`. */
export async function ownChecks(
  measuring: Measuring,
  checks: readonly OwnCheck[],
  kind: CheckKind,
): Promise<CheckResult[]> {
  const chosen = checks.filter((each) => (each.kind ?? "plan") === kind);
  if (chosen.length === 0) return [];
  try {
    return await measuring.readOnly(async (client) => {
      // All are sent at once; the server answers one after another.
      const [, ...results] = await Promise.all([
        tellSettings(client, measuring.settings.settings),
        ...chosen.map((each) => resultsOf(measuring, client, each)),
      ]);
      return results.flat();
    });
  } catch (error) {
    return chosen.map(({ name }) => inconclusive(kind, name, measuring.reason(error)));
  }
}

async function tellSettings(client: PoolClient, settings: Properties): Promise<void> {
  const told = Object.entries(settings).flatMap(([name, value]) =>
    /^[A-Za-z_]\w*$/.test(name) && value !== null
      ? [[name, typeof value === "object" ? JSON.stringify(value) : String(value)]]
      : [],
  );
  await client.query(
    "select pg_catalog.set_config('pgstrata.' || key, value, true) from pg_catalog.json_each_text($1::pg_catalog.json)",
    [JSON.stringify(Object.fromEntries(told))],
  );
}

/** What a file says, with one thing that ends it and no other. */
async function resultsOf(
  measuring: Measuring,
  client: PoolClient,
  { name, path, sql, kind }: OwnCheck,
): Promise<CheckResult[]> {
  if (kind === undefined) {
    const line = `Begin ${path} with a line "-- kind: plan" or "-- kind: run".`;
    return [inconclusive("plan", name, `${path} does not say its kind`, line)];
  }
  if (!QUERY.test(sql)) return [inconclusive(kind, name, `${path} is no query`, `Have ${path} hold one SELECT.`)];
  // A text that is prepared is one statement: nothing follows the query.
  const prepared = { name: `pgstrata_check_${shortHash(sql)}`, text: sql };
  const [saved, asked, undone] = await Promise.allSettled([
    client.query("savepoint own_check"),
    client.query<Record<string, unknown>>(prepared),
    client.query("rollback to savepoint own_check"),
  ]);
  if (saved.status === "rejected") throw saved.reason;
  if (undone.status === "rejected") throw undone.reason;
  if (asked.status === "rejected")
    return [inconclusive(kind, name, `${path}: ${measuring.reason(asked.reason)}`, `Correct ${path}.`)];
  const { rows } = asked.value;
  if (rows.length === 0)
    return [inconclusive(kind, name, `${path} returns no row`, `Have ${path} return one row a result.`)];
  return rows.map((row) => resultOf(row, kind, name, path));
}

function resultOf(row: Record<string, unknown>, kind: CheckKind, fallback: string, path: string): CheckResult {
  const text = (column: string): string =>
    row[column] === null || row[column] === undefined ? "" : String(row[column]);
  const name = text("name") || fallback;
  const status = STATUSES.find((each) => each === text("status").toUpperCase());
  if (status === undefined) {
    const found = `${path} returns ${text("status") === "" ? "no status" : `the status ${JSON.stringify(text("status"))}`}`;
    return inconclusive(kind, name, found, `Have ${path} return a status of ${STATUSES.join(", ")}.`);
  }
  const mend = status === "PASS" ? "" : text("mend") || `See ${path}.`;
  return { name, kind, status, measured: text("measured"), expected: text("expected"), mend };
}
