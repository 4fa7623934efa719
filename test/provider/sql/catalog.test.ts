import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { ExpectedFunction, ExpectedTable } from "../../fixtures/expected/types.ts";
import {
  deliberateDifferences,
  expectedCounts,
  expectedPlatform,
  expectedRegistry,
  expectedRlsFunctions,
} from "../../fixtures/expected-catalog.ts";
import { type CatalogShape, catalogShape } from "../../support/catalogShape.ts";
import { destroy, pending, preview, refresh } from "../../support/layerHarness.ts";
import { createStudioDatabase, type StudioDatabase, studioLayers } from "../../support/studio.ts";

let studio: StudioDatabase;
let found: CatalogShape;

beforeAll(async () => {
  studio = await createStudioDatabase();
  found = await catalogShape(studio.url);
});
afterAll(async () => {
  await studio.drop();
});

const byName = <Item extends { name: string }>(items: readonly Item[]): Item[] =>
  [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
const sortedByFirst = <Item extends readonly [string, ...unknown[]]>(items: readonly Item[]): Item[] =>
  [...items].sort(([a], [b]) => (a < b ? -1 : 1));

/** With the deliberate differences, and lists without an order sorted. */
function asBuilt(name: string, table: ExpectedTable): ExpectedTable {
  return {
    columns: table.columns.map(([column, type, nullable, given]) => [
      column,
      type,
      nullable,
      deliberateDifferences.defaults[`${name}.${column}`] ?? given,
    ]),
    primaryKey: table.primaryKey,
    unique: sortedByFirst(table.unique),
    indexes: sortedByFirst([...table.indexes, ...(deliberateDifferences.additionalIndexes[name] ?? [])]),
    foreignKeys: sortedByFirst(table.foreignKeys),
    checks: [...table.checks].sort(),
    triggers: [...table.triggers].sort(),
  };
}

const expectedTables = { ...expectedPlatform.tables, ...expectedRegistry.tables };

describe("the project's SQL, applied through its layers", () => {
  test.each(Object.keys(expectedTables))(
    "has table %s with its columns in order, keys, checks, indexes and triggers",
    (name) => {
      const expected = expectedTables[name];
      if (expected === undefined) throw new Error("no such table");
      expect(found.tables[name]).toEqual(asBuilt(name, expected));
    },
  );

  test("has no table that the specification does not have", () => {
    expect(Object.keys(found.tables)).toEqual(Object.keys(expectedTables).sort());
  });

  test("has the functions of the specification and the deliberate ones, with their signatures", () => {
    const definer = new Set(deliberateDifferences.definerFunctions);
    const expected: ExpectedFunction[] = [
      ...expectedPlatform.functions,
      ...expectedRegistry.functions,
      ...expectedRlsFunctions,
      ...deliberateDifferences.additionalFunctions,
    ].map((f) => (definer.has(f.name) ? { ...f, definer: true } : f));
    expect(byName(found.functions)).toEqual(byName(expected));
  });

  test("has the views of the specification with their columns in order", () => {
    expect(found.views).toEqual({ ...expectedPlatform.views, ...expectedRegistry.views });
  });

  test("has the totals of the specification", () => {
    const tables = Object.entries(found.tables)
      .filter(([name]) => name !== "databases")
      .map(([, table]) => table);
    const sum = (count: (table: ExpectedTable) => number): number =>
      tables.reduce((total, table) => total + count(table), 0);
    const additional = Object.values(deliberateDifferences.additionalIndexes).flat().length;
    expect({
      tables: tables.length,
      columns: sum(({ columns }) => columns.length),
      notNullColumns: sum(({ columns }) => columns.filter(([, , nullable]) => !nullable).length),
      namedIndexes: sum(({ indexes }) => indexes.length) - additional,
      indexes: sum(({ indexes, unique }) => indexes.length + unique.length + 1) - additional,
      foreignKeys: sum(({ foreignKeys }) => foreignKeys.length),
      checks: sum(({ checks }) => checks.length),
      triggers: sum(({ triggers }) => triggers.length),
      functions:
        found.functions.length -
        expectedCounts.registry.functions -
        expectedCounts.rls.functions -
        deliberateDifferences.additionalFunctions.length,
      views: Object.keys(found.views).length - expectedCounts.registry.views,
    }).toEqual(expectedCounts.platform);
    const registry = found.tables.databases;
    expect([registry?.columns.length, (registry?.indexes.length ?? 0) + 1, registry?.triggers.length]).toEqual([
      expectedCounts.registry.columns,
      expectedCounts.registry.indexes,
      expectedCounts.registry.triggers,
    ]);
  });

  test("has row security and one permissive policy for everyone on each of the 26 tables", async () => {
    const rows = await studio.query(`
      select c.relname as name, c.relrowsecurity as on, c.relforcerowsecurity as forced, p.policyname as policy, p.permissive, p.roles::text, p.cmd, p.qual, p.with_check
        from pg_class c left join pg_policies p on p.schemaname = 'platform' and p.tablename = c.relname
       where c.relnamespace = 'platform'::regnamespace and c.relkind = 'r' order by 1`);
    expect(rows).toEqual(
      Object.keys(expectedTables)
        .sort()
        .map((name) => ({
          name,
          on: true,
          forced: false,
          policy: `permissive_all_${name}`,
          permissive: "PERMISSIVE",
          roles: "{public}",
          cmd: "ALL",
          qual: "true",
          with_check: "true",
        })),
    );
    expect(rows).toHaveLength(expectedCounts.rls.policies);
  });

  test("lets the public do nothing in its schemas", async () => {
    const rights = await studio.query(`
      select c.oid::regclass::text as name from pg_class c where relnamespace in ('platform'::regnamespace, 'platform_private'::regnamespace) and relkind in ('r', 'v')
         and (has_table_privilege('public', c.oid, 'select, insert, update, delete') or has_any_column_privilege('public', c.oid, 'select, insert, update'))
      union all
      select p.oid::regprocedure::text from pg_proc p where pronamespace in ('platform'::regnamespace, 'platform_private'::regnamespace) and has_function_privilege('public', p.oid, 'execute')
      union all
      select nspname from pg_namespace where nspname in ('platform', 'platform_private') and has_schema_privilege('public', oid, 'usage, create')`);
    expect(rights).toEqual([]);
  });

  test("pins the search_path of every function, and lets every view run with its reader's rights", async () => {
    expect(
      await studio.query(
        `select oid::regprocedure::text from pg_proc where pronamespace::regnamespace::text ~ '^platform' and not coalesce(proconfig @> array['search_path=pg_catalog, pg_temp'], false)`,
      ),
    ).toEqual([]);
    expect(
      await studio.query(
        "select relname from pg_class where relnamespace = 'platform'::regnamespace and relkind = 'v' and not coalesce(reloptions @> array['security_invoker=true'], false)",
      ),
    ).toEqual([]);
  });

  test("is whole: nothing is pending in any layer, and a preview has no statement", async () => {
    for (const state of studio.states) {
      expect(await pending(studio.url, state)).toEqual([]);
      expect((await refresh(studio.url, state))?.outputs.drift).toEqual([]);
    }
    expect(await preview(studio.url, studioLayers, studio.states)).toEqual([[], [], []]);
  });

  test("is kept in a state of less than 40 KB a layer", () => {
    for (const state of studio.states) expect(JSON.stringify(state).length).toBeLessThan(40_000);
  });
});

test("a destroy of the three layers, in reverse, leaves the database as it was", async () => {
  const own = await createStudioDatabase();
  for (const state of [...own.states].reverse()) await destroy(own.url, state);
  expect(await own.query("select nspname from pg_namespace where nspname like 'platform%'")).toEqual([]);
  expect(await own.query("select extname from pg_extension where extname <> 'plpgsql'")).toEqual([]);
  await own.drop();
});
