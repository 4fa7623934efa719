/**
 * Which drops beside new objects may be undeclared renames, and how the user is asked. Declared ones are in
 * `renames.ts`.
 */
import { approvalInLine, describe, nameInApproval } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase } from "../../catalog/pgDelta.ts";
import { quoteIdent } from "../../catalog/quote.ts";
import { rowsBehind, rowsInWords, type TableSizes, text } from "../../catalog/tables.ts";
import type { Statement } from "../statement.ts";

/**
 * A table or column with rows that goes while another one of the same shape comes. Nobody but its author
 * knows whether it is the same.
 */
export interface RenameQuestion {
  /** In words. */
  old: string;
  next: string;
  rows: number;
  /** As the comment says it. */
  oldName: string;
  /** As the input `renames` has it. */
  newPath: string;
  /** What the layer's `allow` must hold for the old one to go. */
  approval: string;
}

/**
 * Where a table or column is dropped with its rows and one of the same shape is made, a rename may be meant.
 */
export function renameQuestions(
  statements: readonly Statement[],
  live: FactBase,
  desired: FactBase,
  sizes: TableSizes,
): RenameQuestion[] {
  const dropped = statements
    .filter(({ op, id }) => op === "delete" && (id?.kind === "table" || id?.kind === "column"))
    .flatMap(({ id }) => (id === undefined ? [] : (live.get(id) ?? [])))
    .filter(({ id }) => rowsBehind(id, sizes, live, desired) > 0);
  if (dropped.length === 0) return [];
  const added = desired.facts().filter(({ id }) => (id.kind === "table" || id.kind === "column") && !live.has(id));
  return dropped.flatMap((old) =>
    added
      .filter((next) => isAlike(old, live, next, desired))
      .flatMap((next) => asQuestion(old, next, rowsBehind(old.id, sizes, live, desired))),
  );
}

function isAlike(old: Fact, live: FactBase, next: Fact, desired: FactBase): boolean {
  if (old.id.kind === "column" && next.id.kind === "column") {
    return (
      old.parent !== undefined &&
      next.parent !== undefined &&
      encodeId(old.parent) === encodeId(next.parent) &&
      text(old, "type") === text(next, "type") &&
      !old.payload.generatedExpr &&
      !next.payload.generatedExpr
    );
  }
  if (old.id.kind !== "table" || next.id.kind !== "table") return false;
  // Partitions of a table are alike. By its bound, another one holds other rows.
  const [bound, other] = [text(old, "partitionBound"), text(next, "partitionBound")];
  const isOther = bound !== "" && other !== "" && bound !== other;
  return !isOther && columnsOf(old, live) === columnsOf(next, desired);
}

function columnsOf({ id }: Fact, base: FactBase): string {
  const columns = base.childrenOf(id).filter((fact) => fact.id.kind === "column");
  return JSON.stringify(columns.map((fact) => ["name" in fact.id ? fact.id.name : "", text(fact, "type")]).sort());
}

function asQuestion({ id: old }: Fact, { id: next }: Fact, rows: number): RenameQuestion[] {
  if (old.kind === "column" && next.kind === "column") {
    return [
      {
        old: describe(old),
        next: describe(next),
        rows,
        oldName: written(old.name),
        newPath: [next.schema, next.table, next.name].map(written).join("."),
        approval: `drop-column:${nameInApproval(old)}`,
      },
    ];
  }
  if (old.kind !== "table" || next.kind !== "table") return [];
  return [
    {
      old: describe(old),
      next: describe(next),
      rows,
      oldName: (old.schema === next.schema ? [old.name] : [old.schema, old.name]).map(written).join("."),
      newPath: [next.schema, next.name].map(written).join("."),
      approval: `drop-table:${nameInApproval(old)}`,
    },
  ];
}

/** As a person writes a name in SQL. */
const written = (name: string): string => (/^[a-z_][a-z0-9_$]*$/.test(name) ? name : quoteIdent(name));

/** The question with both its answers, as they are to be written. */
export function askRename({ old, next, rows, oldName, newPath, approval }: RenameQuestion): string[] {
  return [
    `  Is ${next} the ${old} under a new name? ${sentence(old)} holds values of ${rowsInWords(rows)}.`,
    `    If it is, write above the line that declares ${next} in the layer's files:`,
    `      -- renamed from: ${oldName}`,
    `    or give the layer the input`,
    `      renames: ${JSON.stringify({ [newPath]: oldName })}`,
    `    If it is not and the values may be lost, add to the layer's \`allow\`:`,
    `      ${approvalInLine(approval)}`,
  ];
}

const sentence = (words: string): string => words.charAt(0).toUpperCase() + words.slice(1);
