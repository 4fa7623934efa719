import { expect, test } from "vitest";
import { distinctHazards } from "../../../provider/plan/approvals.ts";
import { planUpdate } from "../../../provider/plan/plan.ts";
import { type Change, changeOf } from "./rowFixture.ts";

async function hazards({ live, before, desired }: Change): Promise<string[]> {
  const transition = { live: before.facts, desired, renames: [], record: undefined };
  const { assessed } = await planUpdate(live.pool, before, transition);
  return distinctHazards(assessed).map(({ code, message }) => `${code}: ${message}`);
}

const PARTED = `create table app.t (id int, v int) partition by list (id);
  create table app.a partition of app.t for values in (1) partition by range (v);
  create table app.a1 partition of app.a default;
  create table app.b partition of app.t for values in (2);`;

test("a partitioned table has as many rows as its partitions, also before it was analyzed itself", async () => {
  const rows = "insert into app.t select 1 + g % 2, g from generate_series(1, 6000) g; analyze app.a1, app.b;";
  const plain = await changeOf({ before: PARTED, after: "create table app.t (id int, v int);", rows });
  expect((await hazards(plain)).join("\n")).toContain("about 6,000 rows");
  const dropped = await changeOf({ before: PARTED, after: "create table app.u (id int);", rows });
  expect(await hazards(dropped)).toContain("PS201: drops table app.t with about 6,000 rows");
});

test("a table that several statements copy is named once", async () => {
  const change = await changeOf({
    before: "create table app.t (a int, b int, c int);",
    after: "create table app.t (a bigint, b bigint, c text);",
    rows: "insert into app.t values (1, 1, 1);",
  });
  expect(await hazards(change)).toEqual(["PS204: copies app.t with 1 row under a lock that blocks reads and writes"]);
});
