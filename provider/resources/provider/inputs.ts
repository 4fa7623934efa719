/**
 * Which settings the provider takes, their defaults and limits, and all faults at once. What a URL may say is
 * left to `database/connectionUrl.ts`.
 */
import { BACKUP_MODES, BACKUP_PROOFS, type ProviderConfig, type ShadowMode } from "../../core/config.ts";
import { type CheckFailure, type Properties, UNKNOWN, type Value } from "../../core/resourceType.ts";
import { connectionUrlFault, URL_SHAPE } from "../../database/connectionUrl.ts";

const DEFAULTS = {
  lockTimeoutMs: 3000,
  lockLimitMs: 120_000,
  lockRetries: 200,
  statementTimeoutMs: 5000,
  longStatementTimeoutMs: 0,
  rowQuestionTimeoutMs: 2000,
  backupKeep: 10,
  backupSizeLimitMb: 5120,
  backupTimeoutMs: 3_600_000,
  backupMaxAgeHours: 24,
  keepDroppedDays: 0,
} as const;
const LARGEST = {
  lockTimeoutMs: 3_600_000,
  lockLimitMs: 86_400_000,
  lockRetries: 10_000,
  statementTimeoutMs: 86_400_000,
  longStatementTimeoutMs: 604_800_000,
  rowQuestionTimeoutMs: 3_600_000,
  backupKeep: 10_000,
  backupSizeLimitMb: 1_000_000_000,
  backupTimeoutMs: 604_800_000,
  backupMaxAgeHours: 8760,
  keepDroppedDays: 3650,
} as const;
const LEAST: Partial<Record<keyof typeof DEFAULTS, number>> = { backupKeep: 1, backupMaxAgeHours: 1 };
const SHADOW_MODES = ["auto", "embedded", "colocated"] as const;
const TEXTS = ["backupFolder", "backupCommand"] as const;
const PROPERTIES = [
  ...["url", "lockTimeoutMs", "lockLimitMs", "lockRetries", "statementTimeoutMs", "longStatementTimeoutMs"],
  ...["rowQuestionTimeoutMs", "shadow", "requireGate", "backup", "backupFolder", "backupKeep", "backupProof"],
  ...["backupSizeLimitMb", "backupTimeoutMs", "backupCommand", "backupMaxAgeHours", "keepDroppedDays"],
  ...["baselineSchemas", "baselineQueries"],
];
/** What the engine itself adds to a provider's inputs. */
const ENGINE_PROPERTIES = new Set(["version", "pluginDownloadURL", "pluginChecksums", "parameterization", "package"]);

/**
 * Reads the provider's configuration and finds all faults at once. Numbers may come as JSON text, as SDKs
 * send them. Values that are not known yet take no part: the URL is undefined then, the others have their
 * defaults.
 */
export function parseConfig(properties: Properties): { config: ProviderConfig; failures: CheckFailure[] } {
  const failures: CheckFailure[] = [];
  const fail = (property: string, reason: string): void =>
    void failures.push({ code: property === "url" ? "PS602" : "PS601", property, reason });

  for (const name of Object.keys(properties)) {
    if (name.startsWith("__") || ENGINE_PROPERTIES.has(name) || PROPERTIES.includes(name)) continue;
    fail(name, `unknown property; expected one of ${PROPERTIES.join(", ")}`);
  }

  const number = (name: keyof typeof DEFAULTS): number => {
    const value = fromJson(properties[name]);
    if (value === undefined || value === null || value === UNKNOWN) return DEFAULTS[name];
    const least = LEAST[name] ?? 0;
    if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= LARGEST[name]) return value;
    fail(name, `found ${describe(value)}, expected a whole number from ${least} to ${LARGEST[name]}`);
    return DEFAULTS[name];
  };
  const flag = (name: string): boolean => {
    const value = properties[name];
    if (isUnset(value) || value === false || value === "false") return false;
    if (value !== true && value !== "true") fail(name, `found ${describe(value)}, expected true or false`);
    return true;
  };
  const text = (name: (typeof TEXTS)[number]): string | undefined => {
    const value = properties[name];
    if (isUnset(value)) return undefined;
    if (typeof value === "string") return value;
    fail(name, `found ${describe(value)}, expected a text`);
    return undefined;
  };
  const choice = <Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice => {
    const value = properties[name];
    if (isUnset(value)) return fallback;
    const chosen = choices.find((each) => each === value);
    if (chosen === undefined) fail(name, `found ${describe(value)}, expected one of ${choices.join(", ")}`);
    return chosen ?? fallback;
  };

  const texts = (name: string): string[] => {
    const value = fromJsonList(properties[name]);
    if (isUnset(value)) return [];
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value;
    fail(name, `found ${describe(value)}, expected a list of texts`);
    return [];
  };

  const config: ProviderConfig = {
    url: parseUrl(properties.url, (reason) => fail("url", reason)),
    lockTimeoutMs: number("lockTimeoutMs"),
    lockLimitMs: number("lockLimitMs"),
    lockRetries: number("lockRetries"),
    statementTimeoutMs: number("statementTimeoutMs"),
    longStatementTimeoutMs: number("longStatementTimeoutMs"),
    rowQuestionTimeoutMs: number("rowQuestionTimeoutMs"),
    shadow: parseShadow(properties.shadow, (reason) => fail("shadow", reason)),
    requireGate: flag("requireGate"),
    backup: {
      mode: choice("backup", BACKUP_MODES, "off"),
      folder: text("backupFolder"),
      keep: number("backupKeep"),
      proof: choice("backupProof", BACKUP_PROOFS, "auto"),
      sizeLimitMb: number("backupSizeLimitMb"),
      timeoutMs: number("backupTimeoutMs"),
      command: text("backupCommand"),
      maxAgeHours: number("backupMaxAgeHours"),
    },
    keepDroppedDays: number("keepDroppedDays"),
    baseline: { schemas: texts("baselineSchemas"), queries: texts("baselineQueries") },
  };
  if (config.backup.mode === "external" && isUnset(properties.backupCommand))
    fail("backupCommand", 'missing; the mode "external" needs a command that prints when the last backup was made');
  return { config, failures };
}

function parseUrl(value: Value | undefined, fail: (reason: string) => void): string | undefined {
  if (value === UNKNOWN) return undefined;
  if (value === undefined || value === null || value === "") {
    fail(`missing; give the URL of the target database as a secret: ${URL_SHAPE}`);
    return undefined;
  }
  // The text of a value of another type may hold a password too, so it is not shown.
  const fault = typeof value === "string" ? connectionUrlFault(value) : "expected a string";
  if (fault === undefined && typeof value === "string") return value;
  if (fault !== undefined) fail(fault);
  return undefined;
}

function parseShadow(value: Value | undefined, fail: (reason: string) => void): ShadowMode {
  if (isUnset(value)) return "auto";
  const mode = SHADOW_MODES.find((name) => name === value);
  if (mode) return mode;
  const fault = typeof value === "string" && value.includes("://") ? connectionUrlFault(value) : "it is no URL";
  if (fault === undefined && typeof value === "string") return { url: value };
  fail(
    `expected ${SHADOW_MODES.join(", ")} or the URL of a server on which scratch databases may be made: ${fault ?? ""}`,
  );
  return "auto";
}

const isUnset = (value: Value | undefined): value is undefined | null | "" | typeof UNKNOWN =>
  value === undefined || value === null || value === "" || value === UNKNOWN;

function fromJson(value: Value | undefined): Value | undefined {
  if (typeof value !== "string") return value;
  return /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
}

/** SDKs send a list as JSON text. */
function fromJsonList(value: Value | undefined): Value | undefined {
  if (typeof value !== "string" || !value.startsWith("[")) return value;
  try {
    const parsed: Value = JSON.parse(value);
    return parsed;
  } catch {
    return value;
  }
}

function describe(value: Value | undefined): string {
  return typeof value === "string" || typeof value === "number"
    ? JSON.stringify(value)
    : `a value of type ${typeof value}`;
}
