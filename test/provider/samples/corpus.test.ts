import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import type { FactBase } from "../../../provider/catalog/pgDelta.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import type { Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { CORPUS, corpusCases } from "../../support/corpus.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { destroy, pending, up } from "../../support/layerHarness.ts";

const open: TestDatabase[] = [];

afterEach(async () => {
  for (const database of open.splice(0)) await database.drop();
});

async function freshDatabase(): Promise<TestDatabase> {
  const database = await createTestDatabase();
  open.push(database);
  return database;
}

async function factsOf({ pool, url }: TestDatabase): Promise<FactBase> {
  return (await readCatalog(pool, new URL(url).username)).facts;
}

async function builtDirectly(sql: string): Promise<FactBase> {
  const database = await freshDatabase();
  await database.query(sql);
  return factsOf(database);
}

async function rowsIn({ query }: TestDatabase): Promise<Record<string, string>> {
  const tables = await query<{ name: string }>(
    "select c.oid::regclass::text as name from pg_class c where relkind in ('r', 'p') and relnamespace::regnamespace::text not in ('pg_catalog', 'information_schema') order by 1",
  );
  const counts: Record<string, string> = {};
  for (const { name } of tables)
    counts[name] = (await query<{ n: string }>(`select count(*) as n from ${name}`))[0]?.n ?? "";
  return counts;
}

/** @param note tells the approvals of one direction from those of the other. */
async function move(
  url: string,
  layer: Properties,
  approvals: string,
  note: string,
  state: ResourceState,
): Promise<ResourceState> {
  const names = approvals.split("\n").filter(Boolean);
  const noted = (approval: string): string => `${approval} (${note})`;
  const allow = names.map(noted);
  for (const approval of names) {
    const others = allow.filter((other) => other !== noted(approval));
    await expect(up(url, { ...layer, allow: others }, state), approval).rejects.toThrow(approval);
  }
  return up(url, { ...layer, allow }, state);
}

/**
 * Each folder is one change: `a.sql` becomes `b.sql` and back, with the rows of `seed.sql` in between. Its
 * name is `<family>--<case>`; `to-a.allow` and `to-b.allow` name the hazards of a direction, without the
 * approval of which it is refused.
 */
for (const name of corpusCases(0)) {
  const folder = join(CORPUS, name);
  const read = (file: string): string =>
    readdirSync(folder).includes(file) ? readFileSync(join(folder, file), "utf8") : "";

  test(`${name}: goes from a to b and back to nothing, with its rows`, async () => {
    const database = await freshDatabase();
    const empty = await factsOf(database);
    const builtA = (await builtDirectly(read("a.sql"))).rootHash;
    const builtB = (await builtDirectly(read("b.sql"))).rootHash;
    expect(builtA, "a change in the catalog").not.toBe(builtB);
    const a = { name: "corpus", files: [join(folder, "a.sql")] };
    const b = { name: "corpus", files: [join(folder, "b.sql")] };

    let state = await up(database.url, a);
    expect(await pending(database.url, state)).toEqual([]);
    expect((await factsOf(database)).rootHash).toBe(builtA);

    await database.query(read("seed.sql"));
    const seeded = await rowsIn(database);
    state = await move(database.url, b, read("to-b.allow"), "to b", state);
    expect(await pending(database.url, state)).toEqual([]);
    expect((await factsOf(database)).rootHash).toBe(builtB);
    expect(await rowsIn(database)).toMatchObject(seeded);

    state = await move(database.url, a, read("to-a.allow"), "to a", state);
    expect(await pending(database.url, state)).toEqual([]);
    expect((await factsOf(database)).rootHash).toBe(builtA);

    await destroy(database.url, { ...state, inputs: { ...state.inputs, forceDestroy: true } });
    expect((await factsOf(database)).rootHash).toBe(empty.rootHash);
  });
}
