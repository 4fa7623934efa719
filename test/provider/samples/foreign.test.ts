import { afterAll, expect, inject, test } from "vitest";
import { foreignSchemas } from "../../long/foreign/index.ts";
import { type Outcome, roundTrip } from "../../long/foreign/roundTrip.ts";
import { ask } from "../../support/database.ts";

/** All schemas by `npm run test:corpus`, or some by their names; a sample of each run of the tests. */
const asked = process.env.PGSTRATA_FOREIGN;
const SAMPLE = ["scheduler"];
const CHANGES_OF_SAMPLE = 3;

const chosen = foreignSchemas.filter(
  ({ name }) => asked === "all" || (asked === undefined ? SAMPLE : asked.split(",")).includes(name),
);
const outcomes: Outcome[] = [];

afterAll(() => {
  if (asked !== undefined) console.log(asTable(outcomes));
});

for (const schema of chosen)
  test(`${schema.name}: is pulled, adopted, changed with its rows in place, changed back and destroyed`, {
    timeout: asked === undefined ? 120_000 : 1_800_000,
  }, async () => {
    const roles = schema.roles.map((role) => `drop role if exists ${role}; create role ${role};`);
    await ask(inject("serverUrl"), roles.join("\n"));
    try {
      const outcome = await roundTrip(schema, asked === undefined ? CHANGES_OF_SAMPLE : undefined);
      outcomes.push(outcome);
      if (asked !== undefined) console.log(asTable([outcome]), outcome.failures.join("\n\n"));
      expect(outcome.failures.join("\n\n")).toBe("");
      expect(outcome.rows, "rows").toBeGreaterThan(100);
      expect(outcome.statements, "statements").toBeGreaterThan(0);
    } finally {
      for (const role of schema.roles) await ask(inject("serverUrl"), `drop role if exists ${role}`);
    }
  });

function asTable(rows: readonly Outcome[]): string {
  return [
    "| schema | objects | rows | changes | statements | seconds |",
    "|---|---|---|---|---|---|",
    ...rows.map(
      ({ name, objects, rows, changes, statements, seconds }) =>
        `| ${name} | ${objects} | ${rows} | ${changes} | ${statements} | ${seconds.toFixed(0)} |`,
    ),
  ].join("\n");
}
