import { describe, expect, it } from "vitest";
import { parseGateInputs } from "../../../provider/resources/gate/inputs.ts";
import { resourceTypes } from "../../../provider/resources/index.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { parseRowInputs } from "../../../provider/resources/row/inputs.ts";
import { parseRowsInputs } from "../../../provider/resources/rows/inputs.ts";
import { parseVerificationInputs } from "../../../provider/resources/verification/inputs.ts";
import { gate } from "../../../provider/schema/gate.ts";
import { packageSchema } from "../../../provider/schema/packageSchema.ts";
import { provider } from "../../../provider/schema/provider.ts";
import { row } from "../../../provider/schema/row.ts";
import { rows } from "../../../provider/schema/rows.ts";
import { verification } from "../../../provider/schema/verification.ts";

describe("the package schema", () => {
  const schema = JSON.stringify(packageSchema());

  it("refers only to types that it has", () => {
    const types = Object.keys(packageSchema().types);
    const references = [...schema.matchAll(/"\$ref":"#\/types\/([^"]+)"/g)].map(([, name]) => name);
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect(types).toContain(reference);
  });

  it("describes every resource that the provider has, and every property with a sentence", () => {
    expect(Object.keys(packageSchema().resources).sort()).toEqual(Object.keys(resourceTypes).sort());
    for (const spec of [gate, row, rows, verification, provider]) {
      for (const { description } of Object.values(spec.properties)) expect(description).toMatch(/^[A-Z].*\.$/s);
    }
  });

  it.each([
    ["a row takes", row, parseRowInputs],
    ["a set of rows takes", rows, parseRowsInputs],
    ["a verification takes", verification, parseVerificationInputs],
  ])("names the inputs that %s, and no others", (_what, { properties }, parse) => {
    const names = Object.entries(properties).flatMap(([name, { role }]) => (role === "output" ? [] : [name]));
    const { failures } = parse(Object.fromEntries([...names, "nope"].map((name) => [name, null])));
    const unknown = failures.filter(({ reason }) => reason.startsWith("unknown property"));
    expect(unknown).toEqual([
      { code: "PS601", property: "nope", reason: `unknown property; expected one of ${names.join(", ")}` },
    ]);
  });

  it("names the inputs that a gate takes, and no others", () => {
    const names = Object.entries(gate.properties).flatMap(([name, { role }]) => (role === "output" ? [] : [name]));
    const parsed = parseGateInputs(Object.fromEntries([...names.map((name) => [name, null]), ["nope", 1]]), false);
    expect("failures" in parsed && parsed.failures).toEqual([
      { code: "PS601", property: "nope", reason: `unknown property; expected one of ${names.join(", ")}` },
    ]);
  });

  it("names the configuration that the provider takes, with its defaults", () => {
    const url = "postgresql://u:p@h/d";
    const { failures, config } = parseConfig({ url, nope: 1 });
    expect(failures).toEqual([
      {
        code: "PS601",
        property: "nope",
        reason: `unknown property; expected one of ${Object.keys(provider.properties).join(", ")}`,
      },
    ]);
    const said = Object.entries(provider.properties).flatMap(([name, { default: value }]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    expect(said.length).toBeGreaterThan(10);
    expect(parseConfig({ url, ...Object.fromEntries(said) })).toEqual({ failures: [], config });
  });

  it("marks what is secret", () => {
    expect(packageSchema()).toMatchObject({
      resources: { "pgstrata:index:Row": { properties: { secretValues: { secret: true } } } },
      provider: { inputProperties: { url: { secret: true } } },
    });
  });
});
