/** How a property is described before it is written as Pulumi's package schema. */

/** A type in Pulumi's package schema. */
export type SchemaType =
  | { type: "string" | "integer" | "number" | "boolean" }
  | { type: "array"; items: SchemaType }
  | { type: "object"; additionalProperties: SchemaType }
  | { $ref: string };

/** One property of a resource or of the provider, described once for schema, SDKs and documents. */
export interface PropertySpec {
  type: SchemaType;
  /** Meaning, unit, default, and what a later change of it does. Markdown. */
  description: string;
  /** Outputs exist only after an update. Default `input`. */
  role?: "input" | "output";
  required?: boolean;
  secret?: boolean;
  /** A change of it replaces the resource. */
  replaces?: boolean;
  default?: string | number | boolean;
}

export interface ResourceSpec {
  /** Markdown; the first sentence stands alone. */
  description: string;
  properties: Record<string, PropertySpec>;
}

export const text: SchemaType = { type: "string" };
export const flag: SchemaType = { type: "boolean" };
export const whole: SchemaType = { type: "integer" };
export const number: SchemaType = { type: "number" };
export const texts: SchemaType = { type: "array", items: text };
/** Any JSON value by name. */
export const anyMap: SchemaType = { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } };
export const textMap: SchemaType = { type: "object", additionalProperties: text };
/** Objects of any JSON value by name. */
export const anyMaps: SchemaType = { type: "array", items: anyMap };
export const numberMap: SchemaType = { type: "object", additionalProperties: number };
export const textMaps: SchemaType = { type: "array", items: textMap };
