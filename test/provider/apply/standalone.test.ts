import { expect, test } from "vitest";
import { execute } from "../../../provider/apply/execute.ts";
import { buildFactBase } from "../../../provider/catalog/factBase.ts";
import { openDatabase } from "../../../provider/database/target.ts";
import type { Statement } from "../../../provider/plan/statement.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

const freshDatabase = freshDatabases();

test("a step that stands by itself leaves the session with our settings, not with those of the database", async () => {
  const { url } = await freshDatabase();
  const database = openDatabase({ url: `${url}?options=-c%20search_path%3Dpublic,pg_catalog` });
  const client = await database?.connect();
  if (database === undefined || client === undefined) throw new Error("a URL was given");
  const facts = buildFactBase([], []);
  const statement: Statement = {
    sql: "vacuum pg_catalog.pg_am",
    op: "update",
    object: "table pg_am",
    id: undefined,
    subject: "table pg_am",
    lock: "none",
    transaction: "none",
    work: "rows",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [],
  };
  try {
    const limits = { lockTimeoutMs: 100, lockLimitMs: 100, statementTimeoutMs: 1000, longStatementTimeoutMs: 0 };
    await execute(client, { statements: [statement], settings: [] }, limits, {
      live: facts,
      desired: facts,
      signal: new AbortController().signal,
      before: async () => {},
      kept: () => {},
      progress: () => {},
      waiting: (work) => work(),
    });
    expect((await client.query("show search_path")).rows).toEqual([{ search_path: "pg_catalog, pg_temp" }]);
  } finally {
    client.release();
    await database.close();
  }
});
