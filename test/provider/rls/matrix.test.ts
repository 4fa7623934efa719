import type pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ALSO, expected, matrix, REACH, reached, SUBJECTS, tables } from "../../support/rlsMatrix.ts";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { seedTenants } from "../../support/tenants.ts";

const COMMANDS = ["select", "insert", "update", "delete"] as const;

let studio: StudioDatabase;
let client: pg.PoolClient;

beforeAll(async () => {
  studio = await createStudioDatabase("restrictive");
  await seedTenants(studio);
  client = await studio.pool.connect();
  await client.query(REACH);
});
afterAll(async () => {
  client.release();
  await studio.drop();
});

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

test.each(ALSO)("$role that is $also as well reaches what the file says of $column", async (subject) => {
  expect(await reached(client, subject)).toEqual(await expected(studio, subject));
});
