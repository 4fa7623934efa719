import { join } from "node:path";
import type { PolicySet } from "../../components/platform/RowLevelSecurity.ts";
import type { Properties, ResourceState } from "../../provider/core/resourceType.ts";
import { createTestDatabase, type TestDatabase } from "./database.ts";
import { upAll } from "./layerHarness.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/**
 * The roles that the project's SQL names. They belong to the whole test server, so they are made once and
 * never dropped.
 */
export const STUDIO_ROLES = ["studio_app", "studio_readonly", "studio_system", "studio_decrypt"];

/** The project's three layers, lowest first, as its components declare them. */
export function layersWith(policies: PolicySet): Properties[] {
  const folders = { platform: ["platform"], databases: ["databases"], rls: ["rls/common", `rls/${policies}`] };
  const sources = Object.entries(folders).map(([name, files]) => ({
    name,
    files: files.map((folder) => join(ROOT, "sql", folder)),
  }));
  return sources.map((source, n) => ({ ...source, base: sources.slice(0, n), roles: STUDIO_ROLES }));
}

export const studioLayers: Properties[] = layersWith("permissive");

/** Makes the roles that are missing; another test file may be at it at the same moment. */
export async function ensureStudioRoles({ query }: TestDatabase): Promise<void> {
  for (const role of STUDIO_ROLES) {
    await query(`do $$ begin create role ${role}; exception when duplicate_object or unique_violation then end $$`);
  }
}

export interface StudioDatabase extends TestDatabase {
  states: ResourceState[];
  /** Runs SQL as another role in a transaction that is undone, and gives the rows of the last statement. */
  as(role: string, sql: string): Promise<Record<string, unknown>[]>;
}

/** A database with the project's own SQL, applied through its layers. */
export async function createStudioDatabase(policies: PolicySet = "permissive"): Promise<StudioDatabase> {
  const database = await createTestDatabase();
  await ensureStudioRoles(database);
  const states = await upAll(database.url, layersWith(policies));
  const as = async (role: string, sql: string): Promise<Record<string, unknown>[]> => {
    const client = await database.pool.connect();
    try {
      await client.query(`begin; set local role ${role}`);
      const result = await client.query(sql);
      // Several statements have several results, which the driver's types do not tell.
      const last: { rows: Record<string, unknown>[] } | undefined = Array.isArray(result) ? result.at(-1) : result;
      return last?.rows ?? [];
    } finally {
      await client.query("rollback");
      client.release();
    }
  };
  return { ...database, states, as };
}

const SALT = "test-salt-of-forty-characters-0123456789";

/** Writes the encryption salt, the key of request contexts, an organization and two projects. */
export async function seedStudio({ query }: TestDatabase): Promise<{ projects: [string, string] }> {
  await query("insert into platform_private.encryption_salts (name, salt) values ('databases', $1)", [SALT]);
  await query("insert into platform_access.context_keys (name, key) values ('gateway', $1)", [SALT]);
  const [organization] = await query<{ id: string }>(
    "insert into platform.organizations (name, slug) values ('Acme', 'acme') returning id",
  );
  const rows = await query<{ id: string }>(
    `insert into platform.projects (organization_id, name, slug, ref, database_host, database_name, database_user, database_password, postgres_meta_url, supabase_url)
     select $1, p, p, p || '-ref', 'host', 'db', 'user', 'project-password', 'http://meta', 'http://base' from unnest(array['one', 'two']) as p returning id`,
    [organization?.id],
  );
  return { projects: [rows[0]?.id ?? "", rows[1]?.id ?? ""] };
}
