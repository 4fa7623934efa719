/**
 * The part `audit` as desired state: the audit trail of an application in the application's own database;
 * before it the gate, after it the record of the backup, and the verification. The roles are the
 * application's, as are all rows.
 */
import { API_ROLES, AuditTrail } from "../components/audit/AuditTrail.ts";
import { readAuditConfig } from "../components/program/stackConfig.ts";
import { Backup } from "../components/release/Backup.ts";
import { gateArgs, planSettings } from "../components/release/gateSettings.ts";
import { Preflight } from "../components/release/Preflight.ts";
import { Verification } from "../components/release/Verification.ts";
import { Provider } from "../components/resources/Provider.ts";
import { figures, SOURCES, targetArgs } from "./target.ts";

const config = readAuditConfig();
const settings = config.plain;
const schemas = ["public"];

const target = await targetArgs(config, {
  localName: "audit",
  baselineSchemas: schemas,
  baselineQueries: ["sql/checks/audit-timings"],
});
const providers = [new Provider("target", target)];

const preflight = new Preflight(
  "preflight",
  {
    schemas,
    roles: API_ROLES,
    sources: SOURCES,
    checks: "sql/checks/audit-gate",
    settings: planSettings(settings),
    ...gateArgs(settings),
  },
  { providers },
);

const audit = new AuditTrail("audit", { forceDestroy: settings.forceDestroy }, { providers });

const backup = new Backup("backup", { after: [audit] }, { providers });
const verification = new Verification(
  "verification",
  {
    checks: ["sql/checks/audit"],
    desired: preflight.desired,
    otherWriters: settings.otherWriters,
    slowdownPercent: settings.slowdownPercent,
  },
  { providers, dependsOn: [audit] },
);

/** What stands in the database. */
export const layers = { audit: figures(audit.layer) };

/** What the last verification found, and of what: another stack may ask for it before it takes the same. */
export const release = verification.release;

/** The moment of the backup before the last change. */
export const backupTakenAt = backup.record.takenAt;
