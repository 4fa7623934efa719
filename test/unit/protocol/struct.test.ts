import fc from "fast-check";
import structs, { type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, it } from "vitest";
import { type Properties, UNKNOWN, type Value } from "../../../provider/core/resourceType.ts";
import { containsUnknown, equalValues, propertyPath } from "../../../provider/core/values.ts";
import { decodeStruct, encodeStruct } from "../../../provider/protocol/struct.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

function decode(value: JavaScriptValue, onSecret?: (text: string) => void): Value {
  return decodeStruct(structs.Struct.fromJavaScript({ value }), onSecret).value ?? null;
}

const { properties } = fc.letrec<{ value: Value; properties: Properties }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string(),
    fc.constant(UNKNOWN),
    fc.array(tie("value"), { maxLength: 3 }),
    tie("properties"),
  ),
  properties: fc.dictionary(
    fc.string().filter((key) => key !== SIGNATURE && key !== "__proto__"),
    tie("value"),
    {
      maxKeys: 4,
      noNullPrototype: true,
    },
  ),
}));

describe("protocol values", () => {
  it("come back as they were", () => {
    fc.assert(
      fc.property(properties, (value) => {
        expect(decodeStruct(encodeStruct(value))).toEqual(value);
      }),
    );
  });

  it("are unwrapped from secrets, and each string within is told", () => {
    const told: string[] = [];
    const value = { a: { [SIGNATURE]: SECRET, value: { b: ["s1", 2, { c: "s2" }] } }, d: "plain" };
    expect(decode(value, (text) => told.push(text))).toEqual({ a: { b: ["s1", 2, { c: "s2" }] }, d: "plain" });
    expect(told).toEqual(["s1", "s2"]);
  });

  it("are unwrapped from outputs and resource references, and unknown without a value", () => {
    const told: string[] = [];
    expect(decode({ [SIGNATURE]: OUTPUT, secret: true, value: "x" }, (text) => told.push(text))).toBe("x");
    expect(told).toEqual(["x"]);
    expect(decode({ [SIGNATURE]: OUTPUT })).toBe(UNKNOWN);
    expect(decode({ [SIGNATURE]: RESOURCE, urn: "urn:x", id: "the id" })).toBe("the id");
  });

  it.each(["04da6b54-80e4-46f7-96ec-b56ff0331ba9", "3eeb2bf0-c639-47a8-9e75-3b44932eb421"])(
    "are unknown when the engine writes %s",
    (text) => expect(decode([text])).toEqual([UNKNOWN]),
  );

  it("are refused with their path when they are assets or of a kind that nobody knows", () => {
    expect(() => decode({ files: [{ [SIGNATURE]: ASSET }] })).toThrow("value.files[0]: found an asset or archive");
    expect(() => decode({ [SIGNATURE]: "something" })).toThrow("value: found a value of a kind");
  });
});

describe("values", () => {
  it("are equal by content, but never when unknown", () => {
    expect(equalValues({ a: [1, { b: null }] }, { a: [1, { b: null }] })).toBe(true);
    expect(equalValues({ a: 1 }, { b: 1 })).toBe(false);
    expect(equalValues([1, 2], [2, 1])).toBe(false);
    expect(equalValues({}, [])).toBe(false);
    expect(equalValues(UNKNOWN, UNKNOWN)).toBe(false);
    expect(containsUnknown({ a: [{ b: UNKNOWN }] })).toBe(true);
    expect(containsUnknown({ a: [{ b: "" }] })).toBe(false);
  });

  it("have paths as Pulumi writes them", () => {
    expect(propertyPath("values", "name", "odd name", 'a"b')).toBe('values.name["odd name"]["a\\"b"]');
  });
});
