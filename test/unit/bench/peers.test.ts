import { describe, expect, test } from "vitest";
import { command, errorLine } from "../../../bench/peers/command.ts";
import { differences, type Fact, without } from "../../../bench/peers/facts.ts";
import type { Findings } from "../../../bench/peers/measure.ts";
import { median, probesTable, ratiosTable, timesTable, withSection } from "../../../bench/peers/table.ts";
import { generatedWorkload, migrationsOf, platformWorkload, scriptOf } from "../../../bench/peers/workload.ts";

const FAST: Findings = {
  tool: "fast",
  takes: "migrations",
  version: "1.2",
  up: { wallsMs: [1300, 1100, 1200] },
  noop: { wallsMs: [100, 300, 200] },
  change: { wallsMs: [], failure: "ERROR: a | b" },
  lacks: ["policies: 2 missing", "tables: 1 different"],
  drift: "not noticed",
  conflict: "nothing",
  undo: "none",
};
const ABSENT: Findings = {
  ...{ tool: "absent", takes: "desired state", notToBeHad: "`go install` failed: 404" },
  ...{ up: { wallsMs: [] }, noop: { wallsMs: [] }, change: { wallsMs: [] }, lacks: [] },
};

describe("the tables of the comparison with other tools", () => {
  test("a median is the middle of the sorted values, the higher of two, and NaN of none", () => {
    expect(median([30, 4, 200])).toBe(30);
    expect(median([4, 1, 3, 2])).toBe(3);
    expect(median([])).toBeNaN();
  });

  test("a time is shown as median and range, a failed command as failed with its reason below", () => {
    const table = timesTable([FAST]);
    expect(table).toContain(
      "| fast | migrations | 1.20 s (1.10 – 1.30) | 0.20 s (0.10 – 0.30) | fails | policies: 2 missing, tables: 1 different |",
    );
    expect(table).toContain("- fast, one column more: `ERROR: a | b`");
  });

  test("a tool that could not be installed stays in both tables, with the reason", () => {
    expect(timesTable([ABSENT])).toContain(
      "| absent | desired state | not to be had |  |  | `go install` failed: 404 |",
    );
    expect(probesTable([ABSENT, FAST])).toContain("| absent | not to be had |  |  |  |");
  });

  test("the first tool's times are divided by those of the others, where both are known", () => {
    const slow: Findings = { ...FAST, tool: "slow", up: { wallsMs: [2400] }, noop: { wallsMs: [50] } };
    const lines = ratiosTable([FAST, slow, ABSENT]).split("\n");
    expect(lines[0]).toBe("| fast / it | empty → full | nothing to do | one column more |");
    expect(lines.slice(2)).toEqual(["| slow | 0.50 | 4.00 |  |", "| absent |  |  |  |"]);
  });

  test("a tool whose first run fails is not said to express everything", () => {
    expect(timesTable([{ ...FAST, up: { wallsMs: [], failure: "no" }, lacks: [] }])).toContain("| does not apply |");
  });

  test("what a run writes into the document replaces what an earlier one wrote and nothing else", () => {
    const first = withSection("# Benchmarks\n\n## Set-up\n", "old");
    expect(first).toContain("## Set-up\n\n## Peers\n");
    const second = withSection(`${first}\n## Later\n`, "new");
    expect(second).toBe(`${first}\n## Later\n`.replace("old", "new"));
  });
});

describe("the comparison of two databases", () => {
  const fact = (kind: string, name: string, definition = ""): Fact => ({ kind, name, definition });

  test("what is missing, too many or different is counted by kind", () => {
    const desired = [fact("policies", "a"), fact("policies", "b"), fact("tables", "a", "x")];
    const found = [fact("policies", "a"), fact("tables", "a", "y"), fact("grants", "a")];
    expect(differences(desired, found)).toEqual(["policies: 1 missing", "tables: 1 different", "grants: 1 too many"]);
    expect(differences(desired, desired)).toEqual([]);
  });

  test("what was there before the tool is not its work", () => {
    expect(without([fact("extensions", "a"), fact("tables", "a")], [fact("extensions", "a")])).toEqual([
      fact("tables", "a"),
    ]);
  });
});

describe("what the tools are given", () => {
  test("migrations are numbered through, layers first", () => {
    const { initial, change } = generatedWorkload(60);
    expect(migrationsOf(initial, [change]).map(({ number, name }) => `${number} ${name}`)).toEqual([
      "001 scale_1",
      "002 note",
    ]);
  });

  test("the generated schema has as many tables as asked for, and its change adds one column to one of them", () => {
    const { initial, change } = generatedWorkload(120);
    const before = scriptOf(initial);
    expect(before.match(/create table/g)).toHaveLength(120);
    expect(before.match(/create policy/g)).toHaveLength(120);
    expect(scriptOf(change.after).replace(",\n  note text", "")).toBe(before);
  });

  test("the changes of the project's schema still fit its files", async () => {
    const { initial, change, conflict } = await platformWorkload();
    expect(scriptOf(change.after).replace("  display_name text,\n", "")).toBe(scriptOf(initial));
    expect(scriptOf(conflict?.after ?? [])).toContain("billing_plans_price_high");
  });

  test("of a program's output the line that says what went wrong is shown", () => {
    expect(errorLine("starting\nMain error\nERROR: relation exists\nbye")).toBe("ERROR: relation exists");
    expect(errorLine("one\ntwo\n")).toBe("two");
    expect(errorLine("")).toBe("no output");
  });

  test("a program that does not exist is a failed run with a message", async () => {
    const { exitCode, output } = await command("no-such-program-of-the-bench", []);
    expect(exitCode).not.toBe(0);
    expect(output).toContain("no-such-program-of-the-bench");
  });
});
