/** Which inputs a verification takes, and what is wrong with them. Files of checks are read elsewhere. */
import { InputError } from "../../core/errors.ts";
import { type CheckFailure, type Properties, UNKNOWN, type Value } from "../../core/resourceType.ts";
import { isObject, kindOf, propertyPath } from "../../core/values.ts";

/** The inputs of a verification after parsing. */
export interface VerificationInputs {
  checks: string[];
  /** Whose catalog is linted; none: no lints. */
  lintSchemas: string[];
  /** What is desired, as the program tells it apart; undefined where it does not. */
  desired: string | undefined;
  otherWriters: boolean;
  slowdownPercent: number;
  /** The limit of a run that changes a layer, by the layer's name. */
  layerSlowdownPercent: Map<string, number>;
}

export const PROPERTIES = [
  "checks",
  "lintSchemas",
  "desired",
  "otherWriters",
  "slowdownPercent",
  "layerSlowdownPercent",
] as const;
type PropertyName = (typeof PROPERTIES)[number];

const DEFAULT_SLOWDOWN_PERCENT = 10;

/** Parses the inputs and finds all faults at once. What is not known yet has its default. */
export function parseVerificationInputs(properties: Properties): {
  inputs: VerificationInputs;
  failures: CheckFailure[];
} {
  const failures: CheckFailure[] = [];
  const fail = (property: string, reason: string): void => void failures.push({ code: "PS601", property, reason });
  for (const name of Object.keys(properties)) {
    if (!PROPERTIES.some((known) => known === name))
      fail(name, `unknown property; expected one of ${PROPERTIES.join(", ")}`);
  }
  const read = <T extends Value>(
    name: PropertyName,
    expected: string,
    is: (value: Value) => value is T,
  ): T | undefined => {
    const value = properties[name];
    if (value === undefined || value === null || value === UNKNOWN) return undefined;
    if (is(value)) return value;
    fail(name, `found ${kindOf(value)}, expected ${expected}`);
    return undefined;
  };
  const isText = (value: Value): value is string => typeof value === "string";
  const isFlag = (value: Value): value is boolean => typeof value === "boolean";
  const isPercent = (value: Value): value is number => typeof value === "number" && value > 0 && value <= 1000;
  const isTexts = (value: Value): value is string[] => Array.isArray(value) && value.every(isText);
  const checks = read("checks", "a list of files or folders", isTexts) ?? [];
  const isLeftOut = properties.checks === undefined || properties.checks === null;
  if (checks.length === 0 && (isLeftOut || Array.isArray(properties.checks)))
    fail("checks", 'found none, expected at least one file or folder of checks, such as ["sql/checks/verify"]');
  const layers = new Map<string, number>();
  for (const [layer, percent] of Object.entries(read("layerSlowdownPercent", "an object", isObject) ?? {})) {
    if (isPercent(percent)) layers.set(layer, percent);
    else fail(propertyPath("layerSlowdownPercent", layer), PERCENT);
  }
  const inputs = {
    checks,
    lintSchemas: read("lintSchemas", "a list of schemas", isTexts) ?? [],
    desired: read("desired", "a string", isText),
    otherWriters: read("otherWriters", "a boolean", isFlag) ?? true,
    slowdownPercent: read("slowdownPercent", PERCENT, isPercent) ?? DEFAULT_SLOWDOWN_PERCENT,
    layerSlowdownPercent: layers,
  };
  return { inputs, failures };
}

const PERCENT = "a number above 0 and at most 1000";

/** The inputs of a resource that Check has seen. Throws a `UserError` with all faults otherwise. */
export function checkedVerificationInputs(properties: Properties): VerificationInputs {
  const { inputs, failures } = parseVerificationInputs(properties);
  if (failures.length === 0) return inputs;
  throw new InputError(failures);
}
