import { expect, test } from "vitest";
import { mergedGrants } from "../../../provider/pull/grants.ts";

test("grants of the same privileges to the same roles become one, and others stay apart", () => {
  expect(
    mergedGrants([
      "grant delete, select on table app.a to x;",
      "grant select on table app.a to y;",
      "grant delete, select on table app.b to x;",
      "grant delete, select on table app.c to x with grant option;",
      "grant select (id) on table app.a to x;",
      "grant execute on function app.f(integer, text) to x;",
      "revoke all on function app.f(integer, text) from public;",
    ]),
  ).toEqual([
    "grant select, delete on app.a, app.b to x;",
    "grant select on app.a to y;",
    "grant select, delete on app.c to x with grant option;",
    "grant select (id) on table app.a to x;",
    "grant execute on function app.f(integer, text) to x;",
    "revoke all on function app.f(integer, text) from public;",
  ]);
});

test("what is said twice is written once, many objects get a line each, and default privileges the usual order", () => {
  const tables = ["a", "b", "c", "d", "a"].map((name) => `revoke all on table app.${name} from x;`);
  const byDefault = "alter default privileges for role o in schema app grant delete, select on tables to x;";
  expect(mergedGrants([...tables, byDefault, byDefault])).toEqual([
    "revoke all on\n  app.a,\n  app.b,\n  app.c,\n  app.d\nfrom x;",
    "alter default privileges for role o in schema app grant select, delete on tables to x;",
  ]);
});
