import { readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DatabaseInsert, DatabaseRow, Functions, Tables, Views } from "../../../client/index.ts";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { typesOf } from "../../../tools/types/writeTypes.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";

const FILE = join(import.meta.dirname, "..", "..", "..", "client", "types.ts");

let studio: StudioDatabase;
let written: string;

beforeAll(async () => {
  studio = await createStudioDatabase();
  written = await readFile(FILE, "utf8");
});
afterAll(() => studio.drop());

test("the types in the repository are those of the files' database: npm run types", async () => {
  expect(await typesOf(studio.url, ["platform"])).toBe(written);
});

test("a change of a column, a check or a function changes the types", async () => {
  const { name } = studio;
  const copy = await createTestDatabase({ name: `${name}_types` });
  try {
    await copy.query(
      `create schema app; create table app.t (id int generated always as identity primary key, kind text not null check (kind in ('a', 'b')))`,
    );
    const before = await typesOf(copy.url, ["app"]);
    for (const change of [
      "alter table app.t alter kind drop not null",
      "alter table app.t drop constraint t_kind_check",
      "alter table app.t add more int",
      "comment on table app.t is 'Things'",
      "create function app.f(a int, b text default '') returns int language sql as 'select 1'",
    ]) {
      const client = await copy.pool.connect();
      await client.query(change);
      client.release();
      const after = await typesOf(copy.url, ["app"]);
      expect(after, change).not.toBe(before);
    }
  } finally {
    await copy.drop();
  }
});

describe("each table takes a row of its insert type, and gives one of its row type", () => {
  /** Fields and types of an interface of the file. */
  function fieldsOf(name: string): Map<string, string> {
    const body = new RegExp(`export interface ${name} \\{\\n(.*?)\\n\\}`, "s").exec(written)?.[1];
    if (body === undefined) throw new Error(`no interface ${name}`);
    return new Map(
      [...body.matchAll(/^ {2}"?([\w$ ]+?)"?\??: (.*);$/gm)].map(([, field = "", type = ""]) => [field, type]),
    );
  }

  const isOf = (value: unknown, type: string): boolean =>
    type.split(" | ").some((part) => {
      if (part === "null") return value === null;
      if (part.startsWith('"')) return value === JSON.parse(part);
      if (part === "Date" || part === "Buffer") return part === "Date" ? value instanceof Date : Buffer.isBuffer(value);
      if (part === "Json") return value !== undefined;
      if (part.endsWith("[]")) return Array.isArray(value);
      return typeof value === part;
    });

  function expectRow(row: unknown, name: string): void {
    const fields = fieldsOf(name);
    expect(Object.keys(row ?? {}).sort()).toEqual([...fields.keys()].sort());
    const wrong = Object.entries(row ?? {}).filter(([column, value]) => !isOf(value, fields.get(column) ?? ""));
    expect(wrong).toEqual([]);
  }

  test("all 26 tables, by the driver's own parsers", async () => {
    const { projects } = await seedStudio(studio);
    const [organization] = await studio.query<{ id: string }>("select id from platform.organizations limit 1");
    const organization_id = organization?.id ?? "";
    const project_id = projects[0];
    const soon = new Date(Date.now() + 86_400_000);
    const client = new pg.Client({ connectionString: studio.url });
    await client.connect();
    const tried: string[] = [];
    /** Inserts what the type allows, in a key that the compiler knows. */
    async function row<Name extends keyof Tables>(
      name: Name,
      values: Tables[Name]["insert"],
    ): Promise<Tables[Name]["row"]> {
      const columns = Object.keys(values);
      const [schema = "", table = ""] = name.split(".");
      const { rows } = await client.query<Tables[Name]["row"]>(
        `insert into ${quoteIdent(schema)}.${quoteIdent(table)} (${columns.map(quoteIdent).join(", ")}) values (${columns.map((_, n) => `$${n + 1}`).join(", ")}) returning *`,
        Object.values(values),
      );
      const [found] = rows;
      if (found === undefined) throw new Error("no row");
      expectRow(found, `${table.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Row`);
      tried.push(name);
      return found;
    }
    try {
      const user = await row("platform.users", { email: "a@example.org" });
      const user_id = user.id;
      await row("platform.user_sessions", { user_id, token: "t", expires_at: soon });
      await row("platform.organizations", { name: "Other", slug: "other" });
      await row("platform.organization_members", { organization_id, user_id, role: "owner" });
      await row("platform.organization_invitations", {
        organization_id,
        invited_email: "b@example.org",
        invited_by: user_id,
        role: "member",
        token: "i",
        expires_at: "2099-01-01",
      });
      const flag = await row("platform.feature_flags", { flag_key: "f", flag_name: "F" });
      await row("platform.organization_feature_flags", { organization_id, flag_id: flag.id, enabled: true });
      await row("platform.projects", {
        organization_id,
        name: "P",
        slug: "pp-one",
        ref: "pp-ref",
        database_host: "h",
        database_name: "d",
        database_user: "u",
        database_password: "p",
        postgres_meta_url: "http://m",
        supabase_url: "http://s",
      });
      await row("platform.project_members", { project_id, user_id, role: "developer" });
      const addon = await row("platform.addons", {
        project_id,
        addon_type: "ipv4",
        addon_variant: "v",
        price_per_unit: 4n,
        metadata: { a: [1] },
      });
      await row("platform.project_addons", { project_id, addon_id: addon.id });
      await row("platform.project_metrics", { project_id });
      await row("platform.credentials", { project_id, anon_key: "a", service_role_key: "s", jwt_secret: "j" });
      await row("platform.compute_config", { project_id });
      await row("platform.disk_config", { project_id });
      await row("platform.billing_plans", { id: "tier_test", name: "Test", price: "12.50", interval: "month" });
      await row("platform.subscriptions", { organization_id, plan_id: "tier_pro", plan_name: "Pro" });
      await row("platform.invoices", { organization_id, amount_due: 10, status: "open" });
      await row("platform.payment_methods", { organization_id, stripe_payment_method_id: "pm", type: "card" });
      await row("platform.tax_ids", { organization_id, type: "eu_vat", value: "v" });
      await row("platform.customer_profiles", { organization_id });
      await row("platform.credits", { organization_id, amount: 5, remaining: "5" });
      await row("platform.usage_metrics", {
        organization_id,
        metric_type: "egress",
        metric_value: 7n,
        metric_unit: "bytes",
        period_start: soon,
        period_end: "2099-02-01",
      });
      await row("platform.api_keys", { organization_id, user_id, name: "k", key_prefix: "p", key_hash: "h" });
      await row("platform.audit_logs", {
        event_type: "project.created",
        action: "create",
        severity: "info",
        ip_address: "10.0.0.1",
      });
      const database: DatabaseInsert = {
        project_id,
        name: "R",
        type: "redis",
        host: "h",
        port: 6379,
        connection_string: "redis://:p@h:6379",
      };
      const registered: DatabaseRow = await row("platform.databases", database);
      expect(registered.connection_string_encrypted).toBeInstanceOf(Buffer);
      await client.query("update platform.databases set status = $1 where id = $2", [
        "maintenance" satisfies Tables["platform.databases"]["update"]["status"],
        registered.id,
      ]);
    } finally {
      await client.end();
    }
    const all = await studio.query<{ name: string }>(
      "select 'platform.' || relname as name from pg_class where relnamespace = 'platform'::regnamespace and relkind = 'r'",
    );
    expect(tried.sort()).toEqual(all.map(({ name }) => name).sort());
  });

  test("views and functions give what their types say", async () => {
    const names: (keyof Views)[] = [
      "platform.databases_safe",
      "platform.organizations_with_stats",
      "platform.project_resources",
    ];
    for (const name of names) {
      const [schema = "", view = ""] = name.split(".");
      const [row] = await studio.query(`select * from ${quoteIdent(schema)}.${quoteIdent(view)} limit 1`);
      expectRow(row, `${view.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}Row`);
    }
    type Result = Functions["platform.get_project_databases"]["result"][number];
    const [project] = await studio.query<{ id: string }>("select project_id as id from platform.databases limit 1");
    const args: Functions["platform.get_project_databases"]["args"] = [project?.id ?? null];
    const [found] = await studio.query<Result>("select * from platform.get_project_databases($1)", args);
    expect(found).toMatchObject({ name: "R", type: "redis", port: 6379 });
  });
});

describe("what the types do not allow", () => {
  test("the compiler refuses it", () => {
    // @ts-expect-error a type that the check of the table does not list
    const wrong: DatabaseInsert["type"] = "oracle";
    // @ts-expect-error a column that is NOT NULL and has no default
    const missing: DatabaseInsert = { name: "n", type: "redis", host: "h", port: 1, connection_string: "redis://h" };
    expect([wrong, missing]).toHaveLength(2);
  });
});

/** Types that no table of the platform has. */
describe("types of any database", () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
    await database.query(`
      create schema app;
      create type app.mood as enum ('sad', 'ok "fine"');
      create domain app.code as text check (value in ('x', 'y'));
      create type app.pair as (a int, b text);
      create table app."Odd name" ("A b" int primary key generated always as identity, "select" app.mood not null, c app.code, d app.pair,
        e int[], f app.mood[], g int8 generated always as (1) stored, h interval, i bytea, j int4range, k numeric default 1, l text check (l in ('it''s', 'b')));
      comment on column app."Odd name".c is 'ends */ here';
      create function app.one(a int, out b int, out c text) language sql as $$ select 1, 'x' $$;
      create function app.one(a text) returns setof app."Odd name" language sql as $$ select * from app."Odd name" $$;
      create function app.many() returns setof int language sql as 'select 1';
      create procedure app.run(a int) language sql as 'select 1';
      create function app.fires() returns trigger language plpgsql as 'begin return null; end';`);
  });
  afterAll(() => database.drop());

  test("names that need quotes, enums, domains, arrays, generated columns, overloads", async () => {
    const types = await typesOf(database.url, ["app"]);
    const from = (start: string): string =>
      types.slice(types.indexOf(start), types.indexOf("\\n}", types.indexOf(start)));
    expect(from("export interface OddNameRow")).toContain('"A b": number;');
    expect(types).toContain('select: "sad" | "ok \\"fine\\"";');
    expect(types).toContain("/** ends *\\/ here */");
    expect(types).toContain('c: "x" | "y" | null;');
    expect(types).toContain("d: string | null;");
    expect(types).toContain("e: number[] | null;");
    expect(types).toContain("f: string | null;");
    expect(types).toContain("h: Interval | null;");
    expect(types).toContain("j: string | null;");
    expect(types).toContain(`l: "it's" | "b" | null;`);
    const insert = /export interface OddNameInsert \{(.*?)\n\}/s.exec(types)?.[1] ?? "";
    expect(insert).not.toContain("A b");
    expect(insert).not.toMatch(/^ *g\?/m);
    expect(insert).toContain("k?: string | number | bigint | null;");
    expect(types).toContain(
      '"app.one(int4)": { args: [a: number | null]; result: { b: number | null; c: string | null } };',
    );
    expect(types).toContain('"app.one(text)": { args: [a: string | null]; result: OddNameRow[] };');
    expect(types).toContain('"app.many": { args: []; result: (number | null)[] };');
    expect(types).toContain('"app.run": { args: [a: number | null]; result: undefined };');
    expect(types).not.toContain("app.fires");
  });

  test("a schema that is not there is named", async () => {
    await expect(typesOf(database.url, ["app", "nope"])).rejects.toThrow(/has no schema nope/);
  });
});
