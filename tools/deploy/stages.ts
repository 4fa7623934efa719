/** The stages of an update, and how long each has taken. What happens in them is left to `deploy.ts`. */

/** In the order of the procedure; the checks of the moment come once more right before the first change. */
export const STAGES = ["gate", "plan", "question", "backup", "update", "verification"] as const;
export type StageName = (typeof STAGES)[number];

export type StageStatus = "open" | "running" | "passed" | "skipped" | "failed" | "interrupted";

export interface Stage {
  name: StageName;
  status: StageStatus;
  elapsedMs: number;
  /** What came of it, in one line. */
  note: string;
}

/** One stage runs at a time, and may come up again. */
export class Stages {
  readonly all: readonly Stage[] = STAGES.map((name) => ({ name, status: "open", elapsedMs: 0, note: "" }));
  private current: { stage: Stage; since: number } | undefined;
  private readonly show: (line: string) => void;

  constructor(show: (line: string) => void) {
    this.show = show;
  }

  get running(): StageName | undefined {
    return this.current?.stage.name;
  }

  of(name: StageName): Stage {
    const stage = this.all.find((each) => each.name === name);
    if (stage === undefined) throw new RangeError(`there is no stage ${name}`);
    return stage;
  }

  begin(name: StageName): void {
    const before = this.current?.stage;
    if (before?.name === name) return;
    this.pause();
    // The others are within the update, and what comes after them shows that they went well.
    if (before !== undefined && before.name !== "update") before.status = "passed";
    const stage = this.of(name);
    if (stage.status === "open") this.show(`\n── ${name}`);
    stage.status = "running";
    this.current = { stage, since: performance.now() };
  }

  end(name: StageName, status: StageStatus, note: string): void {
    if (this.current?.stage.name === name) this.pause();
    const stage = this.of(name);
    Object.assign(stage, { status, note });
    const time = status === "skipped" ? "" : ` (${(stage.elapsedMs / 1000).toFixed(1)} s)`;
    this.show(`   ${name}: ${note === "" ? status : note}${time}`);
  }

  private pause(): void {
    if (this.current === undefined) return;
    const { stage, since } = this.current;
    stage.elapsedMs += performance.now() - since;
    this.current = undefined;
  }
}
