/**
 * What a gate measures, and when: plan checks once a run, run checks when they are asked for. What stops
 * because of it is left to `guard/steps.ts` and `resources/gate/`.
 */
import type { ProviderConfig } from "../core/config.ts";
import type { Database } from "../database/target.ts";
import { joined, type PlanDigest } from "./digest.ts";
import { Measuring } from "./measure.ts";
import { type OwnCheck, ownChecks, readOwnChecks } from "./ownChecks.ts";
import { planChecks } from "./planChecks.ts";
import { type GateReport, isNoGo } from "./report.ts";
import { type CheckKind, type CheckResult, decide, unknownNames } from "./results.ts";
import { runChecks } from "./runChecks.ts";
import type { GateSettings } from "./settings.ts";

export interface GateOptions {
  database: Database;
  settings: GateSettings;
  backup: ProviderConfig["backup"];
  /** Where relative paths start. */
  directory: string;
  now: () => Date;
}

/** One gate in one run. */
export class Gate {
  readonly settings: GateSettings;
  private readonly options: GateOptions;
  private readonly measuring: Measuring;
  private files: Promise<OwnCheck[]> | undefined;
  private planned: Promise<CheckResult[]> | undefined;

  constructor(options: GateOptions) {
    this.options = options;
    this.settings = options.settings;
    this.measuring = new Measuring(options.database, options.settings);
  }

  /** The checks that an update needs in any case, measured once. */
  planResults(): Promise<CheckResult[]> {
    this.planned ??= this.measurePlan();
    return this.planned;
  }

  /**
   * The checks of the moment, measured now.
   *
   * @param backupFolder where a dump will lie; undefined for none.
   */
  async runResults(plan: Promise<PlanDigest>, backupFolder: string | undefined): Promise<CheckResult[]> {
    const { database, backup, now } = this.options;
    const [built, own] = await Promise.all([
      runChecks(this.measuring, database, { now: now(), plan, backup, backupFolder }),
      this.own("run"),
    ]);
    return [...built, ...own];
  }

  /** Whether overrides need the plan to be told apart by. */
  get hasOverrides(): boolean {
    return Object.keys(this.settings.overrides).length > 0;
  }

  /** @param isWhole whether all checks are among the results, so that names without one are misspelt. */
  report(results: readonly CheckResult[], plan: PlanDigest | undefined, isWhole: boolean): GateReport {
    const digest = plan && joined(plan);
    const decided = decide(results, this.settings, digest, this.options.now());
    return {
      verdict: isNoGo(decided) ? "NO-GO" : "GO",
      plan: digest,
      results: decided,
      unknown: isWhole ? unknownNames(results, this.settings) : [],
    };
  }

  private async measurePlan(): Promise<CheckResult[]> {
    const server = await this.options.database.facts();
    const [built, own] = await Promise.all([planChecks(this.measuring, server), this.own("plan")]);
    return [...built, ...own];
  }

  private async own(kind: CheckKind): Promise<CheckResult[]> {
    this.files ??= readOwnChecks(this.settings.checks, this.options.directory);
    return ownChecks(this.measuring, await this.files, kind);
  }
}
