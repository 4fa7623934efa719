import { expect, test } from "vitest";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { pending, project, up } from "../../../support/layerHarness.ts";

const freshDatabase = freshDatabases();

for (const [what, before, after, found] of [
  [
    "an attribute of a composite type that a column has",
    "create type public.point2 as (x int); create table public.t (at public.point2);",
    "create type public.point2 as (x text); create table public.t (at public.point2);",
    'attribute "x" of composite type "public"."point2" cannot change its type while columns use the composite type',
  ],
  [
    "the type below a domain that a column has",
    "create domain public.code as int; create table public.t (code public.code);",
    "create domain public.code as text; create table public.t (code public.code);",
    'domain "public"."code" cannot change while columns use it: ',
  ],
  [
    "an enum's values while a composite type holds the enum",
    "create type public.mood as enum ('good', 'bad'); create type public.day as (mood public.mood);",
    "create type public.mood as enum ('good'); create type public.day as (mood public.mood);",
    'values of enum "public"."mood" cannot be removed or reordered while these use it: ',
  ],
] as const) {
  test(`a change of ${what} is refused with what to do, and nothing is changed`, async () => {
    const database = await freshDatabase();
    const state = await up(database.url, project.layer("types", before));
    const change = up(database.url, project.layer("types", after), state);
    await expect(change).rejects.toThrow(found);
    await expect(change).rejects.toMatchObject({ name: "UnsupportedChangeError" });
    await expect(change).rejects.toThrow(/This change cannot be planned: [\s\S]*Nothing was changed. Make it in two/);
    project.layer("types", before);
    expect(await pending(database.url, state)).toEqual([]);
  });
}

test("a check for a domain that an array holds is refused as what the server does not do, not as a defect", async () => {
  const database = await freshDatabase();
  const sql = (check: string) =>
    `create domain public.mail as text check (value like '%@%')${check}; create table public.t (id int primary key, m public.mail[], n public.mail);`;
  const state = await up(database.url, project.layer("types", sql("")));
  const change = up(database.url, project.layer("types", sql(" check (length(value) < 60)")), state);
  await expect(change).rejects.toThrow(/within an array or another type/);
  await expect(change).rejects.toMatchObject({ code: "PS307" });
});
