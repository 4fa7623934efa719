import { expect, test } from "vitest";
import { distance, namesIn } from "../../../provider/shadow/missingNames.ts";
import { statementNames } from "../../../provider/shadow/statementNames.ts";

test.each([
  ['relation "app.items" does not exist', "items"],
  ['relation "items" does not exist', "items"],
  ['relation "app.Odd name" does not exist', "Odd name"],
  ["Relation »app.items« existiert nicht", "items"],
  ["la relation « app.items » n'existe pas", "items"],
  ['отношение "app.items" не существует', "items"],
  ["function app.f(integer, app.state) does not exist", "f"],
  ['function app."Odd name"(integer) does not exist', "Odd name"],
  ['function "Odd schema".f(integer) does not exist', "f"],
  ["column i.name does not exist", "name"],
  ['column "name" of relation "items" does not exist', "name"],
  ['type "app.state[]" does not exist', "state"],
  ["type app.state does not exist", "state"],
  ['there is no unique constraint matching given keys for referenced table "owners"', "owners"],
])("the message %j lacks %s", (message, name) => {
  expect(namesIn(message)[0]).toBe(name);
});

test.each([
  ["create or replace view app.v as select", "v"],
  ['CREATE UNLOGGED TABLE IF NOT EXISTS "App"."T" ()', "T"],
  ["create table search.text (a int)", "text"],
  ["alter table if exists only t add b int", "t"],
  ["create unique index concurrently i on t (a)", "i"],
  ["create text search configuration app.c (copy = english)", "c"],
  ["create schema authorization owner", "owner"],
  ["create trigger touch before update on t", "touch"],
  ["grant select on t to public", undefined],
])("the subject of %j is %s", (sql, subject) => {
  expect(statementNames(sql).subject).toBe(subject);
});

test.each([
  ["set search_path = a", true],
  ["SELECT pg_catalog.set_config('search_path', '', false)", true],
  ["reset all", true],
  ["set constraints all deferred", false],
  ["alter table t set (fillfactor = 10)", false],
])("whether %j only sets something: %s", (sql, isSetting) => {
  expect(statementNames(sql).isSetting).toBe(isSetting);
});

test("letters that are missing, too many, other or swapped count once", () => {
  expect(["items", "item", "itemss", "itams", "itmes", "owners"].map((name) => distance(name, "items"))).toEqual([
    0, 1, 1, 1, 1, 4,
  ]);
});
