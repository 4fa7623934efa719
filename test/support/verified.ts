import type { PolicySet } from "../../components/platform/RowLevelSecurity.ts";
import type { TestDatabase } from "./database.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "./studio.ts";

/** The registrations as the program writes them, with strings that are no placeholders. */
const REGISTER = `
  insert into platform.databases (project_id, name, type, host, port, connection_string, config, metadata) values
    ($1, 'Railway MongoDB', 'mongodb', 'mongodb.railway.internal', 27017, 'mongodb://mongo:canary-of-mongodb@mongodb.railway.internal:27017',
     '{"authSource": "admin", "minPoolSize": 2, "maxPoolSize": 10}', '{"provider": "railway", "environment": "production"}'),
    ($1, 'Railway Redis', 'redis', 'redis.railway.internal', 6379, 'redis://default:canary-of-redis@redis.railway.internal:6379',
     '{"db": 0, "keyPrefix": "studio:", "connectTimeout": 10000}', '{"provider": "railway", "environment": "production"}')`;

/** A database with the platform's layers, a tenant and both registrations: all that checks ask for. */
export async function createVerifiedDatabase(policies: PolicySet = "permissive"): Promise<StudioDatabase> {
  const studio = await createStudioDatabase(policies);
  await register(studio);
  return studio;
}

async function register(database: TestDatabase): Promise<void> {
  const { projects } = await seedStudio(database);
  await database.query(REGISTER, [projects[0]]);
}
