import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describe as nameOf } from "../../../provider/catalog/objectNames.ts";
import { encodeId, type FactBase, parseId } from "../../../provider/catalog/pgDelta.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { applyContribution, contributionOf } from "../../../provider/contribution/contribution.ts";
import { planStatements } from "../../../provider/plan/planStatements.ts";
import { createTestRole, type TestDatabase, type TestRole } from "../../support/database.ts";
import { freshDatabases } from "../../support/freshDatabases.ts";

let owner: TestRole;
beforeAll(async () => {
  owner = await createTestRole({ prefix: "owner" });
});
// Runs after the databases are dropped in which the role owns something.
afterAll(() => owner.drop());

const freshDatabase = freshDatabases();

const superuserOf = ({ url }: TestDatabase): string => new URL(url).username;
const factsOf = async (database: TestDatabase, role = superuserOf(database)): Promise<FactBase> =>
  (await readCatalog(database.pool, role)).facts;

/** Facts of a database in which the SQL was run, by the superuser or as another role. */
async function built(sql: string, role?: string): Promise<FactBase> {
  const database = await freshDatabase();
  if (role === undefined) await database.query(sql);
  else
    await database.query(
      `grant create on database "${database.name}" to "${role}"; grant create on schema public to "${role}"; set role "${role}"; ${sql}; reset role`,
    );
  return factsOf(database, role);
}

const RICH = `
  create schema app;
  create sequence app.numbers;
  create table app.users (id bigint default nextval('app.numbers') primary key, email text unique check (email <> ''), created timestamptz default now());
  create index users_created on app.users (created desc) where email is not null;
  create function app.touch() returns trigger language plpgsql as $$ begin return new; end $$;
  revoke all on function app.touch() from public;
  create trigger touch before update on app.users for each row execute function app.touch();
  create view app.emails with (security_invoker = true) as select email from app.users;
  create type app.mood as enum ('good', 'bad');
  create domain app.short as text check (length(value) < 10);
  alter table app.users enable row level security;
  create policy everyone on app.users using (true);
  grant select on app.users to public;
  comment on table app.users is 'people';`;

describe("what is read of a catalog", () => {
  test("is alike whoever owns it", async () => {
    const [ours, theirs] = [await built(RICH), await built(RICH, owner.name)];
    const names = (facts: FactBase): string[] =>
      facts
        .facts()
        .filter(({ id }) => !nameOf(id).includes(owner.name) && id.kind !== "acl")
        .map(({ id }) => nameOf(id))
        .sort();
    expect(names(theirs)).toEqual(names(ours));
    expect(theirs.edges.filter(({ kind, to }) => kind === "owner" && encodeId(to).includes(owner.name))).toEqual([]);
  });

  test("does not tell how it came about: dropped columns, renames, rebuilt objects", async () => {
    const straight = await built(
      "create schema app; create table app.t (id int, name text); create index i on app.t (name);",
    );
    const winding = await built(
      "create schema app; create table app.u (gone int, id int, name text); alter table app.u drop column gone; alter table app.u rename to t; create index j on app.t (name); alter index app.j rename to i; analyze app.t;",
    );
    expect(winding.rootHash).toBe(straight.rootHash);
  });

  test("holds neither roles nor temporary tables nor rows", async () => {
    const database = await freshDatabase();
    const before = await factsOf(database);
    const client = await database.pool.connect();
    await client.query("create temporary table t (id int); create temporary view v as select 1 as one");
    expect((await factsOf(database)).rootHash).toBe(before.rootHash);
    client.release(true);
    expect(before.facts().filter(({ id }) => id.kind === "role" || id.kind === "membership")).toEqual([]);
    await database.query("create table public.kept (id int)");
    const empty = await factsOf(database);
    await database.query("insert into public.kept values (1)");
    expect((await factsOf(database)).rootHash).toBe(empty.rootHash);
  });

  test("names every object by an id that can be written and read back", async () => {
    const facts = await built(RICH);
    for (const { id } of facts.facts()) expect(parseId(encodeId(id))).toEqual(id);
  });

  test("differs when an object belongs to somebody else", async () => {
    const database = await freshDatabase();
    await database.query("create table public.t (id int)");
    const before = await factsOf(database);
    await database.query(`alter table public.t owner to "${owner.name}"`);
    const { linked } = contributionOf(before, await factsOf(database));
    expect(linked.filter(({ kind }) => kind === "owner").map(({ from, to }) => [encodeId(from), encodeId(to)])).toEqual(
      [["table:public.t", expect.stringContaining(owner.name)]],
    );
  });
});

describe("statements", () => {
  test("of a whole schema, run in their order on an empty database, make what was desired", async () => {
    const desired = await built(RICH);
    const database = await freshDatabase();
    const live = await factsOf(database);
    const { statements } = planStatements(live, applyContribution(live, contributionOf(live, desired)));
    for (const { sql } of statements) await database.query(sql);
    const made = await factsOf(database);
    expect(planStatements(made, applyContribution(made, contributionOf(live, desired))).statements).toEqual([]);
    expect(made.rootHash).toBe(desired.rootHash);
  });

  test("are none where nothing is desired", async () => {
    const live = await built(RICH);
    expect(planStatements(live, live).statements).toEqual([]);
  });

  test("of a new enum value come first and end their transaction, also before what uses the value", async () => {
    const enumOf = (values: string, given: string): string =>
      `create type public.size as enum (${values}); create table public.t (size public.size default ${given});`;
    const live = await built(enumOf("'small'", "'small'"));
    const { statements } = planStatements(live, await built(enumOf("'small', 'large'", "'large'")));
    expect(statements.map(({ subject, transaction }) => [subject, transaction])).toEqual([
      ["type public.size", "last"],
      ["default public.t.size", "shared"],
    ]);
  });

  test("tell the lock that they take on tables that exist, and what they drop", async () => {
    const live = await built("create table public.t (id int, gone text);");
    const { statements } = planStatements(
      live,
      await built(
        "create table public.t (id int); create index i on public.t (id); alter table public.t enable row level security;",
      ),
    );
    const bySubject = new Map(statements.map((statement) => [statement.subject, statement]));
    expect(bySubject.get("column public.t.gone")).toMatchObject({
      op: "delete",
      lock: "ACCESS EXCLUSIVE",
      drops: [{ kind: "column", name: "gone" }],
    });
    expect(bySubject.get("index public.i")).toMatchObject({ op: "create", lock: "SHARE", drops: [] });
    expect(bySubject.get("table public.t")).toMatchObject({ op: "update", lock: "ACCESS EXCLUSIVE" });
  });

  test("plan around roles that the live database grants something and that nobody lists", async () => {
    const database = await freshDatabase();
    await database.query(
      `create table public.t (id int); create view public.v as select id from public.t; grant select on public.v to "${owner.name}"`,
    );
    const live = await factsOf(database);
    const wider = await built("create table public.t (id bigint); create view public.v as select id from public.t;");
    const { statements } = planStatements(live, applyContribution(live, contributionOf(await built(""), wider)));
    for (const { sql } of statements) await database.query(sql);
    expect(
      await database.query(
        "select has_table_privilege($1, 'public.v', 'select') as may, format_type(atttypid, null) as type from pg_attribute where attrelid = 'public.v'::regclass and attname = 'id'",
        [owner.name],
      ),
    ).toEqual([{ may: true, type: "bigint" }]);
  });

  test("keep the order of columns, whatever they stand on", async () => {
    const ordered = `
      create schema app;
      create type app.mood as enum ('good');
      create function app.start() returns text language sql return 'x';
      create table app.t (id int, zeta text, "position" app.mood default 'good', mid text default app.start(), "odd, (name)" int default 3 check (id > 0),
        twice int generated always as (id * 2) stored, alpha int generated by default as identity);
      create table app.parts (z int, mood app.mood, a int) partition by list (mood);
      create function app.of(t app.t) returns int language sql return 1;
      create table app.u (x int, whole app.t, y text default app.of(null)::text, mood app.mood, a int references app.v);
      create view app.named as select q.a, q.c from app.t as q(i, a, b, c);`.replace(
      "create table app.u",
      "create table app.v (id int primary key); create table app.u",
    );
    const desired = await built(ordered);
    const database = await freshDatabase();
    const live = await factsOf(database);
    const { statements } = planStatements(live, applyContribution(live, contributionOf(live, desired)));
    for (const { sql } of statements) await database.query(sql);
    const columns = await database.query<{ name: string; names: string }>(
      "select attrelid::regclass::text as name, string_agg(attname, ' ' order by attnum) as names from pg_attribute where attrelid in ('app.t'::regclass, 'app.u'::regclass, 'app.parts'::regclass, 'app.named'::regclass) and attnum > 0 group by 1 order by 1",
    );
    expect(columns).toEqual([
      { name: "app.named", names: "a c" },
      { name: "app.parts", names: "z mood a" },
      { name: "app.t", names: "id zeta position mid odd, (name) twice alpha" },
      { name: "app.u", names: "x whole y mood a" },
    ]);
    expect((await factsOf(database)).rootHash).toBe(desired.rootHash);
    // The alias is another column where the order is another one.
    expect(await database.query("select pg_get_viewdef('app.named'::regclass) as sql")).toEqual([
      { sql: expect.stringContaining('q(i, a, b, c, "odd, (name)", twice, alpha)') },
    ]);
    expect(
      await database.query(
        "select distinct a.attname from pg_depend d join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid join pg_rewrite r on r.oid = d.objid where r.ev_class = 'app.named'::regclass and d.refobjid = 'app.t'::regclass order by 1",
      ),
    ).toEqual([{ attname: "mid" }, { attname: "zeta" }]);
  });
});
