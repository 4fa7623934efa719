/**
 * What an exported state says of the databases that a stack manages. What it means for drift is left to the
 * provider.
 */
import { z } from "zod";
import { UserError } from "../../provider/core/errors.ts";
import type { Properties } from "../../provider/core/resourceType.ts";
import type { KnownState } from "../../provider/resources/driftReport.ts";
import type { VerifiedDatabase } from "../../provider/resources/verifyStack.ts";

/** Marks a secret in an exported state. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const secret = z.object({ [SIGNATURE]: z.string(), plaintext: z.string() });

const properties = z.record(z.string(), z.json()).default({});
const exportedProvider = z.looseObject({ type: z.literal("pulumi:providers:pgstrata"), inputs: properties });
const exported = z.object({
  deployment: z.object({
    resources: z
      .array(
        z.object({
          urn: z.string(),
          type: z.string(),
          id: z.string().default(""),
          delete: z.boolean().default(false),
          provider: z.string().default(""),
          inputs: properties,
          outputs: properties,
        }),
      )
      .default([]),
  }),
});

/**
 * What a stack's state says of the databases that it manages, one entry a database.
 *
 * @param text of `pulumi stack export --show-secrets`.
 * @throws {UserError} when it is none.
 */
export function parseStackState(text: string): KnownState[] {
  return databasesIn(text)
    .map(({ provider, states }) => ({
      provider,
      layers: states("pgstrata:index:Layer"),
      rows: states("pgstrata:index:Row"),
      sets: states("pgstrata:index:Rows"),
    }))
    .filter(({ layers, rows, sets }) => layers.length + rows.length + sets.length > 0);
}

/** The verifications of a stack, each with its database. See {@link parseStackState}. */
export function parseVerifications(text: string): VerifiedDatabase[] {
  return databasesIn(text).flatMap(({ provider, states }) =>
    states("pgstrata:index:Verification").map(({ inputs }) => ({ provider, verification: inputs })),
  );
}

/** URLs of the databases that a stack registers services in. Secret. See {@link parseStackState}. */
export function parseRegistries(text: string): string[] {
  return databasesIn(text).flatMap(({ provider: { url }, states }) =>
    typeof url === "string" && states("pgstrata:index:Row").some(({ inputs }) => inputs.table === "platform.databases")
      ? [url]
      : [],
  );
}

/** A database of a stack, with the schemas that its verification lints. */
export interface LintedDatabase {
  /** The inputs of the provider, the URL among them. */
  provider: Properties;
  schemas: string[];
}

/** The databases of a stack. See {@link parseStackState}. */
export function parseLinted(text: string): LintedDatabase[] {
  return databasesIn(text).map(({ provider, states }) => ({
    provider,
    schemas: states("pgstrata:index:Verification").flatMap(({ inputs: { lintSchemas } }) =>
      Array.isArray(lintSchemas) ? lintSchemas.filter((schema) => typeof schema === "string") : [],
    ),
  }));
}

function databasesIn(text: string) {
  const resources = parseResources(text);
  return resources
    .filter(({ type }) => type === "pulumi:providers:pgstrata")
    .map((provider) => {
      // A resource names its provider by URN and id.
      const own = resources.filter((resource) => resource.provider === `${provider.urn}::${provider.id}`);
      const states = (type: string) =>
        own
          .filter((resource) => resource.type === type)
          .map(({ id, inputs, outputs }) => ({ id, inputs: plain(inputs), outputs: plain(outputs) }));
      return { provider: plain(provider.inputs), states };
    });
}

/**
 * Inputs of the providers of a stack, whether they manage something or not.
 *
 * @param text of `pulumi stack export`; without `--show-secrets`, secrets are not as a provider knows them.
 * @throws {UserError} when it is none.
 */
export function parseProviders(text: string): Properties[] {
  return parseResources(text)
    .filter(({ type }) => type === "pulumi:providers:pgstrata")
    .map(({ inputs }) => plain(inputs));
}

/** The state with another URL for the providers that have this one. */
export function replaceUrl(text: string, old: string, url: string): string {
  return JSON.stringify(JSON.parse(text), (_, value: unknown) => {
    const resource = exportedProvider.safeParse(value);
    if (!resource.success || plain(resource.data.inputs).url !== old) return value;
    return { ...resource.data, inputs: { ...resource.data.inputs, url } };
  });
}

function parseResources(text: string) {
  const parsed = exported.safeParse(JSON.parse(text));
  if (!parsed.success) {
    throw new UserError(
      "PS603",
      "`pulumi stack export` gave a state of a form that this version of pgstrata does not know.",
    );
  }
  return parsed.data.deployment.resources.filter((resource) => !resource.delete);
}

/** One resource of a state, with its secrets in plain text. */
export interface StateResource {
  urn: string;
  type: string;
  /** The last part of its URN. */
  name: string;
  /** URN and id of its provider. */
  provider: string;
  inputs: Properties;
  outputs: Properties;
}

/** All resources of a stack. See {@link parseStackState}. */
export function stateResources(text: string): StateResource[] {
  return parseResources(text).map(({ urn, type, id, provider, inputs, outputs }) => ({
    urn,
    type,
    name: urn.split("::").at(-1) ?? "",
    provider: type.startsWith("pulumi:providers:") ? `${urn}::${id}` : provider,
    inputs: plain(inputs),
    outputs: plain(outputs),
  }));
}

function plain(values: z.output<typeof properties>): Properties {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, unwrapped(value)]));
}

function unwrapped(value: z.core.util.JSONType): Properties[string] {
  if (Array.isArray(value)) return value.map(unwrapped);
  if (typeof value !== "object" || value === null) return value;
  const wrapped = secret.safeParse(value);
  return wrapped.success ? unwrapped(JSON.parse(wrapped.data.plaintext)) : plain(value);
}
