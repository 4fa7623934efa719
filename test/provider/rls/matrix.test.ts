// Every cell of the two tables of expected cells, and their controls: what breaks the isolation of tenants
// must be noticed by a cell. A sample of the controls; all of them with PGSTRATA_ISOLATION=all: `npm run
// test:isolation`.

import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Change,
  expected,
  matrix,
  ofTable,
  REACH,
  reached,
  SUBJECTS,
  type Subject,
  tables,
} from "../../support/rlsMatrix.ts";
import {
  allColumns,
  brokenPolicies,
  guardsOff,
  type Mutant,
  ownersRights,
  weakenedContext,
  widenedViews,
} from "../../support/rlsMutants.ts";
import { expectedOutcomes, OUTCOME, outcomes, placesOf, statements } from "../../support/rlsStatements.ts";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { seedTenants } from "../../support/tenants.ts";

const COMMANDS = ["select", "insert", "update", "delete"] as const;

let studio: StudioDatabase;
let client: pg.PoolClient;
let places: Awaited<ReturnType<typeof placesOf>>;

beforeAll(async () => {
  studio = await createStudioDatabase("restrictive");
  await seedTenants(studio);
  places = await placesOf(studio);
  client = await studio.pool.connect();
  await client.query(`${REACH}; ${OUTCOME}`);
});
afterAll(async () => {
  client.release();
  await studio.drop();
});

describe("rows of tables", () => {
  test("the file has a line for each table and command, and names each policy of a tenant once", async () => {
    const lines = tables.flatMap((table) => COMMANDS.map((command) => `${table} ${command}`));
    expect([...matrix.keys()].sort()).toEqual(lines.sort());
    const rules = await studio.query<{ rule: string }>(
      "select tablename || ' ' || lower(cmd) || ' ' || policyname as rule from pg_policies where schemaname = 'platform' and 'studio_app' = any (roles)",
    );
    const named = [...matrix].filter(([, { rule }]) => rule !== "-").map(([key, { rule }]) => `${key} ${rule}`);
    expect(rules.map(({ rule }) => rule).sort()).toEqual(named.sort());
  });

  test.each(SUBJECTS)("$column reaches the rows that the file says, and no other", async (subject) => {
    expect(await reached(client, subject)).toEqual(await expected(studio, subject));
  });
});

/** Functions that read no row of a tenant: the catalog, their arguments, or the context alone. */
const READS_NO_TENANT = [
  "platform.generate_slug(text)",
  "platform.test_rls_enforcement()",
  "platform.verify_rls_enabled()",
  "platform_access.challenge()",
  "platform_access.organization_id()",
  "platform_access.user_id()",
  "platform_access.verified_context()",
];

describe("views, functions, columns and constraints", () => {
  test("the file has each view, and each function that a role may call and that reads rows", async () => {
    const rows = await studio.query<{ name: string }>(`
      select 'view ' || oid::regclass as name from pg_class
       where relkind in ('v', 'm') and relnamespace in ('platform'::regnamespace, 'platform_access'::regnamespace)
      union all
      select 'function ' || oid::regprocedure from pg_proc
       where pronamespace in ('platform'::regnamespace, 'platform_access'::regnamespace) and prorettype <> 'trigger'::regtype
         and exists (select from unnest(array['studio_app', 'studio_readonly', 'studio_system', 'studio_decrypt']) as r
                      where has_function_privilege(r, oid, 'execute'))`);
    const said = new Set(statements.map(({ about }) => about));
    const exempt = READS_NO_TENANT.map((name) => `function ${name}`);
    expect(
      rows
        .map(({ name }) => name)
        .filter((name) => !said.has(name))
        .sort(),
    ).toEqual(exempt);
  });

  test("the file has each unique constraint that spans tenants", async () => {
    const rows = await studio.query<{ name: string }>(`
      select 'constraint ' || (select relname from pg_class where oid = indexrelid) as name from pg_index join pg_class c on c.oid = indrelid
       where indisunique and not indisprimary and c.relnamespace = 'platform'::regnamespace and not exists (
         select from pg_attribute where attrelid = indrelid and attnum = any (indkey) and attname in ('organization_id', 'project_id'))`);
    const said = statements.map(({ about }) => about);
    expect(rows).not.toEqual([]);
    expect(said).toEqual(expect.arrayContaining(rows.map(({ name }) => name)));
  });

  test.each(SUBJECTS)("statements of $column come to what the file says", async (subject) => {
    expect(await outcomes(client, subject, places)).toEqual(expectedOutcomes(subject));
  });
});

/** All of them, or a few that are spread over the objects. */
const asked = (mutants: Mutant[], sample: number): Mutant[] =>
  process.env.PGSTRATA_ISOLATION === "all"
    ? mutants
    : mutants.filter((_, n) => n % Math.ceil(mutants.length / sample) === 0);

/**
 * The titles of those that no subject notices. One of them has to be a change of nothing, which none may
 * notice.
 */
async function unnoticed(
  mutants: Mutant[],
  differs: (subject: Subject, change: Change) => Promise<boolean>,
): Promise<string[]> {
  const titles: string[] = [];
  for (const mutant of mutants) {
    let isNoticed = false;
    for (const subject of SUBJECTS) {
      isNoticed = await differs(subject, mutant);
      if (isNoticed) break;
    }
    if (!isNoticed) titles.push(mutant.title);
  }
  return titles;
}

const same = (one: Record<string, unknown>, other: Record<string, unknown>): boolean =>
  JSON.stringify(Object.entries(one).sort()) === JSON.stringify(Object.entries(other).sort());

/**
 * The plan catalogue is read by all who have a right to it, and written by none of them: no row tells its
 * policies from none.
 */
const OPEN_TO_ALL = "policies off for billing_plans";

describe("what breaks the isolation is noticed", () => {
  test("by the rows of tables: a policy that is dropped, widened or off", async () => {
    const cells = new Map<Subject, Awaited<ReturnType<typeof expected>>>();
    for (const subject of SUBJECTS) cells.set(subject, await expected(studio, subject));
    const mutants = asked(await brokenPolicies(studio.query), 12);
    const nothing = { title: "nothing", sql: "select", table: "projects" };
    const titles = await unnoticed([...mutants, nothing], async (subject, change) => {
      const said = ofTable(cells.get(subject) ?? {}, change.table ?? "");
      return !same(await reached(client, subject, change), said);
    });
    expect(titles.filter((title) => title !== OPEN_TO_ALL)).toEqual(["nothing"]);
  });

  test("by statements: the rights of an owner, a guard that is off, columns that are granted, a weaker context", async () => {
    const rights = (await ownersRights(studio.query)).filter(({ name }) => !READS_NO_TENANT.includes(name));
    const mutants = [
      ...asked(rights, 3),
      ...asked(await guardsOff(studio.query), 1),
      ...asked(await allColumns(studio.query), 2),
      ...asked(await weakenedContext(studio.query), 1),
      ...asked(await widenedViews(studio.query), 1),
      { title: "nothing", sql: "select" },
    ];
    const titles = await unnoticed(
      mutants,
      async (subject, change) => !same(await outcomes(client, subject, places, change), expectedOutcomes(subject)),
    );
    expect(titles).toEqual(["nothing"]);
  });
});
