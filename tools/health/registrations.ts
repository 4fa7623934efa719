/**
 * The registrations of a database with their connection strings, and how the result of a check is recorded.
 * Checking is left to `checkHealth.ts`.
 */
import { z } from "zod";
import { UserError } from "../../provider/core/errors.ts";
import { codeOf } from "../../provider/database/connectionError.ts";
import type { Database } from "../../provider/database/target.ts";

const registration = z.object({
  id: z.string(),
  name: z.string(),
  type: z.string(),
  host: z.string(),
  port: z.number(),
  config: z.record(z.string(), z.unknown()).nullable(),
  status: z.string(),
  /** Secret. Null where it is not asked for, or cannot be opened. */
  connectionString: z.string().nullable(),
});

export type Registration = z.output<typeof registration>;

/** Services that no reader uses are not asked, and their strings not opened. */
export const isChecked = ({ status }: Pick<Registration, "status">): boolean => status !== "inactive";

const COLUMNS = "d.id::pg_catalog.text, d.name, d.type, d.host, d.port, d.config, d.status";
const ALL = `
  SELECT ${COLUMNS}, s.connection_string AS "connectionString"
  FROM platform.databases AS d
  LEFT JOIN platform.decrypt_databases(ARRAY(SELECT a.id FROM platform.databases AS a WHERE a.status <> 'inactive')) AS s
    ON s.id OPERATOR(pg_catalog.=) d.id
  ORDER BY d.name, d.id`;
const ALL_CLOSED = `
  SELECT ${COLUMNS}, NULL AS "connectionString" FROM platform.databases AS d ORDER BY d.name, d.id`;
const OPEN_ONE = "SELECT platform.decrypt_database_connection_string($1::pg_catalog.uuid) AS full";
const RECORD = `
  SELECT platform.record_database_health($1::pg_catalog.uuid, $2, $3, $4::pg_catalog.int4) AS status`;

/** Something is missing, or not allowed: the same for each row. */
const OF_ALL_ROWS = new Set(["42501", "42883", "42P01", "42703", "3F000"]);

/** In one statement, which leaves one note of it; where one string does not open, each by itself. */
export async function readRegistrations(database: Database): Promise<Registration[]> {
  const client = await database.connect();
  try {
    const { rows } = await client.query(ALL);
    return z.array(registration).parse(rows);
  } catch (error) {
    const code = codeOf(error) ?? "";
    if (code === "" || OF_ALL_ROWS.has(code)) throw await refusal(error, database);
    const { rows } = await client.query(ALL_CLOSED);
    const found = z.array(registration).parse(rows);
    for (const each of found.filter(isChecked)) {
      const opened = await client.query<{ full: string | null }>(OPEN_ONE, [each.id]).catch(() => undefined);
      each.connectionString = opened?.rows[0]?.full ?? null;
    }
    return found;
  } finally {
    client.release();
  }
}

export interface Recorded {
  id: string;
  result: "healthy" | "unhealthy";
  error: string | null;
}

/**
 * Records results, one transaction each, so that a lock on one row holds up no other.
 *
 * @param after how many equal results change a status.
 * @returns the status that then holds, by registration; none of those that are gone.
 */
export async function recordResults(
  database: Database,
  results: readonly Recorded[],
  after: number,
): Promise<Map<string, string>> {
  const client = await database.connect();
  try {
    const statuses = new Map<string, string>();
    for (const { id, result, error } of results) {
      const { rows } = await client.query<{ status: string | null }>(RECORD, [id, result, error, after]);
      const status = rows[0]?.status;
      if (typeof status === "string") statuses.set(id, status);
    }
    return statuses;
  } catch (error) {
    throw await refusal(error, database);
  } finally {
    client.release();
  }
}

async function refusal(error: unknown, database: Database): Promise<unknown> {
  const code = codeOf(error) ?? "";
  if (!OF_ALL_ROWS.has(code)) return error;
  const { role } = await database.facts();
  return new UserError(
    "PS856",
    code === "42501"
      ? `The role "${role}" may not check the registrations of ${database.label} (SQLSTATE ${code}). Connect as a member of studio_decrypt: PGSTRATA_HEALTH_URL names another login than the one of the stack.`
      : `${database.label} has no registry of services, or an older one (SQLSTATE ${code}). Expected table and functions of sql/databases; run \`pulumi up\` first.`,
    { cause: error },
  );
}
