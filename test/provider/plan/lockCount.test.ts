import pg from "pg";
import { describe, expect, it } from "vitest";
import type { FactBase } from "../../../provider/catalog/pgDelta.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { locksNeeded } from "../../../provider/plan/lockCount.ts";
import { withDropsTogether } from "../../../provider/plan/mergeStatements.ts";
import { planStatements } from "../../../provider/plan/planStatements.ts";
import type { Statement } from "../../../provider/plan/statement.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";
import { majorVersion } from "../../support/majorVersion.ts";

const fresh = freshDatabases();

/** One of each kind that is locked in its own way, some of them several times. */
const SCHEMA = `
  create schema s;
  create type s.mood as enum ('good', 'bad');
  create type s.pair as (a int, b int);
  create domain s.positive as int check (value > 0);
  create sequence s.numbers;
  create function s.stamp() returns trigger language plpgsql as 'begin return new; end';
  create table s.plain (a int);
  create table s.serial (id bigserial primary key, n int generated always as identity unique);
  create table s.generated (a int not null, b int generated always as (a * 2) stored);
  create view s.v as select a from s.plain;
  create materialized view s.m as select a from s.plain;
  create rule quiet as on delete to s.plain do instead nothing;
  do $$ begin for n in 1..20 loop
    execute format('create table s.t%s (id uuid primary key default gen_random_uuid(), name text not null default %L, at timestamptz not null default now(),
                                        amount int check (amount > 0), parent uuid references s.t%s)', n, 'x', greatest(n - 1, 1));
    execute format('create index on s.t%s (name)', n);
    execute format('alter table s.t%s enable row level security', n);
    execute format('create policy p on s.t%s using (true)', n);
    execute format('create trigger stamp before insert on s.t%s for each row execute function s.stamp()', n);
  end loop; end $$;
  grant select on s.plain to public;
  comment on table s.plain is 'plain';`;

/** Distinct things that a session has locked, all of which need a place in the lock table at the worst. */
const TAKEN = `
  select count(distinct (locktype, database, relation, classid, objid))::int as taken
    from pg_catalog.pg_locks where pid = $1 and locktype in ('relation', 'object')`;

/** Locks held at the end of a transaction that runs the statements. */
async function locksTaken(url: string, statements: readonly Statement[]): Promise<number> {
  const [client, observer] = [new pg.Client(url), new pg.Client(url)];
  await Promise.all([client.connect(), observer.connect()]);
  try {
    const { rows: self } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    await client.query("begin");
    for (const { sql } of statements) await client.query(sql);
    const { rows } = await observer.query<{ taken: number }>(TAKEN, [self[0]?.pid]);
    await client.query("commit");
    return rows[0]?.taken ?? 0;
  } finally {
    await Promise.all([client.end(), observer.end()]);
  }
}

async function emptyAndFull(): Promise<{ url: string; empty: FactBase; full: FactBase; target: string }> {
  const [model, target] = [await fresh(), await fresh()];
  await model.query(SCHEMA);
  const empty = (await readCatalog(target.pool, "postgres")).facts;
  const full = (await readCatalog(model.pool, "postgres")).facts;
  return { url: model.url, empty, full, target: target.url };
}

describe("the locks that a transaction takes", () => {
  it("are foretold for what is made and for what is dropped, not too few and not many more", async () => {
    const { empty, full, target } = await emptyAndFull();

    const making = await locksTaken(target, planStatements(empty, full).statements);
    const dropping = await locksTaken(target, withDropsTogether(planStatements(full, empty).statements));

    expect(making).toBeGreaterThan(100);
    expect(dropping).toBeGreaterThan(2 * making);
    const foretold = {
      making: locksNeeded(empty, full, majorVersion),
      dropping: locksNeeded(full, empty, majorVersion),
    };
    expect(foretold.making).toBeGreaterThanOrEqual(making - CATALOGS);
    expect(foretold.making).toBeLessThanOrEqual(making * 1.1);
    expect(foretold.dropping).toBeGreaterThanOrEqual(dropping - CATALOGS);
    expect(foretold.dropping).toBeLessThanOrEqual(dropping * 1.1);
  });

  it("are none where nothing changes", async () => {
    const { full } = await emptyAndFull();

    expect(locksNeeded(full, full, majorVersion)).toBe(0);
  });
});

/** The schema, and catalogs that statements read: a few, whatever the size. */
const CATALOGS = 10;

describe("tables that are dropped in one transaction", () => {
  it("go in one statement of many, each still known as dropped", async () => {
    const { url, empty, full } = await emptyAndFull();
    const single = planStatements(full, empty);

    const together = withDropsTogether(single.statements);

    const tables = (statements: readonly Statement[]) => statements.flatMap(({ drops }) => drops);
    expect(tables(together)).toEqual(tables(single.statements));
    expect(together.length).toBeLessThan(single.statements.length - 15);
    await locksTaken(url, together);
    const client = new pg.Client(url);
    await client.connect();
    const { rows } = await client.query("select nspname from pg_catalog.pg_namespace where nspname = 's'");
    await client.end();
    expect(rows).toEqual([]);
  });

  it("stay apart where another statement stands between them", () => {
    const drop = (name: string): Statement => ({
      ...base,
      sql: `DROP TABLE "s"."${name}"`,
      id: { kind: "table", schema: "s", name },
    });
    const other: Statement = { ...base, sql: 'DROP VIEW "s"."v"', id: { kind: "view", schema: "s", name: "v" } };
    expect(withDropsTogether([drop("a"), drop("b"), other, drop("c")]).map(({ sql }) => sql)).toEqual([
      'DROP TABLE "s"."a",\n  "s"."b"',
      'DROP VIEW "s"."v"',
      'DROP TABLE "s"."c"',
    ]);
  });
});

const base: Statement = {
  sql: "",
  op: "delete",
  object: "",
  id: undefined,
  subject: "",
  lock: "ACCESS EXCLUSIVE",
  transaction: "shared",
  drops: [],
  rewrites: false,
  destructive: true,
  consumes: [],
  work: "catalog",
};
