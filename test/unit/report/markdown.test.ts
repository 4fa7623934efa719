import { describe, expect, it } from "vitest";
import { planAsMarkdown } from "../../../provider/report/markdown.ts";
import type { PlanLine } from "../../../provider/report/planLine.ts";
import { type StackPlan, withoutPlan } from "../../../provider/report/stackPlan.ts";

const LONGEST = 60_000;
const plan = (some: Partial<StackPlan>): StackPlan => ({ ...withoutPlan("prod", ""), errors: [], ...some });

function line(title: string, some: Partial<PlanLine> = {}): PlanLine {
  const statements = [{ position: 1, sql: `ALTER TABLE ${title}` }];
  const figures = { lock: "none", rows: 0, estimateMs: undefined } as const;
  return { op: "update", title, notes: [], objects: [], statements, hazards: [], ...figures, ...some };
}

const drop = (name: string, blocks = true): Partial<PlanLine> => ({
  op: "delete",
  hazards: [{ code: "PS201", message: `drops table ${name}, which has rows`, approval: `drop-table:${name}`, blocks }],
});

const many = (count: number, of: (n: number) => PlanLine): PlanLine[] =>
  Array.from({ length: count }, (_, n) => {
    const each = of(n);
    return { ...each, statements: each.statements.map((statement) => ({ ...statement, position: n + 1 })) };
  });

/** The text without code and fences, which GitHub shows as they are. */
const markup = (text: string): string =>
  text
    .replace(/^(`{3,})\w*\n[\s\S]*?\n\1$/gm, "")
    .replace(/`[^`\n]+`/g, "")
    .replace(/<code>[^<\n]*<\/code>/g, "");

const check = (name: string, status: string, isStopping: boolean) => ({
  ...{ name, status, isStopping, measured: "14:05 UTC", expected: "02:00-04:00", note: "" },
  mend: status === "PASS" ? "" : "wait for the window",
});

describe("the comment about a plan", () => {
  it("begins with the verdict, then tells what is dangerous, who waits, the gate, the digest, and the SQL", () => {
    const text = planAsMarkdown(
      plan({
        layers: [
          {
            name: "app",
            lines: [
              line("table app.t", { lock: "ACCESS EXCLUSIVE", rows: 4000, estimateMs: 3000 }),
              line("table app.u", drop("app.u", false)),
              line("index app.i", { op: "delete" }),
            ],
          },
        ],
        gate: { verdict: "NO-GO", results: [check("window", "NO-GO", true), check("version", "PASS", false)] },
        digest: "1-2-3-4",
      }),
    );
    const order = [
      "### Would be NO-GO now: plan of stack `prod`",
      "An update would stop before its first change: window.",
      "#### Dangerous",
      "`drop-table:app.u`. PS201: drops table app.u, which has rows",
      "- Goes: `index app.i`",
      "#### Who waits for it",
      "- `table app.t`, 4,000 rows: reads and writes wait (ACCESS EXCLUSIVE) for about 3 s",
      "#### Gate: NO-GO",
      "| NO-GO | `window` | 14:05 UTC | 02:00-04:00 | wait for the window |",
      "Digest of the plan: `1-2-3-4`",
      "#### Layer `app`",
      "<details><summary>SQL of layer app: 3 statements</summary>",
    ].map((part) => text.indexOf(part));
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((one, other) => one - other));
    expect(planAsMarkdown(plan({}))).toMatch(/^### GO: plan of stack `prod`\n/);
  });

  it("tells of a run that failed by what it failed with, also where there is no plan", () => {
    const text = planAsMarkdown(withoutPlan("prod", "the server cannot be reached"));
    expect(text).toMatch(/^### Stopped: plan of stack `prod`\n/);
    expect(text).toContain("```text\nthe server cannot be reached\n```");
    const long = "x".repeat(100_000);
    const half = planAsMarkdown(
      plan({
        layers: [{ name: "app", lines: [line("table app.t", drop("app.t"))] }],
        errors: Array.from({ length: 50 }, () => ({ resource: "Layer app", text: long })),
      }),
    );
    expect(half.length).toBeLessThanOrEqual(LONGEST);
    expect(half).toContain(
      "more, left out for the length of this comment; `npm run -s plan -- --stack prod` shows all.",
    );
    expect(half).toContain("**Needs approval** `drop-table:app.t`");
  });

  it("never cuts off what is dangerous among 5,000 statements, and says what else is left out", () => {
    const lines = many(5000, (n) => line(`table app.t_${n}`, n % 500 === 499 ? drop(`app.t_${n}`) : {}));
    const text = planAsMarkdown(plan({ layers: [{ name: "app", lines }] }));
    expect(text.length).toBeLessThanOrEqual(LONGEST);
    for (let n = 499; n < 5000; n += 500) expect(text).toContain(`**Needs approval** \`drop-table:app.t_${n}\``);
    expect(text).toMatch(
      /[\d,]+ more, left out for the length of this comment; `npm run -s plan -- --stack prod --sql`/,
    );
    expect(text.match(/<details>/g)?.length).toBe(text.match(/<\/details>/g)?.length);
  });

  it("names each of 5,000 drops", () => {
    const lines = many(5000, (n) => line(`table app.t_${n}`, drop(`app.t_${n}`)));
    const text = planAsMarkdown(plan({ layers: [{ name: "app", lines }] }));
    expect(text.length).toBeLessThanOrEqual(LONGEST);
    expect(text).toContain(
      "**5,000 blocked for want of approval**, PS201 Drops a table with rows: `drop-table:app.t_` and then",
    );
    const names = /and then\n\n```text\n([\s\S]*?)\n```/.exec(text)?.[1]?.split("\n");
    expect(names).toEqual(lines.map((_, n) => String(n)));
  });

  it("keeps the number of those drops whose names have no room, with the rarest kinds in full", () => {
    const name = (n: number): string => `app.${n}${"x".repeat(60)}`;
    const lines = [
      ...many(5000, (n) => line(`table ${name(n)}`, drop(name(n)))),
      line("index app.i", { op: "delete" }),
    ];
    const text = planAsMarkdown(plan({ layers: [{ name: "app", lines }] }));
    expect(text.length).toBeLessThanOrEqual(LONGEST);
    expect(text).toMatch(/\*\*5,000 blocked/);
    expect(text).toMatch(/and 4,\d\d\d more that have no room here\./);
    expect(text).toContain("index app.i");
  });

  it("is not broken by names, messages and SQL of others", () => {
    const hostile = "a|b`c``d <img src=x> </details> @team \\| #12 [x](http://y) _e_ **f** $g$\n\n# h\r\n```";
    const text = planAsMarkdown(
      plan({
        layers: [
          {
            name: hostile,
            lines: [
              line(hostile, {
                ...drop(hostile),
                ...{ notes: [hostile], objects: [hostile], lock: "SHARE", rows: 5, estimateMs: 5 },
                statements: [{ position: 1, sql: `SELECT '${hostile}\n\`\`\`\`\n</details>'` }],
              }),
              line("table p|q\\|r"),
              line("table p|q"),
            ],
          },
        ],
        rows: [{ op: "delete", title: `${hostile}${"y".repeat(5000)}`, columns: [hostile] }],
        resources: [{ op: "delete", type: "t", name: hostile }],
        spentApprovals: [{ layer: hostile, approvals: [hostile] }],
        warnings: [{ resource: hostile, text: hostile }],
        errors: [{ resource: hostile, text: hostile }],
        gate: {
          verdict: "NO-GO",
          results: [{ ...check(hostile, "NO-GO", true), measured: hostile, expected: hostile, note: hostile }],
        },
        digest: hostile,
        stack: hostile,
      }),
    );
    const rest = markup(text);
    expect(rest).not.toMatch(/@team|<img|(?<!&)#12|\[x\]|\*\*f|(?<![\w;])_e_|\$g/);
    expect(rest.match(/<[^>]*>/g)?.filter((tag) => !/^<(\/?details|\/?summary|br)>$/.test(tag))).toEqual([]);
    expect(rest.match(/^<details>/gm)?.length).toBe(rest.match(/^<\/details>$/gm)?.length);
    expect(rest).not.toMatch(/^# h/m);
    const tables = text.split("\n").filter((each) => /^\|[ -]/.test(each));
    // Of the gate, then of the layer: each row has as many cells as its heading.
    expect(tables.map((each) => each.split("|").length)).toEqual([7, 7, 7, 9, 9, 9, 9, 9]);
    expect(text).toContain("`````sql");
    expect(text).toContain("`````\n\n</details>");
  });

  it("stays within any length, however little that is", () => {
    const lines = many(200, (n) => line(`table app.t_${n}`, { lock: "SHARE", rows: n }));
    const layers = Array.from({ length: 50 }, (_, n) => ({ name: `layer_${n}`, lines }));
    for (const longest of [20_000, 30_000, 50_000]) {
      const text = planAsMarkdown(plan({ layers }), longest);
      expect(text.length).toBeLessThanOrEqual(longest);
      expect(text).toMatch(/left out/);
    }
  });
});
