import { describe, expect, it } from "vitest";
import { planAsMarkdown } from "../../../provider/report/markdown.ts";
import { planAsText } from "../../../provider/report/text.ts";
import { parsePreview } from "../../../tools/lib/previewOutput.ts";

const urn = (type: string, name: string): string => `urn:pulumi:dev::p::${type}::${name}`;
const LAYER = urn("pgstrata:components:PlatformSchema$pgstrata:index:Layer", "platform");
const HAZARD = "PS202: drops column app.t.a, which about 4 rows have";

/** As `pulumi preview --json` prints a plan that is stopped. */
const STOPPED = JSON.stringify({
  steps: [
    { op: "same", urn: urn("pulumi:pulumi:Stack", "p-dev") },
    {
      op: "create",
      urn: urn("random:index/randomPassword:RandomPassword", "pw"),
      newState: { inputs: { length: 32 } },
    },
    { op: "update", urn: LAYER, newState: { inputs: { name: "platform" } } },
    {
      op: "delete",
      urn: urn("a$pgstrata:index:Change", "1 column app.t.a · about 4 rows · locks ACCESS EXCLUSIVE · PS202 · blocks"),
      newState: {
        parent: LAYER,
        inputs: {
          lock: "ACCESS EXCLUSIVE",
          rows: 4,
          hazards: [HAZARD],
          approvals: ["drop-column:app.t.a"],
          needsApproval: ["drop-column:app.t.a"],
          sql: { "1": ["ALTER TABLE app.t", "  DROP COLUMN a"] },
        },
      },
    },
    {
      op: "update",
      urn: urn("a$pgstrata:index:Change", "update app.t id=1"),
      newState: { parent: urn("pgstrata:index:Row", "r"), inputs: { table: "app.t", columns: { b: "[secret]" } } },
    },
  ],
  diagnostics: [
    { urn: LAYER, message: `warning: ${HAZARD}\n`, severity: "warning" },
    { urn: LAYER, message: "error: Preview failed: Stopped ``` here\n", severity: "error" },
    { message: "error: preview failed\n", severity: "error" },
  ],
});

const plan = parsePreview(STOPPED, "dev");

describe("the plan of a stack", () => {
  it("holds layers, rows, other resources, and what stopped it", () => {
    expect(plan).toMatchObject({
      stack: "dev",
      layers: [{ name: "platform", lines: [{ title: "column app.t.a", rows: 4, lock: "ACCESS EXCLUSIVE" }] }],
      rows: [{ op: "update", title: "update app.t id=1", columns: ["b"] }],
      resources: [{ op: "create", type: "random:index/randomPassword:RandomPassword", name: "pw" }],
      errors: [{ resource: "Layer platform", text: "Stopped ``` here" }],
    });
  });

  it("names in a terminal each hazard once, with the approval that it needs", () => {
    expect(planAsText(plan)).toBe(
      [
        "Plan of stack dev: 1 to create, 1 to update, 1 to delete, 1 blocks.",
        "",
        "Layer platform",
        "  - column app.t.a · about 4 rows · locks ACCESS EXCLUSIVE · PS202 · blocks",
        `      ${HAZARD}`,
        "      needs in the layer's `allow`: drop-column:app.t.a",
        "",
        "Rows",
        "  ~ update app.t id=1: b",
        "",
        "Other resources",
        "  + random:index/randomPassword:RandomPassword pw",
        "",
        "Stopped",
        "  Layer platform: Stopped ``` here",
      ].join("\n"),
    );
  });

  it("names the approvals that were used and can be taken out, of layers that do not change as well", () => {
    const layer = (op: string, name: string, allow: string[], outputs?: object): object => ({
      op,
      urn: urn("pgstrata:index:Layer", name),
      newState: { inputs: { name, allow } },
      ...(outputs === undefined
        ? {}
        : { oldState: { inputs: { name, files: ["a.sql"], allow: ["drop-table:app.old"] }, outputs } }),
    });
    const some = parsePreview(
      JSON.stringify({
        steps: [
          layer("same", "app", ["drop-table:app.t", "drop-column:app.u.a"], { spentApprovals: ["drop-table:app.t"] }),
          layer("update", "kept", ["drop-table:app.old", "drop-table:app.t"], {}),
          layer("update", "unused", ["drop-table:app.t"], { spentApprovals: ["drop-table:app.gone"] }),
          layer("create", "new", ["drop-table:app.t"]),
        ],
      }),
      "dev",
    );
    expect(some.spentApprovals).toEqual([
      { layer: "app", approvals: ["drop-table:app.t"] },
      // A state of a version that did not keep them had none that was not used.
      { layer: "kept", approvals: ["drop-table:app.old"] },
    ]);
    expect(planAsText(some)).toContain(
      "\nUsed approvals, which can be taken out of the layers' `allow`\n  Layer app: drop-table:app.t\n  Layer kept: drop-table:app.old",
    );
    expect(planAsMarkdown(some)).toContain("- `app`: `drop-table:app.t`\n- `kept`: `drop-table:app.old`");
  });

  it("is Markdown that no text of a database can break out of", () => {
    const text = planAsMarkdown(plan);
    expect(text).toContain("````text\nStopped ``` here\n````");
    expect(text).toContain("**Needs** `drop-column:app.t.a`");
    expect(text).toContain("```sql\nALTER TABLE app.t\n  DROP COLUMN a;\n```");
  });

  it("is refused with advice when the CLI printed something else", () => {
    expect(() => parsePreview("error: no stack", "dev")).toThrow(/Run `pulumi preview` to see/);
  });

  it("says that nothing changes", () => {
    expect(planAsText(parsePreview("{}", "dev"))).toBe("Plan of stack dev: no changes.");
  });
});
