/**
 * The part `platform` as desired state, bottom up: target database → gate → access roles; the layers
 * platform → databases → rls; billing plans, organization and project, registered databases as rows; last
 * the record of the backup, and the verification of all.
 */
import { ACCESS_ROLES, AccessRoles } from "../components/platform/AccessRoles.ts";
import { BillingPlans } from "../components/platform/BillingPlans.ts";
import { DatabasesTable } from "../components/platform/DatabasesTable.ts";
import { PlatformSchema } from "../components/platform/PlatformSchema.ts";
import { RowLevelSecurity } from "../components/platform/RowLevelSecurity.ts";
import { Tenant } from "../components/platform/Tenant.ts";
import { readPlatformConfig } from "../components/program/stackConfig.ts";
import { targetProviders } from "../components/program/targetProviders.ts";
import { RailwayDatabases } from "../components/registry/RailwayDatabases.ts";
import { Backup } from "../components/release/Backup.ts";
import { gateArgs, planSettings } from "../components/release/gateSettings.ts";
import { Preflight } from "../components/release/Preflight.ts";
import { Verification } from "../components/release/Verification.ts";
import { figures, SOURCES, targetArgs } from "./target.ts";

/** By how much policies may slow a query down: those that let every row through, and those that do not. */
const POLICY_SLOWDOWN_PERCENT = { permissive: 5, restrictive: 10 };

const config = readPlatformConfig();
const settings = config.plain;
const { organization, project } = settings;
/** Of which rows are counted before a change; readers add to the audit trail at any time. */
const counted = ["platform", "platform_access", "platform_private"];
const schemas = [...counted, "platform_audit"];

const providers = await targetProviders(
  await targetArgs(config, {
    localName: "studio",
    baselineSchemas: counted,
    baselineQueries: ["sql/checks/timings"],
  }),
);

const accessRoles = Object.values(ACCESS_ROLES);
const preflight = new Preflight(
  "preflight",
  {
    schemas,
    extensions: ["pgcrypto", "uuid-ossp"],
    roles: [...settings.decryptors, ...accessRoles].filter(
      (name) => !(settings.manageRoles && accessRoles.some((role) => role === name)),
    ),
    createdRoles: settings.manageRoles ? accessRoles : [],
    sources: SOURCES,
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

const platform = new PlatformSchema("platform", { access, protect: settings.protect }, { providers });
const databases = new DatabasesTable("databases", { platform }, { providers });
const rls = new RowLevelSecurity("rls", { platform, databases, policies: settings.rls }, { providers });

const plans = new BillingPlans("plans", { platform }, { providers });
const tenant = new Tenant("tenant", { platform, organization, project }, { providers });
const railway = new RailwayDatabases(
  "railway",
  {
    databases,
    project: tenant.project,
    environment: settings.railwayEnvironment,
    region: settings.railwayRegion,
    rotateEvery: settings.rotateEvery,
    rotationGrace: settings.rotationGrace,
    mongodbAdminConnectionString: config.mongodbAdminConnectionString,
    redisAdminConnectionString: config.redisAdminConnectionString,
    mongodbConnectionString: config.mongodbConnectionString,
    redisConnectionString: config.redisConnectionString,
    probe: settings.probe,
  },
  { providers },
);

// Last: it reports the backup before whatever of the above changed something.
const backup = new Backup("backup", { after: [access, rls, plans, railway] }, { providers });
const verification = new Verification(
  "verification",
  {
    checks: ["sql/checks/verify", `sql/checks/${settings.rls}`],
    lintSchemas: schemas,
    desired: preflight.desired,
    otherWriters: settings.otherWriters,
    slowdownPercent: settings.slowdownPercent,
    layerSlowdownPercent: { rls: POLICY_SLOWDOWN_PERCENT[settings.rls] },
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

/** What the application signs request contexts with: `pulumi stack output contextKey --show-secrets`. */
export const contextKey = platform.contextKey;

/** The moment of the backup before the last change. */
export const backupTakenAt = backup.record.takenAt;
