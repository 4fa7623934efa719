/**
 * How property values are written on the wire, with secrets, outputs and unknowns. When two are equal is left
 * to `core/values.ts`.
 */
import type { JavaScriptValue, Struct as WireStruct } from "google-protobuf/google/protobuf/struct_pb.js";
import structs from "google-protobuf/google/protobuf/struct_pb.js";
import { UserError } from "../core/errors.ts";
import { type Properties, UNKNOWN, type Value } from "../core/resourceType.ts";
import { isObject } from "../core/values.ts";

/** The key that marks an object on the wire as something else than a plain object, and the marks. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7";

const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
/** The engine writes a value that is not known yet as one of these strings, by its type. */
const UNKNOWNS = new Set([
  UNKNOWN_STRING,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

/**
 * Properties of a protocol message. Secrets and output values are unwrapped; `onSecret` sees each string
 * within one. Throws a `UserError` for assets and archives, which no property of this provider takes.
 */
export function decodeStruct(struct: WireStruct | undefined, onSecret?: (text: string) => void): Properties {
  const decoded: Properties = {};
  for (const [key, value] of Object.entries(struct?.toJavaScript() ?? {})) {
    decoded[key] = decodeValue(value, key, onSecret, false);
  }
  return decoded;
}

export function encodeStruct(properties: Properties): WireStruct {
  const encoded: Record<string, JavaScriptValue> = {};
  for (const [key, value] of Object.entries(properties)) encoded[key] = encodeValue(value);
  return structs.Struct.fromJavaScript(encoded);
}

function decodeValue(
  value: JavaScriptValue,
  path: string,
  onSecret: ((text: string) => void) | undefined,
  secret: boolean,
): Value {
  if (typeof value === "string") {
    if (UNKNOWNS.has(value)) return UNKNOWN;
    if (secret) onSecret?.(value);
    return value;
  }
  if (Array.isArray(value)) {
    return value.map((item, index) => decodeValue(item, `${path}[${index}]`, onSecret, secret));
  }
  if (value === null || typeof value !== "object") return value;
  const fields = new Map<string, JavaScriptValue>(Object.entries(value));
  const mark = fields.get(SIGNATURE);
  const inner = fields.get("value");
  if (mark === SECRET) return decodeValue(inner ?? null, path, onSecret, true);
  if (mark === OUTPUT) {
    return inner === undefined ? UNKNOWN : decodeValue(inner, path, onSecret, secret || fields.get("secret") === true);
  }
  if (mark === RESOURCE) return decodeValue(fields.get("id") ?? fields.get("urn") ?? null, path, onSecret, secret);
  if (mark === ASSET || mark === ARCHIVE) {
    throw new UserError(
      "PS601",
      `${path}: found an asset or archive, expected a plain value; give the text or a file name instead`,
    );
  }
  if (mark !== undefined) throw new UserError("PS603", `${path}: found a value of a kind that pgstrata does not know`);
  const decoded: Properties = {};
  for (const [key, item] of fields) decoded[key] = decodeValue(item, `${path}.${key}`, onSecret, secret);
  return decoded;
}

function encodeValue(value: Value): JavaScriptValue {
  if (value === UNKNOWN) return UNKNOWN_STRING;
  if (Array.isArray(value)) return value.map(encodeValue);
  if (!isObject(value)) return value;
  const encoded: Record<string, JavaScriptValue> = {};
  for (const [key, item] of Object.entries(value)) encoded[key] = encodeValue(item);
  return encoded;
}
