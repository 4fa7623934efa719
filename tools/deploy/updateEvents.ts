/**
 * What the events of `pulumi up` tell of an update: in which stage it is, what it has changed, and what
 * backup and verification have reported. They come from the CLI's event log, one JSON object a line.
 */
import { z } from "zod";
import { CHANGES_BEGIN, stepIn } from "../../provider/core/guardStatus.ts";
import type { StageName } from "./stages.ts";

const BACKUP = "pgstrata:index:Backup";
const VERIFICATION = "pgstrata:index:Verification";
const GATE = "pgstrata:index:Gate";

/** The stage that a step of the provider's guard belongs to. */
const STAGE_OF_STEP: Readonly<Record<string, StageName>> = {
  gate: "gate",
  backup: "backup",
  baseline: "verification",
};

const outputs = z.record(z.string(), z.unknown()).default({});
const state = z.object({ outputs, custom: z.boolean().default(false) });
const resource = z.object({
  metadata: z.object({
    op: z.string(),
    urn: z.string(),
    type: z.string(),
    new: state.nullish(),
    old: state.nullish(),
  }),
});
const event = z.object({
  diagnosticEvent: z
    .object({
      urn: z.string().default(""),
      message: z.string(),
      severity: z.string(),
      ephemeral: z.boolean().default(false),
    })
    .optional(),
  resourcePreEvent: resource.optional(),
  resOutputsEvent: resource.optional(),
  resOpFailedEvent: resource.optional(),
});

const backupOutputs = z.object({
  mode: z.string(),
  takenAt: z.string().default(""),
  file: z.string().default(""),
  sizeBytes: z.number().default(0),
  proof: z.string().default(""),
});
const verificationOutputs = z.object({
  result: z.string(),
  report: z
    .array(z.object({ name: z.string(), status: z.string(), measured: z.string(), expected: z.string() }))
    .default([]),
});

export type BackupTaken = z.output<typeof backupOutputs>;
export type Verified = z.output<typeof verificationOutputs>;

/** What an update has come to. */
export class UpdateProgress {
  /** Resources that are changed for good. */
  readonly changed: string[] = [];
  /** Resources whose change has begun and not ended. */
  readonly begun = new Set<string>();
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  /** Whether a step before the first change was begun, and whether all were passed. */
  guard: "none" | "begun" | "passed" = "none";
  backup: BackupTaken | undefined;
  verified: Verified | undefined;
  private readonly listener: { stage(name: StageName): void; line(text: string): void };

  constructor(listener: { stage(name: StageName): void; line(text: string): void }) {
    this.listener = listener;
  }

  /** @param line of the event log. */
  take(line: string): void {
    const parsed = event.safeParse(JSON.parse(line));
    if (!parsed.success) return;
    const { diagnosticEvent, resourcePreEvent, resOutputsEvent, resOpFailedEvent } = parsed.data;
    if (diagnosticEvent !== undefined) this.message(diagnosticEvent);
    if (resourcePreEvent !== undefined) this.resourceBegins(resourcePreEvent);
    if (resOutputsEvent !== undefined) this.resourceEnds(resOutputsEvent, true);
    if (resOpFailedEvent !== undefined) this.resourceEnds(resOpFailedEvent, false);
  }

  private message({ urn, message, severity, ephemeral }: NonNullable<z.output<typeof event>["diagnosticEvent"]>): void {
    const text = message.trimEnd().replace(/^(warning|error): /, "");
    if (severity === "debug" || text === "") return;
    const label = labelOf(urn);
    const told = label === "" ? text : `${label}: ${text}`;
    if (severity === "error") this.errors.push(told);
    if (severity === "warning") this.warnings.push(told);
    if (!ephemeral) return;
    const step = stepIn(text);
    if (step !== undefined) {
      this.guard = "begun";
      const stage = STAGE_OF_STEP[step];
      if (stage !== undefined) this.listener.stage(stage);
    } else if (text === CHANGES_BEGIN) {
      this.guard = "passed";
      this.listener.stage("update");
    } else this.listener.line(`   ${told}`);
  }

  private resourceBegins({ metadata: { op, urn, type } }: z.output<typeof resource>): void {
    if (!isChange(op)) return;
    if (type === VERIFICATION) this.listener.stage("verification");
    const label = labelOf(urn);
    if (label !== "") this.begun.add(label);
  }

  private resourceEnds(
    { metadata: { op, urn, type, new: after, old } }: z.output<typeof resource>,
    isDone: boolean,
  ): void {
    if (!isChange(op)) return;
    if (type === BACKUP) this.backup = backupOutputs.safeParse(after?.outputs).data ?? this.backup;
    if (type === VERIFICATION) this.verified = verificationOutputs.safeParse(after?.outputs).data ?? this.verified;
    const label = labelOf(urn);
    // An end may be told twice.
    if (!this.begun.delete(label)) return;
    // Components are folders, and a provider is a connection.
    const isReal = (after ?? old)?.custom === true && !type.startsWith("pulumi:") && !REPORTING.has(type);
    if (isDone && isReal) this.changed.push(label);
    this.listener.line(`   ${isDone ? "✓" : "✗"} ${op} ${label}`);
    if (type === VERIFICATION && isDone) this.listener.stage("update");
  }
}

/** They change nothing. */
const REPORTING = new Set([BACKUP, VERIFICATION, GATE]);

const isChange = (op: string): boolean => op !== "same" && op !== "read" && op !== "refresh";

function labelOf(urn: string): string {
  const [, , types = "", ...name] = urn.split("::");
  const type = types.split("$").at(-1) ?? "";
  return urn === "" || type === "pulumi:pulumi:Stack" ? "" : `${type.split(":").at(-1)} ${name.join("::")}`;
}
