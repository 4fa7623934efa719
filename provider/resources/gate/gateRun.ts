/** A gate in one run: which checks are measured when, and the digest of the plan. */
import { publication } from "../../../project.ts";
import { backupFolder } from "../../backup/folder.ts";
import { UserError } from "../../core/errors.ts";
import type { CallContext } from "../../core/resourceType.ts";
import { stackNameOf } from "../../core/urn.ts";
import type { Database } from "../../database/target.ts";
import { joined, type PlanDigest, settingsHash, shortHash } from "../../gate/digest.ts";
import { Gate } from "../../gate/gate.ts";
import { type GateReport, isNoGo, shortReport } from "../../gate/report.ts";
import { type CheckResult, check } from "../../gate/results.ts";
import type { GateSettings } from "../../gate/settings.ts";
import type { DeclaredGate } from "../../guard/run.ts";
import { type LiveCatalog, liveCatalogOf } from "../layer/catalogCache.ts";
import type { Session } from "../session.ts";

/** What Check makes of the results. */
interface Answer {
  verdict: GateReport["verdict"];
  /** Whether the preview or the update ends here. */
  isStopping: boolean;
  /** Empty where there is nothing to tell. */
  text: string;
  whole: GateReport;
}

export class GateRun implements DeclaredGate {
  readonly desired: string;
  private readonly gate: Gate;
  private readonly live: LiveCatalog;
  /** Of the moment before the first change. */
  private passed: PlanDigest | undefined;
  private readonly session: Session;
  private readonly database: Database;
  private tools: Promise<CheckResult[]> | undefined;

  constructor(session: Session, database: Database, settings: GateSettings, desired: string) {
    this.session = session;
    this.database = database;
    this.desired = desired;
    this.live = liveCatalogOf(session);
    const { config, projectDirectory } = session;
    this.gate = new Gate({
      database,
      settings,
      backup: config.backup,
      directory: projectDirectory,
      now: () => new Date(),
    });
  }

  /** In a preview: all checks, of which those of the moment stop nothing yet. */
  async forecast(context: CallContext): Promise<Answer> {
    const planning = this.gate.planResults();
    this.live.readAhead();
    const digest = this.digest(this.live.get());
    const running = this.gate.runResults(digest, this.backupFolder(context));
    const [planned, ran, tools, plan] = await Promise.all([planning, running, this.backupTools(context), digest]);
    const whole = this.gate.report([...planned, ...ran, ...tools], plan, true);
    const isStopping = isNoGo(whole.results.filter(({ kind }) => kind === "plan"));
    const heading = isStopping
      ? "NO-GO"
      : whole.verdict === "GO"
        ? "GO"
        : "would be NO-GO now: an update stops before its first change";
    return { verdict: whole.verdict, isStopping, text: shortReport(heading, whole), whole };
  }

  /** In an update: the checks that it needs in any case. The catalog is read beside them. */
  async begin(): Promise<Answer> {
    const planning = this.gate.planResults();
    this.live.readAhead();
    const planned = await planning;
    const plan = this.gate.hasOverrides ? await this.digest(this.live.get()) : undefined;
    const whole = this.gate.report(planned, plan, false);
    const isQuiet = whole.results.every(({ status, note }) => status === "PASS" && note === "");
    const text = isQuiet ? "" : shortReport(whole.verdict, whole);
    return { verdict: whole.verdict, isStopping: whole.verdict === "NO-GO", text, whole };
  }

  async pass(context: CallContext): Promise<string> {
    const { approvedPlan } = this.gate.settings;
    // Somebody may have changed the catalog while this run waited for another one. After a change of its own
    // it is that which was approved.
    const isExact = approvedPlan !== undefined || this.gate.hasOverrides;
    const plan = this.passed ?? (await this.digest(isExact ? this.live.refresh() : this.live.get()));
    const running = this.gate.runResults(Promise.resolve(plan), this.backupFolder(context));
    const all = await Promise.all([this.gate.planResults(), running, this.backupTools(context)]);
    const whole = this.gate.report(all.flat(), plan, true);
    if (whole.verdict === "NO-GO") throw new UserError("PS802", shortReport("NO-GO. Nothing was changed.", whole));
    this.passed = plan;
    if (whole.results.some(({ status, note }) => status !== "PASS" || note !== ""))
      context.report.warn(shortReport("GO", whole));
    return joined(plan);
  }

  private backupFolder({ urn }: CallContext): string | undefined {
    const { config, projectDirectory } = this.session;
    if (config.backup.mode !== "dump") return undefined;
    return backupFolder(config.backup, { ...stackNameOf(urn), projectDirectory });
  }

  /** Whether this machine has what a dump needs, asked once. */
  private backupTools({ signal }: CallContext): Promise<CheckResult[]> {
    this.tools ??= this.findBackupTools(signal);
    return this.tools;
  }

  private async findBackupTools(signal: AbortSignal): Promise<CheckResult[]> {
    const { config, projectDirectory } = this.session;
    if (config.backup.mode !== "dump") return [];
    const { findPgTools, installLine } = await import("../../backup/pgTools.ts");
    const { major } = await this.database.facts();
    const found = await findPgTools({ major, projectDirectory, signal });
    return [
      check("run", "backup-tools", {
        isGood: found !== undefined,
        measured: found === undefined ? "no pg_dump on this machine" : `pg_dump ${found.version}`,
        expected: `pg_dump ${major} or newer`,
        mend: `Install it: ${installLine(major)}`,
      }),
    ];
  }

  private async digest(catalog: ReturnType<LiveCatalog["get"]>): Promise<PlanDigest> {
    const { facts } = await catalog;
    return {
      desired: this.desired,
      settings: settingsHash(this.gate.settings.settings),
      target: shortHash(facts.rootHash),
      version: shortHash(publication().version ?? ""),
    };
  }
}
