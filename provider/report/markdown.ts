/**
 * A plan as the comment in a pull request: the verdict, what is dangerous, who waits, the gate, all changes,
 * and all SQL folded away. How it is fitted into a comment is left to `fitParts.ts`.
 */
import { isStrong } from "../plan/requiredLocks.ts";
import { dangersOf, inFull, inShort } from "./dangers.ts";
import { fitParts, type Part } from "./fitParts.ts";
import { clipped, code, fenced, prose } from "./markdownText.ts";
import type { PlanLine } from "./planLine.ts";
import {
  type Message,
  otherWarnings,
  type ReportedGate,
  type StackPlan,
  scriptOf,
  totalsOf,
  type Verdict,
  verdictOf,
} from "./stackPlan.ts";
import { signOf } from "./text.ts";
import { durationInWords } from "./words.ts";

/** GitHub takes 65,536 characters in a comment, of which its workflow needs a few. */
const LONGEST_COMMENT = 60_000;
/** Room for messages of a preview that was stopped: what they tell of the plan is told again below. */
const LONGEST_ERROR = 6_000;
const LONGEST_ERRORS = 18_000;
/** Room for what is not dangerous: the verdict, the gate, and a word on each part that is left out. */
const ROOM_BESIDE_DANGERS = 8_000;

/** @param longest number of characters. */
export function planAsMarkdown(plan: StackPlan, longest = LONGEST_COMMENT): string {
  const { stack, layers, rows, resources, spentApprovals, errors } = plan;
  const all = (form: string): string => code(`npm run -s plan -- --stack ${stack}${form}`);
  const list = (rank: number, title: string, items: readonly string[], form = ""): Part[] =>
    items.length === 0 ? [] : [{ ...part(rank, ["", `#### ${title}`, ""], items), leftOut: leftOut(all(form)) }];
  const stopped = fitted(errors.flatMap(messageAsLines), LONGEST_ERRORS, all(""));
  const head = [headline(plan), "", `${totalsOf(plan)}. ${sentence(plan)}`];
  const parts: Part[] = [
    part(0, [...head, ...(stopped.length === 0 ? [] : ["", "#### Stopped", ...stopped])]),
    ...dangerParts(plan, longest - ROOM_BESIDE_DANGERS - head.join().length - stopped.join().length),
    ...list(4, "Who waits for it", waits(layers.flatMap(({ lines }) => lines))),
    ...(plan.gate === undefined ? [] : gateParts(plan.gate, leftOut(all("")))),
    ...(plan.digest === undefined ? [] : [part(1, ["", `Digest of the plan: ${code(plan.digest)}`])]),
    ...layers.map(({ name, lines }) => ({ ...table(name, lines), leftOut: leftOut(all("")) })),
    ...list(
      6,
      "Rows",
      rows.map(
        ({ op, title, columns }) =>
          `- ${code(signOf(op))} ${code(title)}: ${columns.map((each) => code(each)).join(", ")}`,
      ),
    ),
    ...list(
      6,
      "Other resources",
      resources.map(({ op, type, name }) => `- ${code(signOf(op))} ${code(`${type} ${name}`)}`),
    ),
    ...list(
      7,
      "Used approvals, which can be taken out of the layers' `allow`",
      spentApprovals.map(
        ({ layer, approvals }) => `- ${code(layer)}: ${approvals.map((each) => code(each)).join(", ")}`,
      ),
    ),
    ...list(3, "Warnings", otherWarnings(plan).flatMap(messageAsLines)),
    ...layers.map(({ name, lines }) => script(name, lines, leftOut(all(" --sql")))),
  ];
  return `${fitParts(parts, longest - 1, (count) => `\n${count} parts of this plan are left out; ${all("")} shows all.`)}\n`;
}

const part = (
  rank: number,
  before: readonly string[],
  items: readonly string[] = [],
  after: readonly string[] = [],
): Part => ({
  ...{ rank, before, items, after },
  leftOut: () => "",
});

const leftOut =
  (command: string) =>
  (count: number): string =>
    `\n${count.toLocaleString("en-US")} more, left out for the length of this comment; ${command} shows all.`;

const HEADLINES: Record<Verdict, string> = { GO: "GO", "WOULD BE NO-GO NOW": "Would be NO-GO now", STOPPED: "Stopped" };

const headline = (plan: StackPlan): string => `### ${HEADLINES[verdictOf(plan)]}: plan of stack ${code(plan.stack)}`;

function sentence(plan: StackPlan): string {
  switch (verdictOf(plan)) {
    case "STOPPED":
      return "An update would stop as this preview did.";
    case "WOULD BE NO-GO NOW":
      return `An update would stop before its first change: ${stoppingChecks(plan)}.`;
    case "GO":
      return plan.gate === undefined ? "The preview went through. No gate was asked." : "The gate says GO.";
  }
}

const stoppingChecks = ({ gate }: StackPlan): string =>
  (gate?.results ?? [])
    .filter(({ isStopping }) => isStopping)
    .map(({ name }) => prose(name))
    .join(", ");

/** All of it, or in the short form: it is the rest that gives way. */
function dangerParts(plan: StackPlan, most: number): Part[] {
  const dangers = dangersOf(plan);
  if (dangers.length === 0) return [];
  const before = ["", "#### Dangerous", ""];
  const lines = inFull(dangers);
  return [part(0, [...before, ...(lines.join("\n").length <= most ? lines : inShort(dangers, most))])];
}

const WAITERS: Partial<Record<PlanLine["lock"], string>> = {
  "ACCESS EXCLUSIVE": "reads and writes wait",
  "SHARE ROW EXCLUSIVE": "writes wait",
  SHARE: "writes wait",
};

/** Locks on tables with rows, the longest first; those on empty ones as a number. */
function waits(lines: readonly PlanLine[]): string[] {
  const strong = lines.filter(({ lock }) => isStrong(lock));
  const onRows = strong.filter(({ rows, estimateMs }) => rows > 0 || estimateMs !== undefined);
  const others = strong.length - onRows.length;
  return [
    ...onRows
      .toSorted((one, other) => (other.estimateMs ?? 0) - (one.estimateMs ?? 0))
      .map(
        ({ title, lock, rows, estimateMs }) =>
          `- ${code(title)}, ${rows.toLocaleString("en-US")} rows: ${WAITERS[lock] ?? "others wait"} (${lock}) ${estimateMs === undefined ? "for milliseconds" : `for ${durationInWords(estimateMs)}`}`,
      ),
    ...(others === 0 ? [] : [`- ${others.toLocaleString("en-US")} more without rows: for milliseconds`]),
  ];
}

/** What does not pass first. */
function gateParts({ verdict, results }: ReportedGate, shortened: Part["leftOut"]): Part[] {
  const row = ({ status, name, measured, expected, mend, note }: ReportedGate["results"][number]): string =>
    cells([
      prose(status),
      code(name),
      prose(measured),
      prose(expected),
      [mend, note]
        .filter(Boolean)
        .map((each) => prose(each))
        .join("; "),
    ]);
  const [told, passed] = [
    results.filter(({ status, note }) => status !== "PASS" || note !== ""),
    results.filter(({ status, note }) => status === "PASS" && note === ""),
  ];
  const heading = ["| status | check | measured | expected | what to do |", "|---|---|---|---|---|"];
  const title = ["", `#### Gate: ${verdict}`, "", `${passed.length} of ${results.length} checks pass.`];
  return [
    { ...part(2, [...title, ...(told.length === 0 ? [] : ["", ...heading])], told.map(row)), leftOut: shortened },
    ...(passed.length === 0
      ? []
      : [
          {
            ...part(8, ["", ...folded("What passes"), ...heading], passed.map(row), ["", "</details>"]),
            leftOut: shortened,
          },
        ]),
  ];
}

function table(name: string, lines: readonly PlanLine[]): Omit<Part, "leftOut"> {
  const heading = ["| | object | what | rows | lock | time | hazard |", "|---|---|---|--:|---|--:|---|"];
  return part(5, ["", `#### Layer ${code(name)}`, "", ...heading], lines.map(tableRow));
}

function tableRow({ op, title, notes, rows, lock, estimateMs, hazards, objects }: PlanLine): string {
  return cells([
    code(signOf(op)),
    code(title),
    [
      ...notes.map((each) => prose(each)),
      ...(objects.length === 0 ? [] : [objects.map((each) => code(each)).join(" ")]),
    ].join(", "),
    rows === 0 ? "" : rows.toLocaleString("en-US"),
    lock === "none" ? "" : lock,
    estimateMs === undefined ? "" : durationInWords(estimateMs),
    hazards
      .map(({ code: number, message, blocks, approval }) =>
        [`${number}: ${prose(message)}`, ...(blocks ? [`**Needs** ${code(approval)}`] : [])].join(". "),
      )
      .join("<br>"),
  ]);
}

const cells = (texts: readonly string[]): string => `| ${texts.join(" | ")} |`;

const messageAsLines = ({ resource, text }: Message): string[] => [
  ["", ...(resource === "" ? [] : [`${code(resource)}:`, ""]), ...fenced(clipped(text, LONGEST_ERROR), "text")].join(
    "\n",
  ),
];

function fitted(items: readonly string[], most: number, command: string): string[] {
  let used = 0;
  const count = items.findIndex((item) => {
    used += item.length;
    return used > most;
  });
  return count === -1 ? [...items] : [...items.slice(0, count), leftOut(command)(items.length - count)];
}

const folded = (title: string): string[] => [`<details><summary>${title}</summary>`, ""];

/** In one fence; so a statement that would end it makes the fence of all longer. */
function script(name: string, lines: readonly PlanLine[], shortened: Part["leftOut"]): Part {
  const statements = lines
    .flatMap((line) => line.statements.map((statement) => ({ ...line, statements: [statement] })))
    .toSorted((one, other) => (one.statements[0]?.position ?? 0) - (other.statements[0]?.position ?? 0))
    .map((line) => scriptOf([line]));
  const [open = "", , close = ""] = fenced(statements.join("\n"), "sql");
  const count = statements.length.toLocaleString("en-US");
  const title = `SQL of layer ${prose(name)}: ${count} statement${statements.length === 1 ? "" : "s"}`;
  return {
    ...part(9, ["", ...folded(title), open], statements, [close, "", "</details>"]),
    leftOut: shortened,
  };
}
