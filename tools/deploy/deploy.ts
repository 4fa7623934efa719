/**
 * An update with all that comes before and after it: gate, plan, question, backup, update, verification. What
 * must not happen is up to the provider; this shows it, asks, and keeps a report.
 */
import { shownError, UserError } from "../../provider/core/errors.ts";
import { type StackPlan, totalsOf, verdictOf } from "../../provider/report/stackPlan.ts";
import { planAsText } from "../../provider/report/text.ts";
import { askPlan } from "../lib/askPlan.ts";
import { describeFailure } from "../lib/main.ts";
import { readStackSettings, type StackSettings } from "../lib/stackSettings.ts";
import { type PinnedSettings, pinPlan } from "./approvedPlan.ts";
import type { Interrupts } from "./interrupts.ts";
import { notify } from "./notify.ts";
import { requireVerified } from "./promotion.ts";
import { ReportFolder, type Result, type RunReport, timeInWords } from "./report.ts";
import { runUpdate } from "./runUpdate.ts";
import { type StageName, Stages } from "./stages.ts";
import { UpdateProgress } from "./updateEvents.ts";

export interface DeployOptions {
  folder: string;
  env: NodeJS.ProcessEnv;
  stack: string;
  /** The stack that must have verified the same; default: that of the setting `promoteFrom`. */
  from?: string;
  /** Digest of the one plan that may be carried out. */
  approvedPlan: string | undefined;
  /** @returns whether the plan is to be carried out. */
  ask(question: string): Promise<boolean>;
  show(text: string): void;
  interrupts: Interrupts;
}

const NOTHING = "Nothing was changed.";

/**
 * Carries out what the program says, or says what stands against it.
 *
 * @returns the report, which has been written.
 * @throws {UserError} where not even a report could be begun; nothing was changed then.
 */
export async function deploy(options: DeployOptions): Promise<RunReport> {
  const { folder, env, stack, from } = options;
  const settings = await readStackSettings(folder, stack, env);
  const verified = from ?? settings.promoteFrom;
  if (verified !== undefined) options.show(await requireVerified(folder, { from: verified, to: stack }, env));
  const pinned = await pinPlan(folder, stack, env, options.approvedPlan);
  try {
    return await new Deployment(options, settings, pinned).run();
  } finally {
    pinned.remove();
  }
}

class Deployment {
  private readonly options: DeployOptions;
  private readonly settings: StackSettings;
  private readonly pinned: PinnedSettings;
  private readonly startedAt = new Date();
  private readonly folder: ReportFolder;
  private readonly stages: Stages;
  private readonly progress: UpdateProgress;
  private readonly errors: string[] = [];
  private readonly warnings: string[] = [];
  private plan: StackPlan | undefined;
  private result: Result = "RUNNING";
  private stays = NOTHING;

  constructor(options: DeployOptions, settings: StackSettings, pinned: PinnedSettings) {
    this.options = options;
    this.settings = settings;
    this.pinned = pinned;
    this.folder = new ReportFolder(options.folder, this.startedAt.toISOString());
    this.stages = new Stages((line) => this.show(line));
    this.progress = new UpdateProgress({
      stage: (name) => this.stages.begin(name),
      line: (text) => this.show(text),
    });
  }

  async run(): Promise<RunReport> {
    try {
      this.result = await this.stagesInOrder();
    } catch (error) {
      await this.fail(error);
    }
    this.save();
    if (this.result === "FAIL" || this.result === "NO-GO" || this.result === "INTERRUPTED") await this.tell("FAIL");
    else if (this.result === "DONE") await this.tell("end");
    const report = this.save();
    this.show(`\n${report.result}: ${report.stays}`);
    for (const error of report.errors) this.show(`\n${error}`);
    for (const warning of report.warnings) this.show(`WARNING: ${warning}`);
    this.show(`\nTook ${timeInWords(report.elapsedMs)}. Report: ${this.folder.path}`);
    return report;
  }

  private async stagesInOrder(): Promise<Result> {
    const { ask, interrupts, stack } = this.options;
    const plan = await this.preview();
    if (interrupts.abort.signal.aborted) return this.interrupted("plan");
    if (plan.errors.length > 0) {
      this.errors.push(...plan.errors.map(({ resource, text }) => (resource === "" ? text : `${resource}: ${text}`)));
      this.stages.end("plan", "failed", "the preview was stopped");
      return "FAIL";
    }
    this.stages.end("plan", "passed", totalsOf(plan));
    if (plan.changes === 0) return "NOTHING TO DO";
    const refusal = this.refusal(plan);
    if (refusal !== undefined) {
      this.errors.push(shownError(refusal));
      return "NO-GO";
    }
    this.save();
    this.stages.begin("question");
    const isYes = await ask(`   Carry this out on ${stack}? Type ${stack} for yes: `);
    if (interrupts.abort.signal.aborted) return this.interrupted("question");
    this.stages.end("question", isYes ? "passed" : "failed", isYes ? "yes" : "no");
    if (!isYes) return "DECLINED";
    await this.tell("start");
    return this.update();
  }

  private async preview(): Promise<StackPlan> {
    const { folder, env, stack, interrupts } = this.options;
    this.stages.begin("plan");
    const found = await askPlan(folder, stack, env, { more: this.pinned.args, interrupt: interrupts.abort.signal });
    const plan = this.settings.withoutSecrets(found);
    this.plan = plan;
    this.show(planAsText(plan));
    if (plan.digest !== undefined) this.show(`Digest of the plan: ${plan.digest}`);
    const stopping = plan.gate?.results.filter(({ isStopping }) => isStopping) ?? [];
    const note =
      plan.gate === undefined
        ? "no gate was asked"
        : [plan.gate.verdict, ...stopping.map(({ name }) => name)].join(" ");
    this.stages.end("gate", plan.gate === undefined ? "skipped" : stopping.length > 0 ? "failed" : "passed", note);
    return plan;
  }

  /** Why the update would not begin, or not with this plan. */
  private refusal(plan: StackPlan): UserError | undefined {
    const { approvedPlan } = this.options;
    if (approvedPlan !== undefined && plan.digest !== approvedPlan) {
      const found = `Approved was plan ${approvedPlan}, and this one is ${plan.digest ?? "without a digest"}.`;
      return new UserError("PS842", `${found} ${reasonsOf(plan)}Look at the plan again, and approve it. ${NOTHING}`);
    }
    if (verdictOf(plan) !== "WOULD BE NO-GO NOW") return undefined;
    return new UserError("PS802", `NO-GO. ${reasonsOf(plan)}${NOTHING}`);
  }

  private async update(): Promise<Result> {
    const { folder, env, stack, interrupts } = this.options;
    const { progress, stages } = this;
    stages.begin("update");
    this.stays = "An update is under way: what it has changed is not known yet.";
    this.save();
    const run = () =>
      runUpdate({
        ...{ folder, env, args: ["--stack", stack, ...this.pinned.args] },
        onEvent: (line) => progress.take(line),
        interrupts: (hand) => interrupts.handTo(hand),
      });
    let end = await run();
    // Pulumi deletes after the verification: a second update, with nothing to change, verifies what is left.
    if (end.exitCode === 0 && progress.verified?.result === "PENDING" && !interrupts.abort.signal.aborted) {
      this.show("   What this update has deleted went after its checks: they are run again.");
      end = await run();
    }
    this.errors.push(...progress.errors);
    this.warnings.push(...progress.warnings);
    this.stays = this.whatStays(end.signal);
    const isInterrupted = interrupts.abort.signal.aborted && end.exitCode !== 0;
    const running = stages.running ?? "update";
    this.tellBackup();
    this.tellVerification();
    const done = `${progress.changed.length} resources changed`;
    if (end.exitCode === 0) {
      stages.end("update", "passed", done);
      this.stays =
        progress.changed.length === 0
          ? "No object of the database was changed."
          : `Changed: ${progress.changed.join(", ")}.`;
      return "DONE";
    }
    if (isInterrupted) {
      if (running !== "update") stages.end("update", "interrupted", done);
      return this.interrupted(running);
    }
    if (this.errors.length === 0) this.errors.push(end.output);
    // A verification that fails comes after the last change.
    const isVerified = progress.verified !== undefined || (running === "verification" && progress.guard === "passed");
    stages.end("update", isVerified ? "passed" : "failed", done);
    if (running !== "update" && progress.verified === undefined) stages.end(running, "failed", "see the errors");
    return "FAIL";
  }

  private tellBackup(): void {
    const { backup } = this.progress;
    const { status } = this.stages.of("backup");
    if (status === "open") this.stages.end("backup", "skipped", "none was needed");
    if (status === "passed") this.stages.end("backup", "passed", backup?.file || backup?.mode || "taken");
  }

  private tellVerification(): void {
    const { verified } = this.progress;
    if (verified !== undefined && this.stages.of("verification").status !== "open") {
      const passed = verified.report.filter(({ status }) => status === "PASS").length;
      const note = `${verified.result}, ${passed} of ${verified.report.length} checks pass`;
      this.stages.end("verification", verified.result === "FAIL" ? "failed" : "passed", note);
    }
  }

  /** Each resource is changed as a whole or not at all, but for what a plan does outside of transactions. */
  private whatStays(signal: string | undefined): string {
    const { changed, begun, guard } = this.progress;
    const again = `Run this again: it goes on from there${signal === undefined ? "" : `, after \`pulumi cancel --stack ${this.options.stack}\``}.`;
    const open = [...begun];
    if (changed.length === 0 && guard !== "passed" && (open.length === 0 || signal === undefined)) return NOTHING;
    const told = changed.length === 0 ? "No resource was changed" : `Changed, and kept: ${changed.join(", ")}`;
    const unfinished = open.length === 0 ? "" : ` Not finished: ${open.join(", ")}.`;
    return `${told}.${unfinished} ${again}`;
  }

  private interrupted(stage: StageName): Result {
    this.stages.end(stage, "interrupted", "by a signal");
    return "INTERRUPTED";
  }

  private async fail(error: unknown): Promise<void> {
    const isInterrupted = this.options.interrupts.abort.signal.aborted;
    const stage = this.stages.running;
    if (stage !== undefined) this.stages.end(stage, isInterrupted ? "interrupted" : "failed", "");
    this.result = isInterrupted ? "INTERRUPTED" : "FAIL";
    if (isInterrupted) return;
    this.errors.push(await describeFailure(error));
  }

  private async tell(event: "start" | "end" | "FAIL"): Promise<void> {
    const { notifyUrl } = this.settings;
    if (notifyUrl === undefined) return;
    const fault = await notify(notifyUrl, event, this.report());
    if (fault !== undefined) this.warnings.push(`${event} was not told: ${fault}`);
  }

  private report(): RunReport {
    const { plan, progress } = this;
    return this.settings.withoutSecrets({
      ...{ stack: this.options.stack, result: this.result, startedAt: this.startedAt.toISOString() },
      ...{ elapsedMs: Math.round(Date.now() - this.startedAt.getTime()), stages: this.stages.all },
      ...{ digest: plan?.digest, stays: this.stays, changed: progress.changed },
      ...{ errors: this.errors, warnings: this.warnings, backup: progress.backup, verified: progress.verified, plan },
    });
  }

  private save(): RunReport {
    const report = this.report();
    const fault = this.folder.write(report);
    if (fault !== undefined) this.show(`WARNING: ${fault}`);
    return report;
  }

  private show(text: string): void {
    this.options.show(this.settings.redact(text));
  }
}

function reasonsOf({ gate }: StackPlan): string {
  const stopping = gate?.results.filter(({ isStopping }) => isStopping) ?? [];
  return stopping
    .map(
      ({ name, measured, expected, mend }) =>
        `${name}: ${measured}; expected ${expected}.${mend === "" ? "" : ` → ${mend}`} `,
    )
    .join("");
}
