import { describe, expect, it } from "vitest";
import { killPoints } from "../../long/chaos/killPoints.ts";

const STATEMENTS = [
  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", // 1
  "SELECT something of the catalog",
  "COMMIT",
  "begin", // 4
  "select pg_catalog.set_config($1, $2, $3)",
  "create table t (id int)",
  "commit", // 7
  "create index concurrently i on t (id)",
];

describe("the moments at which a run is killed", () => {
  it("are before each statement that changes something, after what is then permanent, and one in each other stretch", () => {
    expect(killPoints(STATEMENTS, 0, 1)).toEqual([
      { number: 1, side: "before" },
      { number: 4, side: "before" },
      { number: 5, side: "before" },
      { number: 6, side: "before" },
      { number: 7, side: "before" },
      { number: 7, side: "after" },
      { number: 8, side: "before" },
      { number: 8, side: "after" },
    ]);
  });

  it("are shared out between several victims as far as nothing changes", () => {
    const stretches = [0, 1].map((turn) =>
      killPoints(STATEMENTS, turn, 2).filter(({ number }) => [1, 3, 5].includes(number)),
    );
    expect(stretches).toEqual([[{ number: 1, side: "before" }], [{ number: 5, side: "before" }]]);
  });
});
