import { afterAll, expect, test } from "vitest";
import type { FactBase } from "../../../provider/catalog/pgDelta.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { planStatements } from "../../../provider/plan/planStatements.ts";
import { locksOf } from "../../../provider/plan/requiredLocks.ts";
import { changes } from "../../long/traffic/changes.ts";
import { corpusChanges } from "../../long/traffic/corpus.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";

/**
 * Locks on tables that make readers or writers wait and that this transaction holds, of tables that were
 * there before it.
 */
const HELD = `
  select distinct t.name from pg_locks l join tables_before t on t.oid = l.relation
   where l.pid = pg_backend_pid() and l.granted
     and l.mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock') order by 1`;

const TABLES = `
  create temporary table tables_before as
  select c.oid, format('table:%I.%I', n.nspname, c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'pg_toast')`;

const opened = new Map<string, Promise<{ database: TestDatabase; facts: FactBase }>>();

afterAll(async () => {
  for (const { database } of await Promise.all(opened.values())) await database.drop();
});

/** A database with what the SQL makes; one for each text. */
function built(sql: string): Promise<{ database: TestDatabase; facts: FactBase }> {
  const open = async (): Promise<{ database: TestDatabase; facts: FactBase }> => {
    const database = await createTestDatabase();
    await database.query(sql);
    return { database, facts: (await readCatalog(database.pool, new URL(database.url).username)).facts };
  };
  const known = opened.get(sql) ?? open();
  opened.set(sql, known);
  return known;
}

/** What the transaction of a change locks, as the server tells, and what we would lock beforehand. */
async function locked(
  database: TestDatabase,
  from: FactBase,
  to: FactBase,
): Promise<{ held: string[]; taken: string[] }> {
  const statements = planStatements(from, to).statements.filter(({ transaction }) => transaction === "shared");
  const client = await database.pool.connect();
  try {
    await client.query(TABLES);
    await client.query("begin");
    for (const { sql } of statements) await client.query(sql);
    const held = await client.query<{ name: string }>(HELD);
    return { held: held.rows.map(({ name }) => name), taken: [...locksOf(statements, from, to).locks.keys()].sort() };
  } finally {
    await client.query("rollback; drop table if exists tables_before");
    client.release();
  }
}

/** Of the corpus, what the shop has not. */
const OTHERS = /^(enum--add-value|name--odd|column--identity|materialized-view--change), a to b$/;

for (const { name, before, after } of [...changes, ...corpusChanges().filter(({ name }) => OTHERS.test(name))]) {
  test(`${name}: just the locks that make others wait are known beforehand, in both directions`, async () => {
    const [a, b] = [await built(before), await built(after)];
    const there = await locked(a.database, a.facts, b.facts);
    expect(there.taken).toEqual(there.held);
    const back = await locked(b.database, b.facts, a.facts);
    expect(back.taken).toEqual(back.held);
  });
}
