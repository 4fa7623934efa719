/**
 * What has to hold after a rollback of components: nothing of theirs is left, the base stands, and the audit
 * log is as it was. How the answers are printed is left to `components.ts`.
 */
import type pg from "pg";
import { named } from "../../provider/catalog/objectNames.ts";
import { readCatalog } from "../../provider/catalog/readCatalog.ts";
import { present, withoutAdopted } from "../../provider/contribution/record.ts";
import { codeOf } from "../../provider/database/connectionError.ts";
import type { Database } from "../../provider/database/target.ts";
import { unpackRecord } from "../../provider/resources/layer/outputs.ts";
import type { StateResource } from "../lib/stackState.ts";

export interface Check {
  name: string;
  status: "PASS" | "WARNING" | "FAIL";
  measured: string;
  expected: string;
}

/** The audit log at one moment. */
export interface AuditLog {
  rows: string;
  /** Of all rows, whatever their order; undefined where that took too long. */
  checksum: string | undefined;
}

/** What a rollback never takes. */
const BASE = ["projects", "organizations", "users", "audit_logs"];

const LONGEST_CHECKSUM_MS = 5000;

const COUNT_AUDIT = "SELECT pg_catalog.count(*)::pg_catalog.text AS rows FROM platform.audit_logs";
const SUM_AUDIT = `
  SELECT pg_catalog.count(*)::pg_catalog.text AS rows,
         coalesce(pg_catalog.sum(pg_catalog.hashtextextended(a::pg_catalog.text, 0)), 0)::pg_catalog.text AS checksum
    FROM platform.audit_logs AS a`;

const RLS = `
  SELECT (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_policy AS p
            JOIN pg_catalog.pg_class AS c ON c.oid = p.polrelid WHERE c.relnamespace = ANY (schemas)) AS policies,
         (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_class AS c
           WHERE c.relnamespace = ANY (schemas) AND c.relkind IN ('r', 'p') AND c.relrowsecurity) AS secured
    FROM (SELECT pg_catalog.array_agg(oid) AS schemas FROM pg_catalog.pg_namespace
           WHERE nspname IN ('platform', 'platform_private')) AS of_platform`;

const THERE = `
  SELECT pg_catalog.array_agg(name) FILTER (WHERE pg_catalog.to_regclass('platform.' || name) IS NOT NULL) AS there
    FROM pg_catalog.unnest($1::pg_catalog.text[]) AS name`;

/** Undefined where there is no audit log. */
export async function readAuditLog(database: Database): Promise<AuditLog | undefined> {
  const client = await database.connect();
  try {
    await client.query("BEGIN READ ONLY");
    await client.query(`SET LOCAL row_security = off; SET LOCAL statement_timeout = ${LONGEST_CHECKSUM_MS}`);
    if ((await there(client, ["audit_logs"])).length === 0) return undefined;
    await client.query("SAVEPOINT checksum");
    return await client.query<AuditLog>(SUM_AUDIT).then(
      ({ rows }) => rows[0],
      async (error: unknown) => {
        if (codeOf(error) !== QUERY_CANCELED) throw error;
        await client.query("ROLLBACK TO SAVEPOINT checksum; SET LOCAL statement_timeout = 0");
        const { rows } = await client.query<{ rows: string }>(COUNT_AUDIT);
        return { rows: rows[0]?.rows ?? "", checksum: undefined };
      },
    );
  } finally {
    await client.query("ROLLBACK");
    client.release();
  }
}

const QUERY_CANCELED = "57014";

/** @param removed the layers that went, as the state had them. */
export async function checkRollback(
  database: Database,
  removed: readonly StateResource[],
  auditBefore: AuditLog | undefined,
): Promise<Check[]> {
  const pool = await database.pool();
  const names = removed.map(({ name }) => name);
  return [
    ...(await objectsLeft(database, removed)),
    ...(names.includes("rls") ? await rlsLeft(pool) : []),
    ...(names.includes("databases") ? [await registryLeft(pool)] : []),
    await baseStands(pool),
    ...auditCheck(auditBefore, await readAuditLog(database)),
  ];
}

/** Whether something of layers stands that they did not adopt. */
export async function objectsLeft(database: Database, removed: readonly StateResource[]): Promise<Check[]> {
  if (removed.length === 0) return [];
  const { role } = await database.facts();
  const { facts } = await readCatalog(await database.pool(), role);
  return removed.map(({ name, outputs }) => {
    const left = named(present(facts, withoutAdopted(unpackRecord(outputs.contribution))));
    return check(`objects of layer ${name}`, left.length === 0, left.slice(0, 3).join(", ") || "none", "none");
  });
}

async function rlsLeft(pool: pg.Pool): Promise<Check[]> {
  const { rows } = await pool.query<{ policies: number; secured: number }>(RLS);
  const { policies = 0, secured = 0 } = rows[0] ?? {};
  return [
    check("policies", policies === 0, String(policies), "0"),
    check("tables with row-level security", secured === 0, String(secured), "0"),
  ];
}

async function registryLeft(pool: pg.Pool): Promise<Check> {
  const isThere = (await there(pool, ["databases"])).length > 0;
  return check("registry", !isThere, isThere ? "platform.databases exists" : "gone", "gone");
}

async function baseStands(pool: pg.Pool): Promise<Check> {
  const found = await there(pool, BASE);
  const missing = BASE.filter((name) => !found.includes(name));
  return check("base tables", missing.length === 0, `${found.length} of ${BASE.length}`, BASE.join(", "));
}

/** What other sessions have written meanwhile is more, and no fault. */
export function auditCheck(before: AuditLog | undefined, after: AuditLog | undefined): Check[] {
  if (before === undefined) return [];
  const shown = (log: AuditLog | undefined): string =>
    log === undefined ? "no table" : `${log.rows} rows, checksum ${log.checksum ?? "not computed"}`;
  const found = { name: "audit_logs", measured: shown(after), expected: shown(before) };
  if (after === undefined || BigInt(after.rows) < BigInt(before.rows)) return [{ ...found, status: "FAIL" }];
  if (after.rows !== before.rows) return [{ ...found, status: "WARNING" }];
  if (after.checksum === undefined || before.checksum === undefined) return [{ ...found, status: "WARNING" }];
  return [{ ...found, status: after.checksum === before.checksum ? "PASS" : "FAIL" }];
}

async function there(client: pg.Pool | pg.ClientBase, names: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ there: string[] | null }>(THERE, [names]);
  return rows[0]?.there ?? [];
}

const check = (name: string, passes: boolean, measured: string, expected: string): Check => ({
  name,
  status: passes ? "PASS" : "FAIL",
  measured,
  expected,
});
