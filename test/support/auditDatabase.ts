import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { projectRoot } from "../../tools/lib/paths.ts";
import type { TestDatabase } from "./database.ts";

/** The roles of an application's API, which the whole server shares. */
export const API_ROLES = ["anon", "authenticated", "service_role"] as const;

/** Makes a database what an application has: the roles, its schema, and the rows of one environment. */
export async function makeApplication({ query }: TestDatabase, environment: "dev" | "prod"): Promise<void> {
  for (const file of ["roles", "base", environment])
    await query(await readFile(join(projectRoot, "test", "fixtures", "audit", `${file}.sql`), "utf8"));
}
