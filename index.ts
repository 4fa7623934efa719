/**
 * The whole platform as desired state, bottom up: settings → target database → gate → access roles; the
 * layers platform → databases → rls; billing plans, organization and project, registered databases as rows;
 * last the record of the backup, and the verification of all.
 */
import "./components/program/stackTraces.ts";
import { getStack, log, RunError, runtime } from "@pulumi/pulumi";
import { ACCESS_ROLES, AccessRoles } from "./components/platform/AccessRoles.ts";
import { BillingPlans } from "./components/platform/BillingPlans.ts";
import { DatabasesTable } from "./components/platform/DatabasesTable.ts";
import { PlatformSchema } from "./components/platform/PlatformSchema.ts";
import { RowLevelSecurity } from "./components/platform/RowLevelSecurity.ts";
import { Tenant } from "./components/platform/Tenant.ts";
import { keepAnswersOutOfDebugLog } from "./components/program/debugLog.ts";
import { keepTree } from "./components/program/keptTree.ts";
import { readStackConfig } from "./components/program/stackConfig.ts";
import { targetProviders } from "./components/program/targetProviders.ts";
import { RailwayDatabases } from "./components/registry/RailwayDatabases.ts";
import { Backup } from "./components/release/Backup.ts";
import { gateArgs, planSettings } from "./components/release/gateSettings.ts";
import { Preflight } from "./components/release/Preflight.ts";
import { Verification } from "./components/release/Verification.ts";
import type { Layer } from "./components/resources/Layer.ts";

/** By how much policies that let every row through may slow a query down. */
const PHASE_1_SLOWDOWN_PERCENT = 5;

keepAnswersOutOfDebugLog();
if (!runtime.isDryRun()) {
  keepTree(getStack()).catch((error) => log.warn(`the files of this update are not kept for a rollback: ${error}`));
}

const { plain: settings, ...secrets } = readStackConfig();
const { lockTimeoutMs, lockLimitMs, lockRetries } = settings;
const { statementTimeoutMs, longStatementTimeoutMs, rowQuestionTimeoutMs } = settings;
const { organization, project, keepDropped: keepDroppedDays } = settings;

const local = secrets.databaseUrl === undefined ? await localDatabase() : undefined;
const url = secrets.databaseUrl ?? local?.url ?? "";
const providers = targetProviders({
  url,
  lockTimeoutMs,
  lockLimitMs,
  lockRetries,
  statementTimeoutMs,
  longStatementTimeoutMs,
  rowQuestionTimeoutMs,
  keepDroppedDays,
  shadow: secrets.shadow,
  requireGate: settings.requireGate,
  backup: settings.backup ?? local?.backup ?? "dump",
  backupFolder: settings.backupFolder ?? local?.backupFolder,
  backupKeep: settings.backupKeep,
  backupProof: settings.backupProof,
  backupSizeLimitMb: settings.backupSizeLimitMb,
  backupTimeoutMs: settings.backupTimeoutMs,
  backupCommand: settings.backupCommand,
  backupMaxAgeHours: settings.backupMaxAgeHours,
  baselineSchemas: ["platform", "platform_private"],
  baselineQueries: ["sql/checks/timings"],
});

const accessRoles = Object.values(ACCESS_ROLES);
const preflight = new Preflight(
  "preflight",
  {
    schemas: ["platform", "platform_private"],
    extensions: ["pgcrypto", "uuid-ossp"],
    roles: [...settings.decryptors, ...accessRoles].filter(
      (name) => !(settings.manageRoles && accessRoles.some((role) => role === name)),
    ),
    createdRoles: settings.manageRoles ? accessRoles : [],
    sources: ["index.ts", "components", "sql"],
    settings: planSettings(settings),
    ...gateArgs(settings),
  },
  { providers },
);

const access = new AccessRoles(
  "access",
  { manage: settings.manageRoles, decryptors: settings.decryptors },
  { providers },
);

const platform = new PlatformSchema("platform", { access }, { providers });
const databases = new DatabasesTable("databases", { platform }, { providers });
const rls = new RowLevelSecurity("rls", { platform, databases }, { providers });

const plans = new BillingPlans("plans", { platform }, { providers });
const tenant = new Tenant("tenant", { platform, organization, project }, { providers });
const railway = new RailwayDatabases(
  "railway",
  {
    databases,
    project: tenant.project,
    environment: settings.railwayEnvironment,
    region: settings.railwayRegion,
    mongodbConnectionString: secrets.mongodbConnectionString,
    redisConnectionString: secrets.redisConnectionString,
  },
  { providers },
);

// Last: it reports the backup before whatever of the above changed something.
const backup = new Backup("backup", { after: [access, rls, plans, railway] }, { providers });
const verification = new Verification(
  "verification",
  {
    checks: ["sql/checks/verify"],
    desired: preflight.desired,
    otherWriters: settings.otherWriters,
    slowdownPercent: settings.slowdownPercent,
    layerSlowdownPercent: { rls: PHASE_1_SLOWDOWN_PERCENT },
  },
  { providers, dependsOn: [access, platform, databases, rls, plans, tenant, railway] },
);

/** What stands in the database, by layer. */
export const layers = {
  platform: figures(platform.layer),
  databases: figures(databases.layer),
  rls: figures(rls.layer),
};

/** The registered databases without their secrets. */
export const registeredDatabases = {
  "Railway MongoDB": railway.mongodb.maskedConnectionString,
  "Railway Redis": railway.redis.maskedConnectionString,
};

/** What the last verification found, and of what: another stack may ask for it before it takes the same. */
export const release = verification.release;

/**
 * Passwords of the roles that applications sign in with: `pulumi stack output rolePasswords --show-secrets`.
 */
export const rolePasswords = access.passwords;

/** The moment of the backup before the last change. */
export const backupTakenAt = backup.record.takenAt;

function figures({ digest, objects }: Layer) {
  return { digest, objects: objects.apply((names) => names.length) };
}

/** The database of this checkout; loaded only where a stack runs on it. */
async function localDatabase() {
  const { localBackup, localDatabaseUrl } = await import("./tools/lib/localDatabase.ts");
  const { shownError, UserError } = await import("./provider/core/errors.ts");
  try {
    return { url: await localDatabaseUrl(import.meta.dirname), ...localBackup(import.meta.dirname) };
  } catch (error) {
    // A mistake of the user is shown without a stack trace.
    if (error instanceof UserError) throw new RunError(shownError(error));
    throw error;
  }
}
