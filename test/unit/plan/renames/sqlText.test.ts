import { describe, expect, test } from "vitest";
import { isTopLevel, describe as nameOf, ownerObject } from "../../../../provider/catalog/objectNames.ts";
import { encodeId, parseId, type StableId } from "../../../../provider/catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../../../provider/catalog/quote.ts";
import { rolesNamedBy } from "../../../../provider/catalog/roles.ts";
import { nothing } from "../../../../provider/contribution/contribution.ts";
import { lint } from "../../../../provider/contribution/lint.ts";
import { extension, grant, memberOf, ownedBy, policy, routine, schema, table } from "../../../support/handMadeFacts.ts";

const users: StableId = { kind: "table", schema: "app", name: "users" };

test.each<[StableId, string, StableId]>([
  [users, "table app.users", users],
  [{ kind: "schema", name: "app" }, "schema app", { kind: "schema", name: "app" }],
  [{ kind: "column", schema: "app", table: "users", name: "id" }, "column app.users.id", users],
  [{ kind: "default", schema: "app", table: "users", name: "id" }, "default app.users.id", users],
  [{ kind: "constraint", schema: "app", table: "users", name: "pk" }, "constraint pk on app.users", users],
  [{ kind: "acl", target: users, grantee: "reader" }, "privileges of reader on table app.users", users],
  [
    { kind: "acl", target: users, grantee: "reader", column: "id" },
    "privileges of reader on column id of table app.users",
    users,
  ],
  [
    { kind: "comment", target: { kind: "column", schema: "app", table: "users", name: "id" } },
    "comment on column app.users.id",
    users,
  ],
  [
    { kind: "policy", schema: "app", table: "users", name: "p" },
    "policy p on app.users",
    { kind: "policy", schema: "app", table: "users", name: "p" },
  ],
  [
    { kind: "function", schema: "app", name: "f", args: ["integer", "text"] },
    "function app.f(integer, text)",
    { kind: "function", schema: "app", name: "f", args: ["integer", "text"] },
  ],
  [
    { kind: "materializedView", schema: "app", name: "m" },
    "materialized view app.m",
    { kind: "materializedView", schema: "app", name: "m" },
  ],
  [
    { kind: "typeAttribute", schema: "app", type: "pair", name: "a" },
    "attribute app.pair.a",
    { kind: "type", schema: "app", name: "pair" },
  ],
])("%o is called %s", (id, name, owner) => {
  expect(nameOf(id)).toBe(name);
  expect(ownerObject(id)).toEqual(owner);
  expect(parseId(encodeId(id))).toEqual(id);
});

test("parts of an object do not stand by themselves, objects do", () => {
  expect(isTopLevel({ kind: "column", schema: "app", table: "users", name: "id" })).toBe(false);
  expect(isTopLevel({ kind: "acl", target: users, grantee: "reader" })).toBe(false);
  expect(isTopLevel(users)).toBe(true);
  expect(isTopLevel({ kind: "policy", schema: "app", table: "users", name: "p" })).toBe(true);
});

test("identifiers are always quoted, and what cannot be one is refused", () => {
  expect(quoteIdent("plain")).toBe('"plain"');
  expect(quoteIdent(`o"neil; drop`)).toBe('"o""neil; drop"');
  expect(quoteQualified("a.b", "c")).toBe('"a.b"."c"');
  expect(() => quoteIdent("nul\0")).toThrow("NUL");
});

test("the roles that facts name are grantees, owners and those of policies, without PUBLIC and the server's own", () => {
  const t = table("app", "users");
  const facts = [
    schema("app"),
    grant(t, "reader", ["SELECT"]),
    grant(t, "PUBLIC", ["SELECT"]),
    grant(t, "pg_monitor", ["SELECT"]),
    policy("app", "users", "p", { roles: ["writer", "PUBLIC"] }),
  ];
  expect([...rolesNamedBy(facts, [ownedBy(t, "owner")])].sort()).toEqual(["owner", "reader", "writer"]);
});

describe("findings", () => {
  const definer = (name: string, rest: string) =>
    routine(
      "app",
      name,
      `CREATE FUNCTION app.${name}()\n RETURNS int\n LANGUAGE sql\n SECURITY DEFINER\n${rest}AS $$ select 1 $$`,
    );
  const open = definer("open", "");
  const pinned = definer("pinned", " SET search_path TO 'pg_catalog', 'pg_temp'\n");
  const invoker = routine(
    "app",
    "invoker",
    "CREATE FUNCTION app.invoker()\n RETURNS int\n LANGUAGE sql\nAS $$ select 1 $$",
  );
  const callable = grant(open, "PUBLIC", ["EXECUTE"]);
  const codes = (
    added: Parameters<typeof lint>[0]["added"],
    linked: Parameters<typeof lint>[0]["linked"] = [],
  ): string[] => lint({ ...nothing, added, linked }).map(({ code }) => code);

  test("are a search_path that is not pinned and a right of everyone to call, for definer functions alone", () => {
    expect(codes([open])).toEqual(["PS101"]);
    expect(codes([open, callable])).toEqual(["PS101", "PS102"]);
    expect(codes([pinned, grant(pinned, "PUBLIC", ["EXECUTE"])])).toEqual(["PS102"]);
    expect(codes([pinned, grant(pinned, "PUBLIC", [])])).toEqual([]);
    expect(codes([invoker, grant(invoker, "PUBLIC", ["EXECUTE"])])).toEqual([]);
  });

  test.each([
    "''",
    "'pg_catalog'",
    "'pg_temp', 'pg_catalog'",
    "'pg_temp', 'pg_temp'",
    "'pg_catalog', 'not_pg_temp'",
    "'a, pg_temp'",
  ])("are a search_path that lets the caller's temporary schema come first: %s", (path) => {
    expect(codes([definer("early", ` SET search_path TO ${path}\n`)])).toEqual(["PS101"]);
  });

  test("are not what an extension brings", () => {
    expect(codes([open, callable], [memberOf(open, extension("e"))])).toEqual([]);
  });
});
