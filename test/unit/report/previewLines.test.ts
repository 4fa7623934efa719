import { describe, expect, it } from "vitest";
import type { PlanLine } from "../../../provider/report/planLine.ts";
import { asPreviewLines, fromPreviewLine } from "../../../provider/report/previewLines.ts";

const line = (change: Partial<PlanLine>): PlanLine => ({
  op: "create",
  title: "table app.users",
  notes: [],
  objects: [],
  statements: [{ position: 1, sql: "CREATE TABLE app.users (\n  id int\n)" }],
  lock: "none",
  rows: 0,
  estimateMs: undefined,
  hazards: [],
  ...change,
});

const LINES: PlanLine[] = [
  line({
    op: "delete",
    title: "column app.users.odd · name",
    statements: [{ position: 2, sql: 'ALTER TABLE app.users DROP COLUMN "odd · name"' }],
    lock: "ACCESS EXCLUSIVE",
    rows: 12_345,
    estimateMs: 61_000,
    hazards: [
      { code: "PS202", message: "drops column: with a colon", approval: "drop-column:app.users.x", blocks: true },
      { code: "PS204", message: "copies app.users", approval: "rewrite-table:app.users", blocks: false },
    ],
  }),
  line({ notes: ["2 columns", "1 grant"] }),
  line({
    op: "update",
    title: "3 tables",
    notes: ["ENABLE ROW LEVEL SECURITY"],
    objects: ["table app.a", "table app.b", "table app.c"],
    statements: [
      { position: 3, sql: "ALTER TABLE app.a ENABLE ROW LEVEL SECURITY", searchPath: "pg_catalog, ext" },
      { position: 14, sql: "ALTER TABLE app.b ENABLE ROW LEVEL SECURITY" },
    ],
  }),
];

describe("the lines of a preview", () => {
  it("say what is done to how many rows, under which lock, for how long, and what blocks", () => {
    expect(asPreviewLines(LINES).map(({ op, name }) => `${op} ${name}`)).toEqual([
      "delete 1 column app.users.odd · name · about 12,345 rows · locks ACCESS EXCLUSIVE · about 1 min · PS202 · PS204 · blocks",
      "create 2 table app.users · 2 columns, 1 grant",
      "update 3 3 tables · ENABLE ROW LEVEL SECURITY",
    ]);
  });

  it("give the plan back as it was, from what the CLI prints of them", () => {
    const printed = asPreviewLines(LINES).map(({ name, op, details }) => fromPreviewLine(name, op, details));
    expect(printed).toEqual(LINES);
  });

  it("are told from those of a row", () => {
    expect(fromPreviewLine("insert app.users id=1", "create", { table: "app.users", columns: {} })).toBeUndefined();
  });
});
