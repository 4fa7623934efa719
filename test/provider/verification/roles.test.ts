import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { runChecks } from "../../../provider/verification/runChecks.ts";
import { createTestDatabase, createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";

let database: TestDatabase;
let owner: TestRole;
let app: string;

beforeAll(async () => {
  database = await createTestDatabase();
  owner = await createTestRole({ attributes: "createrole" });
  app = `${owner.name}_app`;
});
afterAll(async () => {
  await database.query(`drop role if exists ${quoteIdent(app)}`);
  await database.drop();
  await owner.drop();
});

test("who made the role of the application takes it on without being a member of it, and is none afterwards", async () => {
  const client = new pg.Client({ connectionString: database.urlFor(owner) });
  await client.connect();
  try {
    await client.query(`create role ${quoteIdent(app)}`);
    await client.query("begin");
    const check = {
      name: "who",
      path: "who.sql",
      roles: [app],
      writes: false,
      statements: ["select 'who' as name, 'PASS' as status, current_user as measured, 'the role' as expected"],
    };
    expect(await runChecks(client, [check])).toMatchObject([{ status: "PASS", measured: app }]);
    await client.query("rollback");
    await expect(client.query(`set role ${quoteIdent(app)}`)).rejects.toThrow("permission denied");
  } finally {
    await client.end();
  }
});
