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
    "grant select, delete on\n  app.a,\n  app.b\nto x;",
    "grant select on app.a to y;",
    "grant select, delete on app.c to x with grant option;",
    "grant select (id) on table app.a to x;",
    "grant execute on function app.f(integer, text) to x;",
    "revoke all on function app.f(integer, text) from public;",
  ]);
});
