/** The report of one update, as a file for people and as one for programs. What happened is given. */
import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../provider/core/errors.ts";
import { planAsMarkdown } from "../../provider/report/markdown.ts";
import { code, fenced, prose } from "../../provider/report/markdownText.ts";
import type { StackPlan } from "../../provider/report/stackPlan.ts";
import type { Stage } from "./stages.ts";
import type { BackupTaken, Verified } from "./updateEvents.ts";

/** What the procedure was given when people carried it out by hand. */
export const MINUTES_BY_HAND = 60;

/** `RUNNING` stays where the process was killed. */
export const RESULTS = ["RUNNING", "DONE", "NOTHING TO DO", "DECLINED", "NO-GO", "FAIL", "INTERRUPTED"] as const;
export type Result = (typeof RESULTS)[number];

export interface RunReport {
  stack: string;
  result: Result;
  /** As ISO 8601. */
  startedAt: string;
  elapsedMs: number;
  stages: readonly Stage[];
  /** Of the plan; undefined where it is not known. */
  digest: string | undefined;
  /** What has been changed for good, in one or two sentences. */
  stays: string;
  changed: readonly string[];
  errors: readonly string[];
  warnings: readonly string[];
  backup: BackupTaken | undefined;
  verified: Verified | undefined;
  plan: StackPlan | undefined;
}

/** The folder of a run's report. It names what stands in a database, so others are kept out. */
export class ReportFolder {
  readonly path: string;

  /** @throws {UserError} where it cannot be made. */
  constructor(project: string, startedAt: string) {
    this.path = join(project, "runs", startedAt.replaceAll(":", "-"));
    try {
      mkdirSync(this.path, { recursive: true, mode: 0o700 });
      chmodSync(join(project, "runs"), 0o700);
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error);
      throw new UserError("PS703", `The report cannot be written: ${found}. Nothing was changed.`);
    }
  }

  /** Each file is whole at any moment. A report that cannot be written stops no update. */
  write(report: RunReport): string | undefined {
    try {
      this.put("report.json", `${JSON.stringify(report, null, 2)}\n`);
      this.put("report.md", reportAsMarkdown(report));
      return undefined;
    } catch (error) {
      return `the report cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  private put(name: string, text: string): void {
    const file = join(this.path, name);
    writeFileSync(`${file}.new`, text, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
}

/** `4:07 of 60:00`. */
export const timeInWords = (elapsedMs: number): string => `${clock(elapsedMs)} of ${clock(MINUTES_BY_HAND * 60_000)}`;

function clock(elapsedMs: number): string {
  const seconds = Math.round(elapsedMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function reportAsMarkdown(report: RunReport): string {
  const { stack, result, startedAt, elapsedMs, stages, digest, stays, changed, errors, warnings } = report;
  const list = (title: string, texts: readonly string[]): string[] =>
    texts.length === 0 ? [] : ["", `#### ${title}`, "", ...texts.flatMap((text) => fenced(text, "text"))];
  return [
    `### ${result}: update of stack ${code(stack)}`,
    "",
    stays,
    "",
    `Begun ${startedAt}, ${timeInWords(elapsedMs)}.${digest === undefined ? "" : ` Plan ${code(digest)}.`}`,
    "",
    "| stage | status | time | |",
    "|---|---|--:|---|",
    ...stages.map(
      ({ name, status, elapsedMs: time, note }) =>
        `| ${name} | ${status} | ${time === 0 ? "" : `${(time / 1000).toFixed(1)} s`} | ${prose(note)} |`,
    ),
    ...list("Errors", errors),
    ...list("Warnings", warnings),
    ...backupAsLines(report),
    ...verifiedAsLines(report),
    ...(changed.length === 0 ? [] : ["", "#### Changed", "", ...changed.map((each) => `- ${code(each)}`)]),
    ...(report.plan === undefined ? [] : ["", "---", "", planAsMarkdown(report.plan).trimEnd()]),
    "",
  ].join("\n");
}

function backupAsLines({ backup }: RunReport): string[] {
  if (backup === undefined) return [];
  const { mode, takenAt, file, sizeBytes, proof } = backup;
  const told = [`mode ${mode}`, takenAt, file === "" ? "" : code(file), `${sizeBytes} bytes`, `proof: ${prose(proof)}`];
  return ["", "#### Backup", "", told.filter((text) => text !== "").join(", ")];
}

function verifiedAsLines({ verified }: RunReport): string[] {
  if (verified === undefined) return [];
  const others = verified.report.filter(({ status }) => status !== "PASS");
  const passed = verified.report.length - others.length;
  return [
    ...["", `#### Verification: ${verified.result}`, "", `${passed} of ${verified.report.length} checks pass.`],
    ...(others.length === 0 ? [] : ["", "| status | check | found | expected |", "|---|---|---|---|"]),
    ...others.map(
      ({ name, status, measured, expected }) =>
        `| ${status} | ${code(name)} | ${prose(measured)} | ${prose(expected)} |`,
    ),
  ];
}
