/** What follows from the rows' answers, in words: what stops a plan, and what is a warning. */
import { type ErrorCode, withReferences } from "../../core/errorCodes.ts";
import { isOfRows, type RowAnswer, type RowCheck, type RowQuestion } from "./rowCheck.ts";

/** The codes of what stops a plan. */
export function refusalCodes(checks: readonly RowCheck[]): ErrorCode[] {
  return checks.flatMap(({ question, answer }): ErrorCode[] => {
    if (answer.kind === "unsupported") return ["PS307"];
    if (answer.kind === "unpopulated") return ["PS308"];
    return answer.kind === "found" && question.effect === "refused" ? ["PS310"] : [];
  });
}

/** The lines that stop a plan; none where all its rows fit. */
export function refusedByRows(checks: readonly RowCheck[]): string[] {
  return checks.flatMap(({ question, answer }) => {
    if (answer.kind === "unsupported") {
      return [
        `  PS307: found values ${question.obstacle}, expected none for: ${firstLine(question.statement)}`,
        `    ${question.advice}`,
      ];
    }
    if (answer.kind === "unpopulated") {
      return [
        `  PS308: found a materialized view without data, expected one with data to be read by: ${firstLine(question.statement)}`,
        "    Run REFRESH MATERIALIZED VIEW for it first.",
      ];
    }
    return answer.kind === "found" && question.effect === "refused" ? found("PS310", question, answer) : [];
  });
}

/** What does not stop the plan and has to be known. */
export function rowWarnings(checks: readonly RowCheck[]): string[] {
  return checks.flatMap(({ question, answer }) => {
    switch (answer.kind) {
      case "found":
        if (question.effect === "doubtful") return [withReferences(doubtful(question, answer), ["PS217"])];
        if (question.effect === "moved") return [withReferences(moved(question, answer), ["PS231"])];
        return question.effect === "refused"
          ? []
          : [withReferences(found("PS216", question, answer).join("\n"), ["PS216"])];
      case "unfinished": {
        // They are moved, however many they are.
        if (question.effect === "moved") return [];
        return [
          unanswered(
            question,
            WHY[answer.reason],
            "The server checks them in the update, which stops if there are any.",
          ),
        ];
      }
      case "forbidden":
        return [
          unanswered(
            question,
            "this role may not read all rows of the table",
            "Have its owner, or a role with BYPASSRLS, run this.",
          ),
        ];
      case "unknown":
        if (question.effect !== "refused" || (question.isTriedBefore && isOfRows(answer.sqlstate))) return [];
        return [
          unanswered(
            question,
            `the question needs objects that do not exist yet, such as those that this plan creates (SQLSTATE ${answer.sqlstate})`,
            "The server checks them in the update, which stops if there are any.",
          ),
        ];
      default:
        return [];
    }
  });
}

const WHY = {
  time: "there was not enough time to read all rows",
  all: "the questions before it used up the time",
  lock: "another session holds a lock on the table",
  functions: "the functions or collations that it uses come with this plan, and could not be made beforehand",
} as const;

function found(code: ErrorCode, question: RowQuestion, answer: Extract<RowAnswer, { kind: "found" }>): string[] {
  const sqlstate = answer.sqlstate === undefined ? "" : ` (SQLSTATE ${answer.sqlstate})`;
  return [
    `  ${code}: found ${amount(question, answer)} ${question.obstacle}${sqlstate}, expected none for: ${firstLine(question.statement)}`,
    ...listing(question),
    `    ${question.advice}`,
  ];
}

function moved(question: RowQuestion, answer: Extract<RowAnswer, { kind: "found" }>): string {
  const lines = [`PS231: moves ${amount(question, answer)} ${question.obstacle}`, ...listing(question)];
  return [...lines, `    ${question.advice}`].join("\n");
}

function doubtful(question: RowQuestion, answer: Extract<RowAnswer, { kind: "found" }>): string {
  const lines = [
    `PS217: found ${amount(question, answer)} ${question.obstacle}, which the server may refuse in: ${firstLine(question.statement)}`,
    ...listing(question),
    `    ${question.advice}`,
  ];
  return lines.join("\n");
}

function unanswered(question: RowQuestion, why: string, then: string): string {
  const lines = [
    `PS217: not known whether there are ${question.unit}s ${question.obstacle}: ${why}. Expected none for: ${firstLine(question.statement)}`,
    ...listing(question),
    `    ${then}`,
  ];
  return withReferences(lines.join("\n"), ["PS217"]);
}

function listing({ lists, makes = [] }: RowQuestion): string[] {
  const [first = "", ...rest] = lists.split("\n");
  const how =
    makes.length === 0 ? "" : ", in a transaction that makes the functions as in the files and is rolled back";
  return [`    To list them${how}: ${first}`, ...rest.map((line) => `      ${line}`)];
}

function amount({ unit }: RowQuestion, { count, isMore, sqlstate }: Extract<RowAnswer, { kind: "found" }>): string {
  const shown = count.toLocaleString("en-US");
  const units = count === 1 ? unit : `${unit}s`;
  if (!isMore) return `${shown} ${units}`;
  return sqlstate !== undefined && count === 1 ? `at least 1 ${unit}` : `more than ${shown} ${unit}s`;
}

const firstLine = (sql: string): string => sql.split("\n")[0] ?? "";
