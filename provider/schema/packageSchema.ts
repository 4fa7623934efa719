/**
 * The whole package schema, from which SDKs for other languages are generated. The resources' properties are
 * in the files beside it.
 */
import { backup } from "./backup.ts";
import { credential } from "./credential.ts";
import { gate } from "./gate.ts";
import { layer, layerTypes } from "./layer.ts";
import { probe } from "./probe.ts";
import type { PropertySpec, ResourceSpec } from "./property.ts";
import { provider } from "./provider.ts";
import { row } from "./row.ts";
import { rows } from "./rows.ts";
import { verification } from "./verification.ts";
import { VERSION } from "./version.ts";

const RESOURCES: Record<string, ResourceSpec> = {
  Gate: gate,
  Layer: layer,
  Row: row,
  Rows: rows,
  Backup: backup,
  Verification: verification,
  Probe: probe,
  Credential: credential,
};

/** A JSON object of Pulumi's package schema. */
interface SchemaObject {
  [key: string]: unknown;
}

/** The package as Pulumi describes packages; SDKs for other languages are generated from it. */
export function packageSchema() {
  return {
    name: "pgstrata",
    displayName: "pgstrata",
    version: VERSION,
    description: "Desired-state Postgres in layers, as one Pulumi program",
    keywords: ["postgres", "postgresql", "database", "schema", "row level security"],
    license: "MIT",
    config: { variables: properties(provider, "input"), required: [] },
    types: Object.fromEntries(
      Object.entries(layerTypes).map(([name, spec]) => [
        token(name),
        {
          type: "object",
          description: spec.description,
          properties: properties(spec, "input"),
          required: required(spec),
        },
      ]),
    ),
    provider: {
      description: provider.description,
      properties: {},
      inputProperties: properties(provider, "input"),
      requiredInputs: required(provider),
    },
    resources: Object.fromEntries(Object.entries(RESOURCES).map(([name, spec]) => [token(name), resource(spec)])),
  };
}

function token(name: string): string {
  return `pgstrata:index:${name}`;
}

function resource(spec: ResourceSpec): SchemaObject {
  const outputs = Object.entries(spec.properties).filter(([, { role }]) => role === "output");
  return {
    description: spec.description,
    // What goes in comes out again.
    properties: { ...properties(spec, "input"), ...properties(spec, "output") },
    required: [...required(spec), ...outputs.map(([name]) => name)],
    inputProperties: properties(spec, "input"),
    requiredInputs: required(spec),
  };
}

function properties(spec: ResourceSpec, role: "input" | "output"): SchemaObject {
  const chosen = Object.entries(spec.properties).filter(([, property]) => (property.role ?? "input") === role);
  return Object.fromEntries(chosen.map(([name, property]) => [name, describe(property)]));
}

function describe({ type, description, secret, replaces, default: value }: PropertySpec): SchemaObject {
  return {
    ...type,
    description,
    ...(secret ? { secret } : {}),
    ...(replaces ? { willReplaceOnChanges: true } : {}),
    ...(value === undefined ? {} : { default: value }),
  };
}

function required(spec: ResourceSpec): string[] {
  return Object.entries(spec.properties).flatMap(([name, property]) => (property.required ? [name] : []));
}
