/**
 * When two property values are equal, which are unknown, and how a path to one is written. The form on the
 * wire is left to `protocol/struct.ts`.
 */
import { type Properties, UNKNOWN, type Value } from "./resourceType.ts";

/** True when the value, or any part of it, is not known yet. */
export function containsUnknown(value: Value): boolean {
  if (value === UNKNOWN) return true;
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isObject(value) && Object.values(value).some(containsUnknown);
}

export function isObject(value: Value | undefined): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What a value is, for a message that must not hold the value itself. */
export function kindOf(value: Value): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** Deep equality. Two unknown values are not equal: it cannot be told. */
export function equalValues(left: Value, right: Value): boolean {
  if (left === UNKNOWN || right === UNKNOWN) return false;
  if (Array.isArray(left) && Array.isArray(right)) {
    return left.length === right.length && left.every((item, index) => equalValues(item, right[index] ?? null));
  }
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    if (keys.length !== Object.keys(right).length) return false;
    return keys.every((key) => Object.hasOwn(right, key) && equalValues(left[key] ?? null, right[key] ?? null));
  }
  return left === right;
}

/** A path as Pulumi writes it: `values.name`, or `values["odd name"]` where the name is not a plain word. */
export function propertyPath(first: string, ...rest: string[]): string {
  return rest.reduce(
    (path, name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? `${path}.${name}` : `${path}["${name.replaceAll('"', '\\"')}"]`),
    first,
  );
}
