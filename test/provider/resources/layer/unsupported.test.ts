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
  [
    "an enum's values while a partition below is partitioned by it",
    "create type public.mood as enum ('good', 'bad'); create table public.p (m public.mood, id int) partition by list (id); create table public.p1 partition of public.p default partition by range (m);",
    "create type public.mood as enum ('good'); create table public.p (m public.mood, id int) partition by list (id); create table public.p1 partition of public.p default partition by range (m);",
    "column public.p.m cannot take other values of public.mood while it is part of the partition key of table public.p1",
  ],
  [
    "the type of a column that a table is partitioned by",
    "create table public.p (id int, v int) partition by range (lower(v::text), id);",
    "create table public.p (id bigint, v int) partition by range (lower(v::text), id);",
    "column public.p.id cannot change its type from integer to bigint while it is part of the partition key of table public.p",
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

for (const [what, users] of [
  ["an array", "create table public.t (id int primary key, m public.mail[], n public.mail);"],
  ["the row type of another table", "create table public.u (m public.mail); create table public.t (u public.u);"],
  ["an array in a materialized view", "create materialized view public.v as select array['a@b'::public.mail] as m;"],
] as const) {
  for (const [constraint, added] of [
    ["a check", " check (length(value) < 60)"],
    ["NOT NULL", " not null"],
  ] as const) {
    test(`${constraint} for a domain that ${what} holds is refused as what the server does not do, not as a defect`, async () => {
      const database = await freshDatabase();
      const sql = (more: string) => `create domain public.mail as text check (value like '%@%')${more}; ${users}`;
      const state = await up(database.url, project.layer("types", sql("")));
      const change = up(database.url, project.layer("types", sql(added)), state);
      await expect(change).rejects.toThrow(/within an array[\s\S]*NOT VALID/);
      await expect(change).rejects.toMatchObject({ code: "PS307" });
    });
  }
}
