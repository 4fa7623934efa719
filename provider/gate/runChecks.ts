/**
 * The built-in checks of the moment: what has to hold when an update begins. Those that ask the target share
 * one query, which is in `runFacts.ts`.
 */
import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import type { ProviderConfig } from "../core/config.ts";
import type { Database } from "../database/target.ts";
import { differences, joined, type PlanDigest } from "./digest.ts";
import type { Measuring } from "./measure.ts";
import { inconclusive } from "./measure.ts";
import { type CheckResult, check } from "./results.ts";
import { ASKED, RUN_FACTS, type RunFacts, runFactChecks } from "./runFacts.ts";
import type { GateSettings } from "./settings.ts";
import { isWithin, parseWindow, WINDOW_SHAPE } from "./window.ts";

const MB = 1024 * 1024;

/** What the checks of the moment look at beside the settings. */
export interface Moment {
  now: Date;
  /** Fails where the catalog of the target cannot be read. */
  plan: Promise<PlanDigest>;
  backup: ProviderConfig["backup"];
  /** Where a dump will lie; undefined for none. */
  backupFolder: string | undefined;
}

export async function runChecks(measuring: Measuring, database: Database, moment: Moment): Promise<CheckResult[]> {
  const { settings } = measuring;
  const asked = await measuring.ask<RunFacts>("run", ASKED, RUN_FACTS, [settings.schemas], (facts) => [
    ...runFactChecks(facts, settings),
    backup(facts, moment.backup),
  ]);
  const space = await disk(measuring, database, moment.backupFolder);
  return [...statedChecks(settings, moment.now, await moment.plan), space, ...asked];
}

/** Those that ask nothing but settings and the clock. */
export function statedChecks(settings: GateSettings, now: Date, plan: PlanDigest): CheckResult[] {
  return [windowCheck(settings, now), incident(settings), approvedPlan(settings, plan), promotion(settings, now, plan)];
}

function windowCheck({ window: text, windowOverride }: GateSettings, now: Date): CheckResult {
  const at = `${now.toISOString().slice(11, 16)} UTC`;
  if (text === undefined)
    return check("run", "window", { isGood: true, measured: at, expected: "any time: no window is set", mend: "" });
  const window = parseWindow(text);
  if (window === undefined) return inconclusive("run", "window", `${JSON.stringify(text)} is not ${WINDOW_SHAPE}`);
  const isOpen = isWithin(window, now);
  const override = windowOverride === undefined ? "" : `, overridden: ${windowOverride}`;
  return check("run", "window", {
    isGood: isOpen || windowOverride !== undefined,
    measured: isOpen ? at : `${at}${override}`,
    expected: `${text} UTC`,
    mend: 'Wait for the window, or: pulumi config set windowOverride "<reason>"',
  });
}

function incident({ incident: text }: GateSettings): CheckResult {
  return check("run", "incident", {
    isGood: text === undefined,
    measured: text === undefined ? "none" : `open: ${text}`,
    expected: "no open incident",
    mend: "When it is over: pulumi config rm incident",
  });
}

function approvedPlan({ approvedPlan: approved }: GateSettings, plan: PlanDigest): CheckResult {
  const name = "approved-plan";
  const measured = joined(plan);
  if (approved === undefined)
    return check("run", name, { isGood: true, measured, expected: "any plan: none is pinned", mend: "" });
  const differing = differences(approved, plan);
  return check("run", name, {
    isGood: differing?.length === 0,
    measured: differing?.length ? `${measured}, which differs in ${differing.join(" and ")}` : measured,
    expected: differing === undefined ? `${approved}, which is no digest of a plan` : approved,
    mend: `Review the preview, then: pulumi config set approvedPlan ${measured}`,
  });
}

function promotion(settings: GateSettings, now: Date, plan: PlanDigest): CheckResult {
  const { promoteFrom, promoteMaxAgeHours, release } = settings;
  const name = "promotion";
  if (promoteFrom === undefined)
    return check("run", name, {
      isGood: true,
      measured: "no stack before this one",
      expected: "none is set",
      mend: "",
    });
  const mend = `pulumi up --stack ${promoteFrom}, with the same files`;
  const expected = `stack ${promoteFrom} has run and verified the same files within ${promoteMaxAgeHours} h`;
  const refused = (measured: string): CheckResult => check("run", name, { isGood: false, measured, expected, mend });
  if (release === undefined) return refused(`stack ${promoteFrom} exports no verified release`);
  const { desired, result, verifiedAt, commit } = release;
  const ageHours = (now.getTime() - new Date(verifiedAt).getTime()) / 3_600_000;
  if (desired !== plan.desired)
    return refused(`it has files ${desired} of commit ${commit || "not known"}; these are ${plan.desired}`);
  if (result !== "PASS" && result !== "WARNING") return refused(`its verification says ${result}`);
  // A time that cannot be read is none.
  if (!(ageHours <= promoteMaxAgeHours)) return refused(`it was verified at ${verifiedAt}`);
  return check("run", name, {
    isGood: result === "PASS",
    otherwise: "WARNING",
    measured: `${result} at ${verifiedAt}, commit ${commit || "not known"}`,
    expected,
    mend: `Read the report of stack ${promoteFrom}`,
  });
}

/** Whether the mode of backups can be carried out; the backup itself comes after the gate. */
function backup(
  { databaseMb, unreadableTables, role }: RunFacts,
  { mode, sizeLimitMb }: ProviderConfig["backup"],
): CheckResult {
  const isDump = mode === "dump";
  const isTooLarge = isDump && databaseMb > sizeLimitMb;
  const some = unreadableTables.slice(0, 3).join(", ");
  const isClosed = isDump && unreadableTables.length > 0;
  return check("run", "backup", {
    isGood: !isTooLarge && !isClosed,
    measured: isTooLarge
      ? `the database has ${Math.round(databaseMb)} MB`
      : isClosed
        ? `role ${role} may not read ${unreadableTables.length} tables, such as ${some}`
        : mode,
    expected: isDump ? `a database up to ${sizeLimitMb} MB whose tables the role may read` : `the mode "${mode}"`,
    mend: isTooLarge
      ? "Raise backupSizeLimitMb, or choose another mode of backup."
      : `GRANT pg_read_all_data TO ${JSON.stringify(role)};`,
  });
}

/** SQL does not tell it: asked where the server's folder is on this machine, and where a dump will lie. */
async function disk(measuring: Measuring, database: Database, backups: string | undefined): Promise<CheckResult> {
  const { freeDiskMb } = measuring.settings.thresholds;
  const data = await dataFolder(measuring, database);
  const places = [
    { name: "", free: data === undefined ? undefined : await freeMb(data), absent: "the server is on another machine" },
    ...(backups === undefined ? [] : [{ name: "for backups ", free: await freeMb(backups), absent: "no such disk" }]),
  ];
  return check("run", "disk", {
    isGood: places.every(({ free }) => free === undefined || free >= freeDiskMb),
    measured: places
      .map(({ name, free, absent }) =>
        free === undefined ? `${name}not asked: ${absent}` : `${name}${Math.floor(free)} MB free`,
      )
      .join(", "),
    expected: `${freeDiskMb} MB free`,
    mend: `Free space where the server keeps its data${backups === undefined ? "" : `, and in ${backups}`}.`,
  });
}

const LOCAL_HOSTS = new Set(["localhost", "127.0.0.1", "::1", "[::1]"]);

async function dataFolder(measuring: Measuring, database: Database): Promise<string | undefined> {
  const { host } = database.target;
  if (!LOCAL_HOSTS.has(host) && !host.startsWith("/")) return undefined;
  const { rows } = await measuring.readOnly((client) =>
    // Hidden from roles that may not know it.
    client.query<{ folder: string }>(
      "select setting as folder from pg_catalog.pg_settings where name = 'data_directory'",
    ),
  );
  return rows[0]?.folder;
}

/** Of the disk that holds the folder, or will: one that is not made yet lies in the next above it that is. */
async function freeMb(folder: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(folder);
    return (bavail * bsize) / MB;
  } catch (error) {
    const parent = dirname(folder);
    return error instanceof Error && "code" in error && error.code === "ENOENT" && parent !== folder
      ? freeMb(parent)
      : undefined;
  }
}
