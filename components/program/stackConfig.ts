/**
 * Which settings a stack has, their defaults, and what is wrong with them: all faults at once, never a
 * secret. What a connection string may say is left to `registry/connectionString.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import * as z from "zod/mini";
import { ConnectionStringError, type DatabaseType, parseConnectionString } from "../registry/connectionString.ts";
import { GATE_SETTINGS } from "../release/gateSettings.ts";
import { type Fault, faultsOf } from "./errorCodes.ts";
import { boolean, json, text } from "./settingForms.ts";

/**
 * The settings of a stack after parsing. Each is set with `pulumi config set <key> <value>`; see `SETTINGS`
 * for what they mean.
 */
export interface StackConfig {
  /** Secret. Undefined on a stack that runs on the local database. */
  databaseUrl: pulumi.Output<string> | undefined;
  /** Undefined where a placeholder is to stand in. */
  mongodbConnectionString: pulumi.Output<string> | undefined;
  /** Undefined where a placeholder is to stand in. */
  redisConnectionString: pulumi.Output<string> | undefined;
  /**
   * Undefined for the provider's default. A URL may hold a password, so this is secret where it was set as
   * one.
   */
  shadow: pulumi.Output<string> | undefined;
  plain: PlainSettings;
}

export type PlainSettings = z.infer<typeof SETTINGS>;

const count = (least: number) =>
  z.pipe(
    z.string().check(z.regex(/^\d{1,9}$/, "expected a whole number")),
    z.pipe(z.transform(Number), z.number().check(z.minimum(least, `expected ${least} or more`))),
  );
const slug = z
  .string()
  .check(
    z.regex(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/, "expected lower-case letters, digits and hyphens, two or more characters"),
  );

/** Every setting that is not secret, with its default. */
const SETTINGS = z.object({
  /** Run on the embedded Postgres of this checkout where no databaseUrl is set. */
  localDatabase: z._default(boolean, false),
  /** Register generated placeholders where connection strings are not set. */
  allowPlaceholders: z._default(boolean, false),
  /**
   * Whether this stack makes the server's access roles; false where another stack on the same server does.
   */
  manageRoles: z._default(boolean, true),
  /** Roles that may decrypt connection strings. */
  decryptors: z._default(z.pipe(z.pipe(z.string(), json), z.array(text, "expected a list of role names")), []),
  /** Railway's environment, noted with each registration. */
  railwayEnvironment: z._default(text, "production"),
  /** Railway's region, noted with each registration. */
  railwayRegion: z.optional(text),
  /** Longest wait for one lock, in milliseconds. */
  lockTimeoutMs: z.optional(count(1)),
  /** How long a transaction that meets locks of others is run again, in milliseconds. */
  lockLimitMs: z.optional(count(0)),
  /** How often at most it is run again within that time. */
  lockRetries: z.optional(count(0)),
  /** Longest run of one statement that changes only the catalog, in milliseconds; 0 for no limit. */
  statementTimeoutMs: z.optional(count(0)),
  /**
   * Longest run of one statement that reads, checks, copies or indexes rows, in milliseconds; 0 for no limit.
   */
  longStatementTimeoutMs: z.optional(count(0)),
  /** Longest run of one question that a plan puts to the rows, in milliseconds; 0 to ask none. */
  rowQuestionTimeoutMs: z.optional(count(0)),
  ...GATE_SETTINGS,
  /** The backup before the first change of a run; see the argument of the provider, as for those below. */
  backup: z.optional(z.enum(["dump", "copy", "external", "off"], "expected dump, copy, external or off")),
  /** Where backups lie, from the project directory. */
  backupFolder: z.optional(text),
  /** How many backups are kept. */
  backupKeep: z.optional(count(1)),
  /** How a dump is proven. */
  backupProof: z.optional(z.enum(["auto", "restore", "list"], "expected auto, restore or list")),
  /** The largest database that is dumped, in MB. */
  backupSizeLimitMb: z.optional(count(0)),
  /** Longest run of a dump, and of its proof, in milliseconds; 0 for no limit. */
  backupTimeoutMs: z.optional(count(0)),
  /** Prints when the last backup by others was made. */
  backupCommand: z.optional(text),
  /** The oldest backup by others that counts, in hours. */
  backupMaxAgeHours: z.optional(count(1)),
  /**
   * Whether others may write rows during an update; false for one in a maintenance window, where each row
   * that is not accounted for fails the verification.
   */
  otherWriters: z._default(boolean, true),
  /** By how much a query may be slower after an update, in percent. */
  slowdownPercent: z._default(count(1), 10),
  /** For how many days what is dropped with its rows is kept; 0 to drop it at once. */
  keepDropped: z.optional(count(0)),
  /** The organization that owns the project; matched by slug. */
  organization: z.pipe(
    z.pipe(z._default(z.string(), "{}"), json),
    z.strictObject({ slug: z._default(slug, "lancio"), name: z._default(text, "Lancio") }),
  ),
  /** The project that the registrations hang on; matched by slug. */
  project: z.pipe(
    z.pipe(z._default(z.string(), "{}"), json),
    z.strictObject({
      slug: z._default(slug, "lancio-studio"),
      name: z._default(text, "Lancio Studio"),
      ref: z._default(slug, "lancio-studio"),
      databaseHost: z._default(text, "postgres.railway.internal"),
      databasePort: z._default(z.int().check(z.minimum(1), z.maximum(65535)), 5432),
      databaseName: z._default(text, "railway"),
      databaseUser: z._default(text, "postgres"),
      postgresMetaUrl: z._default(text, "http://postgres-meta.railway.internal:8080"),
      supabaseUrl: z._default(text, "http://kong.railway.internal:8000"),
    }),
  ),
});

/**
 * The secret settings: the kind of connection string, the form that is asked for, and the setting that allows
 * to go without.
 */
const SECRETS = {
  databaseUrl: { type: "postgresql", form: "postgresql://user:password@host:port/database", instead: "localDatabase" },
  mongodbConnectionString: { type: "mongodb", form: "mongodb://user:password@host:port", instead: "allowPlaceholders" },
  redisConnectionString: { type: "redis", form: "redis://user:password@host:port", instead: "allowPlaceholders" },
} as const;

/**
 * Secret where they are set at all: the shadow, where it is a URL, and the webhook that `npm run deploy`
 * tells how an update goes. The program has no use for the latter.
 */
const OTHER_SECRETS = ["shadow", "notifyUrl"] as const;

/**
 * Reads the configuration of the current stack.
 *
 * @param secretKeys full names of the settings that are stored encrypted; undefined where that is not known.
 * @throws RunError that names every fault and the command that fixes it; never a secret value.
 */
export function readStackConfig(
  config: pulumi.Config = new pulumi.Config(),
  secretKeys: string[] | undefined = storedSecrets(),
): StackConfig {
  const parsed = SETTINGS.safeParse(plainValues(config), { error: z.locales.en().localeError });
  const faults: Fault[] = [
    ...unknownSettings(config),
    ...(parsed.error?.issues ?? []).map((issue) => fault("PS612", issue.path.join("."), issue.message)),
    ...plainSecrets(config, secretKeys),
    ...missingSecrets(config),
    ...unreadableSecrets(config),
  ];
  if (!parsed.success || faults.length > 0) {
    throw new pulumi.RunError(faultsOf(`the configuration of stack "${pulumi.getStack()}"`, faults));
  }
  return {
    databaseUrl: config.getSecret("databaseUrl"),
    mongodbConnectionString: config.getSecret("mongodbConnectionString"),
    redisConnectionString: config.getSecret("redisConnectionString"),
    shadow: isUrl(config.get("shadow")) ? config.getSecret("shadow") : maybeOutput(config.get("shadow")),
    plain: parsed.data,
  };
}

const fault = (code: Fault["code"], key: string, found: string): Fault => ({ code, reason: `${key}: ${found}` });

function plainValues(config: pulumi.Config): Record<string, string> {
  const values = Object.keys(SETTINGS.shape).map((key) => [key, config.get(key)]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** A setting that nothing reads is most likely a misspelt one. */
function unknownSettings(config: pulumi.Config): Fault[] {
  const known = new Set([...Object.keys(SETTINGS.shape), ...Object.keys(SECRETS), ...OTHER_SECRETS]);
  return Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith(`${config.name}:`))
    .map((key) => key.slice(config.name.length + 1))
    .filter((key) => !known.has(key))
    .map((key) =>
      fault("PS613", key, `is not a setting; remove it: pulumi config rm ${key} --stack ${pulumi.getStack()}`),
    );
}

function plainSecrets(config: pulumi.Config, secretKeys: string[] | undefined): Fault[] {
  if (secretKeys === undefined) return [];
  return [...Object.keys(SECRETS), ...OTHER_SECRETS]
    .filter((key) => (key === "shadow" ? isUrl(config.get(key)) : config.get(key) !== undefined))
    .filter((key) => !secretKeys.includes(`${config.name}:${key}`))
    .map((key) =>
      fault("PS614", key, `is stored in plain text; change the password and set it again: ${setLine(key)}`),
    );
}

function missingSecrets(config: pulumi.Config): Fault[] {
  return Object.entries(SECRETS)
    .filter(([key, { instead }]) => config.get(key) === undefined && config.get(instead) !== "true")
    .map(([key, { form }]) => fault("PS611", key, `is not set; run  ${setLine(key)}  and enter ${form}`));
}

function unreadableSecrets(config: pulumi.Config): Fault[] {
  return Object.entries(SECRETS).flatMap(([key, { type, form }]) => {
    const value = config.get(key);
    const found = value === undefined ? undefined : connectionStringFault(value, type);
    if (found === undefined) return [];
    return [fault("PS615", key, `${found}; set it again: ${setLine(key)} (it has the form ${form})`)];
  });
}

/** What is wrong with a connection string; undefined where nothing is. */
function connectionStringFault(value: string, type: DatabaseType): string | undefined {
  try {
    const found = parseConnectionString(value).type;
    return found === type ? undefined : `it is a connection string of type "${found}"; expected one of type "${type}"`;
  } catch (error) {
    if (error instanceof ConnectionStringError) return error.message;
    throw error;
  }
}

/** The value is asked for at the prompt, so that it reaches no shell history. */
function setLine(key: string): string {
  return `pulumi config set --secret ${key} --stack ${pulumi.getStack()}`;
}

function isUrl(value: string | undefined): boolean {
  return value?.includes("://") ?? false;
}

function maybeOutput(value: string | undefined): pulumi.Output<string> | undefined {
  return value === undefined ? undefined : pulumi.output(value);
}

/** The language host tells the program which settings are encrypted. */
function storedSecrets(): string[] | undefined {
  const listed = process.env.PULUMI_CONFIG_SECRET_KEYS;
  if (!listed) return undefined;
  const keys = z.array(z.string()).safeParse(JSON.parse(listed));
  return keys.success ? keys.data : undefined;
}
