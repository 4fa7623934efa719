import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { up, upAll } from "../../support/layerHarness.ts";
import { ensureStudioRoles, seedStudio, studioLayers } from "../../support/studio.ts";

/** The registry as it was before key versions: one salt, a bare message, and no other secret. */
const BEFORE = join(import.meta.dirname, "..", "..", "fixtures", "registry-before-key-versions");
const FULL = "redis://default:pa55-canary@redis.railway.internal:6379/0";

const [platform = {}, databases = {}] = studioLayers;
const earlier: Properties = { ...databases, files: [BEFORE] };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await ensureStudioRoles(database);
});
afterAll(() => database.drop());

test("an update of the layer takes a registry of before key versions over, and each of its strings opens", async () => {
  const [, state] = await upAll(database.url, [platform, earlier]);
  if (state === undefined) throw new Error("the earlier layer was not made");
  const { projects } = await seedStudio(database);
  await database.query(
    `insert into platform.databases (project_id, name, type, host, port, connection_string)
     select p, 'db', 'redis', 'redis.railway.internal', 6379, $2 from unnest($1::uuid[]) as p`,
    [projects, FULL],
  );
  const rows = () =>
    database.query(
      "select id, connection_string, connection_string_encrypted, updated_at from platform.databases order by id",
    );
  const before = await rows();

  await up(database.url, databases, state);

  expect(await rows()).toEqual(before);
  const opened = () =>
    database.query(
      "select platform.decrypt_database_connection_string(id) as full, platform_private.key_version(connection_string_encrypted) as version from platform.databases",
    );
  expect(await opened()).toEqual(Array(2).fill({ full: FULL, version: 1 }));
  // A move makes a bound ciphertext of it.
  await database.query("update platform.databases set project_id = $1", [projects[1]]);
  expect(await opened()).toEqual(Array(2).fill({ full: FULL, version: 1 }));
  expect(
    await database.query("select distinct get_byte(connection_string_encrypted, 0) as form from platform.databases"),
  ).toContainEqual({ form: 1 });
});
