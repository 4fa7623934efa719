/**
 * Which settings a stack has, their defaults, and what is wrong with them: all faults at once, never a
 * secret. What a connection string may say is left to `provider/services/`.
 */
import * as pulumi from "@pulumi/pulumi";
import * as z from "zod/mini";
import { parseConnectionString } from "../../provider/services/connectionString.ts";
import { ConnectionStringError } from "../../provider/services/connectionStringError.ts";
import type { DatabaseType } from "../../provider/services/serviceTypes.ts";
import { GATE_SETTINGS } from "../release/gateSettings.ts";
import { type Fault, faultsOf } from "./errorCodes.ts";
import { boolean, json, text } from "./settingForms.ts";

/** The parts that a stack may be of. Each has a program below `programs/` and a database of its own. */
export const PARTS = ["platform", "audit"] as const;

export type Part = (typeof PARTS)[number];

/**
 * The settings of any stack after parsing. Each is set with `pulumi config set <key> <value>`; see
 * `SETTINGS` for what they mean.
 */
export interface TargetConfig<Plain = TargetSettings> {
  /** Secret. Undefined on a stack that runs on the local database. */
  databaseUrl: pulumi.Output<string> | undefined;
  /**
   * Undefined for the provider's default. A URL may hold a password, so this is secret where it was set as
   * one.
   */
  shadow: pulumi.Output<string> | undefined;
  plain: Plain;
}

/** The settings of a stack of the platform. */
export interface PlatformConfig extends TargetConfig<PlatformSettings> {
  /** Undefined where a placeholder is to stand in. */
  mongodbConnectionString: pulumi.Output<string> | undefined;
  /** Undefined where a placeholder is to stand in. */
  redisConnectionString: pulumi.Output<string> | undefined;
  /** Undefined where the connection string itself manages the users of the service. */
  mongodbAdminConnectionString: pulumi.Output<string> | undefined;
  /** Undefined where the connection string itself manages the users of the service. */
  redisAdminConnectionString: pulumi.Output<string> | undefined;
}

/** The settings of a stack of the audit trail. */
export type AuditConfig = TargetConfig<AuditSettings>;

export type TargetSettings = z.infer<typeof TARGET>;
export type PlatformSettings = z.infer<(typeof SETTINGS)["platform"]>;
export type AuditSettings = z.infer<(typeof SETTINGS)["audit"]>;

const count = (least: number) =>
  z.pipe(
    z.string().check(z.regex(/^\d{1,9}$/, "expected a whole number")),
    z.pipe(z.transform(Number), z.number().check(z.minimum(least, `expected ${least} or more`))),
  );
const duration = z
  .string()
  .check(z.regex(/^\d{1,6}[smhd]$/, "expected a whole number with its unit, such as 30d or 12h"));
const slug = z
  .string()
  .check(
    z.regex(/^[a-z0-9][a-z0-9-]*[a-z0-9]$/, "expected lower-case letters, digits and hyphens, two or more characters"),
  );

/** The part that a stack is of. */
const part = z._default(z.enum(PARTS, `expected ${PARTS.join(" or ")}`), "platform");

/** Every setting of any stack that is not secret, with its default. */
const TARGET = z.object({
  part,
  /** Run on the embedded Postgres of this checkout where no databaseUrl is set. */
  localDatabase: z._default(boolean, false),
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
  /**
   * How old the salt of the registry's encryption may become, such as 90d; from then on the gate asks for
   * `npm run rotate -- salt` in each preview and update.
   */
  saltRotateEvery: z.optional(z.string().check(z.regex(/^[1-9]\d{0,3}d$/, "expected a number of days such as 90d"))),
  /** For how many days what is dropped with its rows is kept; 0 to drop it at once. */
  keepDropped: z.optional(count(0)),
});

/** The same of a stack of each part. */
const SETTINGS = {
  platform: z.extend(TARGET, {
    /** Let no destroy take the tables of the platform: its preview is refused. */
    protect: z.optional(boolean),
    /** Register generated placeholders where connection strings are not set. */
    allowPlaceholders: z._default(boolean, false),
    /**
     * Whether this stack makes the server's access roles; false where another stack on the same server does.
     */
    manageRoles: z._default(boolean, true),
    /** Which row-level policies hold: those that let every row through, or those that isolate tenants. */
    rls: z._default(z.enum(["permissive", "restrictive"], "expected permissive or restrictive"), "permissive"),
    /** Roles that may decrypt connection strings. */
    decryptors: z._default(z.pipe(z.pipe(z.string(), json), z.array(text, "expected a list of role names")), []),
    /** Railway's environment, noted with each registration. */
    railwayEnvironment: z._default(text, "production"),
    /** Railway's region, noted with each registration. */
    railwayRegion: z.optional(text),
    /** Whether services are probed before they are registered. */
    probe: z.optional(z.enum(["require", "warn", "off"], "expected require, warn or off")),
    /** How old the credentials of the services may become, such as `30d`. */
    rotateEvery: z.optional(duration),
    /** How long a credential before stays valid beside the new one. */
    rotationGrace: z.optional(duration),
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
  }),
  audit: z.extend(TARGET, {
    /** Lets a destroy drop the tables and columns of the audit trail with their rows. */
    forceDestroy: z._default(boolean, false),
  }),
};

/**
 * The secret settings: the kind of connection string, the form that is asked for, and the setting that allows
 * to go without.
 */
const DATABASE_URL = {
  databaseUrl: { type: "postgresql", form: "postgresql://user:password@host:port/database", instead: "localDatabase" },
} as const;
const SECRETS: Record<Part, Record<string, SecretSetting>> = {
  platform: {
    ...DATABASE_URL,
    mongodbConnectionString: {
      type: "mongodb",
      form: "mongodb://user:password@host:port",
      instead: "allowPlaceholders",
    },
    redisConnectionString: { type: "redis", form: "redis://user:password@host:port", instead: "allowPlaceholders" },
    mongodbAdminConnectionString: { type: "mongodb", form: "mongodb://user:password@host:port" },
    redisAdminConnectionString: { type: "redis", form: "redis://user:password@host:port" },
  },
  audit: DATABASE_URL,
};

interface SecretSetting {
  type: DatabaseType;
  form: string;
  /** Undefined where none is needed. */
  instead?: string;
}

/**
 * Secret where they are set at all: the shadow, where it is a URL, and the webhook that `npm run deploy`
 * tells how an update goes. The program has no use for the latter.
 */
const OTHER_SECRETS = ["shadow", "notifyUrl"] as const;

/** The part that the current stack is of; a value that is none is a fault that the part's reader names. */
export function readPart(config: pulumi.Config = new pulumi.Config()): Part {
  return part.safeParse(config.get("part")).data ?? "platform";
}

/**
 * Reads the configuration of the current stack, which is one of the platform.
 *
 * @param secretKeys full names of the settings that are stored encrypted; undefined where that is not known.
 * @throws RunError that names every fault and the command that fixes it; never a secret value.
 */
export function readPlatformConfig(
  config: pulumi.Config = new pulumi.Config(),
  secretKeys: string[] | undefined = storedSecrets(),
): PlatformConfig {
  const parsed = SETTINGS.platform.safeParse(plainValues(config, "platform"), ERRORS);
  return {
    ...settled("platform", parsed, config, secretKeys),
    mongodbConnectionString: config.getSecret("mongodbConnectionString"),
    redisConnectionString: config.getSecret("redisConnectionString"),
    mongodbAdminConnectionString: config.getSecret("mongodbAdminConnectionString"),
    redisAdminConnectionString: config.getSecret("redisAdminConnectionString"),
  };
}

/** The same of a stack of the audit trail. */
export function readAuditConfig(
  config: pulumi.Config = new pulumi.Config(),
  secretKeys: string[] | undefined = storedSecrets(),
): AuditConfig {
  return settled("audit", SETTINGS.audit.safeParse(plainValues(config, "audit"), ERRORS), config, secretKeys);
}

const ERRORS = { error: z.locales.en().localeError };

function settled<Plain>(
  part: Part,
  parsed: z.core.util.SafeParseResult<Plain>,
  config: pulumi.Config,
  secretKeys: string[] | undefined,
): TargetConfig<Plain> {
  const faults: Fault[] = [
    ...unknownSettings(config, part),
    ...(parsed.error?.issues ?? []).map((issue) => fault("PS612", issue.path.join("."), issue.message)),
    ...plainSecrets(config, part, secretKeys),
    ...missingSecrets(config, part),
    ...unreadableSecrets(config, part),
  ];
  if (!parsed.success || faults.length > 0) {
    throw new pulumi.RunError(faultsOf(`the configuration of stack "${pulumi.getStack()}"`, faults));
  }
  return {
    databaseUrl: config.getSecret("databaseUrl"),
    shadow: isUrl(config.get("shadow")) ? config.getSecret("shadow") : maybeOutput(config.get("shadow")),
    plain: parsed.data,
  };
}

const fault = (code: Fault["code"], key: string, found: string): Fault => ({ code, reason: `${key}: ${found}` });

function plainValues(config: pulumi.Config, part: Part): Record<string, string> {
  const values = Object.keys(SETTINGS[part].shape).map((key) => [key, config.get(key)]);
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

/** A setting that nothing reads is most likely a misspelt one, or meant for a stack of another part. */
function unknownSettings(config: pulumi.Config, part: Part): Fault[] {
  const known = new Set(settingsOf(part));
  return Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith(`${config.name}:`))
    .map((key) => key.slice(config.name.length + 1))
    .filter((key) => !known.has(key))
    .map((key) => {
      const other = PARTS.find((each) => settingsOf(each).includes(key));
      const found =
        other === undefined ? "is not a setting" : `is a setting of the part ${other}, and this one is ${part}`;
      return fault("PS613", key, `${found}; remove it: pulumi config rm ${key} --stack ${pulumi.getStack()}`);
    });
}

const settingsOf = (part: Part): string[] => [
  ...Object.keys(SETTINGS[part].shape),
  ...Object.keys(SECRETS[part]),
  ...OTHER_SECRETS,
];

function plainSecrets(config: pulumi.Config, part: Part, secretKeys: string[] | undefined): Fault[] {
  if (secretKeys === undefined) return [];
  return [...Object.keys(SECRETS[part]), ...OTHER_SECRETS]
    .filter((key) => (key === "shadow" ? isUrl(config.get(key)) : config.get(key) !== undefined))
    .filter((key) => !secretKeys.includes(`${config.name}:${key}`))
    .map((key) =>
      fault("PS614", key, `is stored in plain text; change the password and set it again: ${setLine(key)}`),
    );
}

function missingSecrets(config: pulumi.Config, part: Part): Fault[] {
  return Object.entries(SECRETS[part])
    .filter(
      ([key, { instead }]) => instead !== undefined && config.get(key) === undefined && config.get(instead) !== "true",
    )
    .map(([key, { form }]) => fault("PS611", key, `is not set; run  ${setLine(key)}  and enter ${form}`));
}

function unreadableSecrets(config: pulumi.Config, part: Part): Fault[] {
  return Object.entries(SECRETS[part]).flatMap(([key, { type, form }]) => {
    const value = config.get(key);
    const found = value === undefined ? undefined : connectionStringFault(value, type);
    if (found === undefined) return [];
    return [fault("PS615", key, `${found}; set it again: ${setLine(key)} (it has the form ${form})`)];
  });
}

/** What is wrong with a connection string; undefined where nothing is. */
function connectionStringFault(value: string, type: DatabaseType): string | undefined {
  try {
    const found = parseConnectionString(value, type).type;
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
