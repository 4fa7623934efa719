import { setTimeout as sleep } from "node:timers/promises";
import { expect, inject, test } from "vitest";
import { type CheckFailure, type Properties, UNKNOWN } from "../../../../provider/core/resourceType.ts";
import { freshDatabases, relationsIn } from "../../../support/freshDatabases.ts";
import { inRun, project, type RunOptions, up, upAll } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

/** Faults that Check finds, on a database that it must not touch. */
async function faultsOf(properties: Properties, options?: RunOptions): Promise<CheckFailure[]> {
  const database = await freshDatabase();
  const { failures } = await inRun(
    database.url,
    ({ layer, context }) => layer.check(context(true), {}, properties),
    options,
  );
  const [{ schemas } = { schemas: undefined }] = await database.query<{ schemas: number }>(
    "select count(*)::int as schemas from pg_namespace where nspname !~ '^pg_' and nspname not in ('public', 'information_schema')",
  );
  expect(schemas, "schemas in the target").toBe(0);
  return failures;
}

async function reasonFor(sql: string, more: Properties = {}, options?: RunOptions, input = "files"): Promise<string> {
  const failures = await faultsOf(project.layer("faulty", sql, more), options);
  expect(failures).toHaveLength(1);
  const { property, reason } = failures[0] ?? { property: undefined, reason: "" };
  // Shown where the mistake is to be mended.
  expect(property).toBe(input);
  return reason;
}

async function roleExists(name: string): Promise<boolean> {
  const { query } = await freshDatabase();
  return (await query("select from pg_roles where rolname = $1", [name])).length > 0;
}

test("a syntax error is shown with its place, its line and the server's message, and nothing is touched", async () => {
  const reason = await reasonFor(
    "create schema notes;\n\ncreate table notes.note (\n\tid uuid,\n\ttext ttext colate);\n",
  );
  expect(reason).toContain('faulty.sql:5:13: syntax error at or near "colate"');
  expect(reason).toContain(" text ttext colate);\n");
  expect(reason.split("\n")[2]).toBe(`${" ".repeat(4 + 12)}^`);
});

test("the place of an error counts characters, not bytes, and is right after an emoji", async () => {
  expect(await reasonFor("-- 🦉 größe\nselect '🦉🦉', nonsense;")).toContain("faulty.sql:2:14: ");
});

test("an error in the second file of a directory names that file", async () => {
  project.write("directory/10-good.sql", "create schema notes;");
  project.write("directory/20-bad.sql", "create table notes.note (id uuidd);");
  const [failure] = await faultsOf({ name: "directory", files: ["directory"] });
  expect(failure?.reason).toContain('directory/20-bad.sql:1:29: type "uuidd" does not exist');
});

test("a file that sets its search_path does not decide where the next file's names lead", async () => {
  const database = await freshDatabase();
  project.write("paths/1.sql", "create schema notes; set search_path = notes; create table first (id int);");
  project.write("paths/2.sql", "create table second (id int);");
  await up(database.url, { name: "paths", files: ["paths"] });
  expect(await relationsIn(database, "notes")).toEqual(["first"]);
  expect(await relationsIn(database, "public")).toEqual(["second"]);
});

test("files of a directory run in name order, and only those that end in .sql", async () => {
  const database = await freshDatabase();
  project.write("ordered/20-table.sql", "create table notes.note (id int);");
  project.write("ordered/10-schema.sql", "create schema notes;");
  project.write("ordered/readme.md", "no SQL");
  await up(database.url, { name: "ordered", files: ["ordered"] });
  expect(await relationsIn(database, "notes")).toEqual(["note"]);
});

const ATOMIC = `create schema app; -- one; and a half
create function app.f(n int) returns int language sql begin atomic
  select case when n > 1 then 1 else 2 end;
  select n;
end;
create function app.g() returns text language sql as $$ select ';' $$;
`;
test.each([
  ["create table app.items (id int);\n\n  grant select on app.items to public with grant option;", "9:3"],
  ["create index concurrently i on app.items (id);", "7:1"],
  ["create table app.t (id int primary key);\nalter table app.t add primary key (id);", "8:1"],
  ["do $$ begin raise exception 'no; never'; end $$; select 1;", "7:1"],
])("an error that the server gives no place for has that of its statement: %s", async (sql, place) => {
  expect(await reasonFor(ATOMIC + sql)).toContain(`faulty.sql:${place}: `);
});

for (const [title, sql, place] of [
  ["BEGIN and COMMIT", "begin;\ncreate schema notes;\ncommit;", "3:1"],
  ["COMMIT alone", "create schema notes; commit;", "1:22"],
  ["COMMIT AND CHAIN", "create schema notes; commit and chain;", "1:22"],
  ["ROLLBACK", "create schema notes; rollback; create schema others;", "1:22"],
] as const) {
  test(`${title} in a file is refused, and leaves nothing for the layer that comes next`, async () => {
    const database = await freshDatabase();
    await inRun(database.url, async ({ layer, context }) => {
      const { failures } = await layer.check(context(true), {}, project.layer("faulty", sql));
      expect(failures[0]?.reason).toContain(
        `faulty.sql:${place}: found BEGIN, COMMIT or ROLLBACK, expected plain declarative`,
      );
      const good = project.layer("good", "create schema notes; create schema others;");
      expect((await layer.check(context(true), {}, good)).failures).toEqual([]);
    });
  });
}

test.each([
  "create role made_by_a_layer;",
  "alter role current_user set work_mem = '5MB';",
  "grant pg_monitor to pg_read_all_data;",
  "comment on role pg_monitor is 'ours';",
])("a file may not touch roles, which the server would keep: %s", async (sql) => {
  const reason = await reasonFor(sql, {}, { shadow: "colocated" });
  expect(reason).toContain(
    "faulty.sql:1:1: found a statement that changes a role, a membership or something else that belongs to the whole server",
  );
  expect(reason).toContain("AccessRoles");
  expect(await roleExists("made_by_a_layer")).toBe(false);
  const { query } = await freshDatabase();
  const left = `select from pg_db_role_setting where setrole = current_user::regrole and setdatabase = 0
     union all select from pg_auth_members where roleid = 'pg_monitor'::regrole and member = 'pg_read_all_data'::regrole
     union all select from pg_shdescription where description = 'ours'`;
  expect(await query(left)).toEqual([]);
});

test("a role that somebody else makes meanwhile is not taken for the file's", async () => {
  const { query } = await freshDatabase();
  const slow = project.layer("slow", "create schema slow; do $$ begin perform pg_sleep(1.5); end $$;");
  const faults = faultsOf(slow, { shadow: "colocated" });
  const name = `made_by_somebody_${process.pid}`;
  await sleep(700);
  await query(`create role ${name}`);
  try {
    expect(await faults).toEqual([]);
  } finally {
    await query(`drop role ${name}`);
  }
});

test("a role made and committed by a file is not left on the target's server either", async () => {
  const reason = await reasonFor("begin; create role committed_by_a_layer; commit;", {}, { shadow: "colocated" });
  expect(reason).toContain("found BEGIN, COMMIT or ROLLBACK");
  expect(await roleExists("committed_by_a_layer")).toBe(false);
});

test("every path that leads to no SQL is reported, each with its property", async () => {
  project.write("empty/readme.md", "");
  project.write("notes.txt", "create schema notes;");
  project.write("latin1.sql", new Uint8Array([0x2d, 0x2d, 0x20, 0xe4, 0x0a]));
  project.write("latin1/10.sql", new Uint8Array([0x2d, 0x2d, 0x20, 0xe4, 0x0a]));
  const failures = await faultsOf({
    name: "notes",
    files: ["nowhere", "empty", "notes.txt", "latin1.sql"],
    base: [{ name: "base", files: ["latin1", "nowhere.sql"] }],
    assumes: ["nothing.sql"],
  });
  expect(failures.map(({ property, reason }) => [property, reason.split(/[,.;] | \(/)[0]])).toEqual([
    ["files[0]", "nowhere: found nothing there"],
    ["files[1]", "empty: found a directory without .sql files"],
    ["files[2]", "notes.txt: found a file of another kind"],
    ["files[3]", "latin1.sql: found bytes that are not UTF-8"],
    ["base[0].files[0]", "latin1/10.sql: found bytes that are not UTF-8"],
    ["base[0].files[1]", "nowhere.sql: found nothing there"],
    ["assumes[0]", "nothing.sql: found nothing there"],
  ]);
});

test("all faults of the inputs are reported together, each with its property", async () => {
  const failures = await faultsOf({
    name: "1 notes",
    files: [],
    base: [{ name: "platform", files: [] }, { name: "platform" }],
    roles: ["app", 5],
    forceDestroy: "yes",
    fiels: ["notes.sql"],
  });
  expect(failures.map(({ property }) => property)).toEqual([
    "name",
    "files",
    "base[0].files",
    "base[1].files",
    "roles[1]",
    "forceDestroy",
    "fiels",
  ]);
  for (const { reason } of failures) expect(reason).toMatch(/expected|unknown/i);
});

test("a layer that is its own base, or that names a base twice, is refused", async () => {
  const files = [project.write("twice.sql", "create schema twice;")];
  const base = [
    { name: "below", files },
    { name: "below", files },
    { name: "twice", files },
  ];
  expect((await faultsOf({ name: "twice", files, base })).map(({ property }) => property)).toEqual([
    "base[1].name",
    "base[2].name",
  ]);
});

test("an input that is not known yet is not judged", async () => {
  expect(await faultsOf({ name: "later", files: [UNKNOWN] })).toEqual([]);
});

test("SQL that names a role which the layer does not list is refused with the role's name", async () => {
  const database = await freshDatabase();
  await database.query(
    "do $$ begin create role unlisted_role; exception when duplicate_object or unique_violation then end $$",
  );
  const sql = "create schema granted; grant usage on schema granted to unlisted_role;";
  const reason = await reasonFor(sql, {}, undefined, "roles");
  expect(reason).toContain("unlisted_role");
  expect(reason).toContain("`roles`");
  await upAll(database.url, [project.layer("listed", sql, { roles: ["unlisted_role"] })]);
  const [row] = await database.query("select has_schema_privilege('unlisted_role', 'granted', 'usage') as granted");
  expect(row).toEqual({ granted: true });
});

test("a definer function that everyone may call and that pins no search_path is warned of, once", async () => {
  const database = await freshDatabase();
  const sql =
    "create function public.whoami() returns text language sql security definer as 'select current_user::text';";
  const warnings = await inRun(database.url, async ({ layer, context, said }) => {
    const { inputs } = await layer.check(context(true), {}, project.layer("definer", sql));
    await layer.check(context(true), inputs, project.layer("definer", sql));
    return said.warnings;
  });
  expect(warnings.map((warning) => warning.slice(0, 39))).toEqual([
    "PS101: function public.whoami() runs wi",
    "PS102: function public.whoami() runs wi",
  ]);
});

test("a definer function that pins its search_path and is closed to the public is not warned of", async () => {
  const database = await freshDatabase();
  const sql =
    "create function public.whoami() returns text language sql security definer set search_path = pg_catalog, pg_temp as 'select current_user::text'; revoke all on function public.whoami() from public;";
  const warnings = await inRun(database.url, async ({ layer, context, said }) => {
    await layer.check(context(true), {}, project.layer("definer", sql));
    return said.warnings;
  });
  expect(warnings).toEqual([]);
});

test("the shadow's URL is not shown when nobody answers there", async () => {
  const url = new URL(inject("serverUrl"));
  url.password = "very-secret-password";
  const wrong = { shadow: { url: url.href } };
  const reason = await reasonFor("create schema notes;", {}, wrong, "");
  expect(reason).toContain("password");
  expect(reason).not.toContain("very-secret-password");
});
