/**
 * Which of what is kept comes back: what is declared again and is like it. A name that has been taken
 * again is a question, for which a layer's `allow` has two answers.
 */
import { inheritanceOf } from "../../catalog/inheritance.ts";
import type { Kept, KeptColumn, KeptSchema } from "../../catalog/kept.ts";
import { approvalInLine, describe, nameInApproval } from "../../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../../catalog/pgDelta.ts";
import { type ColumnId, columnId, type TableId, tableId, text } from "../../catalog/tables.ts";
import { UserError } from "../../core/errors.ts";
import { inSchema } from "./inSchema.ts";
import type { Keeping } from "./retire.ts";

export interface TakeBackContext {
  kept: Kept;
  live: FactBase;
  /** What the layer declares. */
  added: readonly Fact[];
  /** What the layer approves of, as it wrote each. */
  answers: ReadonlyMap<string, string>;
  /** Undefined where nothing is kept from now on. */
  keeping: Keeping | undefined;
}

export interface ChosenTable {
  in: KeptSchema;
  /** As it is to be called. */
  id: TableId;
  /** As it is called now. */
  now: TableId;
  replaces: boolean;
}

export interface ChosenColumn {
  kept: KeptColumn;
  id: ColumnId;
  /** As it is called once its table has its old name. */
  from: ColumnId;
  replaces: boolean;
}

type Verdict = "take" | "replace" | "leave";

export class Choice {
  readonly approvals: string[] = [];
  private readonly context: TakeBackContext;
  private readonly whole: FactBase;
  private readonly questions: string[] = [];

  constructor(context: TakeBackContext, whole: FactBase) {
    this.context = context;
    this.whole = whole;
  }

  tables(declared: readonly TableId[]): ChosenTable[] {
    const { kept, added, live } = this.context;
    const declaredTables = new Map(added.map((fact) => [encodeId(fact.id), fact]));
    return declared.flatMap((id): ChosenTable[] => {
      const columns = columnsOf(id, added, declaredTables.get(encodeId(id)));
      const found = kept.schemas
        .filter(({ name, schema }) => schema === id.schema && this.whole.has(tableId(name, id.name)))
        .map((place) => {
          const now = tableId(place.name, id.name);
          return { in: place, id, now, likeness: likeness(columns, this.columnsNow(now, place)) };
        })
        .filter((each) => each.likeness > 0)
        .sort((one, other) => other.likeness - one.likeness || (one.in.until < other.in.until ? 1 : -1));
      const [best] = found;
      if (best === undefined) return [];
      const isOther = live.has(id) && likeness(columns, columnsOf(id, live.childrenOf(id), live.get(id))) < EQUAL;
      const verdict = this.verdict(id, best.now, best.in.until, {
        isThere: live.has(id),
        isMeant: best.likeness === EQUAL && isOther,
      });
      return verdict === "leave" ? [] : [{ ...best, replaces: verdict === "replace" }];
    });
  }

  columns(declared: readonly ColumnId[], tables: readonly ChosenTable[]): ChosenColumn[] {
    const { kept, added, live } = this.context;
    const types = new Map(added.map((fact) => [encodeId(fact.id), text(fact, "type")]));
    const byPlace = new Map(tables.map(({ id, now }) => [encodeId(now), id]));
    return declared.flatMap((id): ChosenColumn[] => {
      const type = types.get(encodeId(id));
      const found = kept.columns
        .flatMap((each) => {
          const now = tableId(each.id.schema, each.id.table);
          const table = byPlace.get(encodeId(now)) ?? now;
          const from = columnId(table, each.id.name);
          const place = tables.find((one) => encodeId(one.now) === encodeId(now))?.in;
          const keptType = inPlace(text(this.whole.get(each.id), "type"), place);
          const isIts = each.column === id.name && encodeId(table) === encodeId(tableId(id.schema, id.table));
          return isIts && keptType === type ? [{ kept: each, id, from }] : [];
        })
        .sort((one, other) => (one.kept.until < other.kept.until ? 1 : -1));
      const [best] = found;
      if (best === undefined) return [];
      const isThere = live.has(id);
      const isMeant = isThere && text(live.get(id), "type") !== type;
      const verdict = this.verdict(id, best.kept.id, best.kept.until, { isThere, isMeant });
      return verdict === "leave" ? [] : [{ ...best, replaces: verdict === "replace" }];
    });
  }

  refuseQuestions(): void {
    if (this.questions.length === 0) return;
    throw new UserError(
      "PS832",
      [
        "Stopped before the first statement with a question: a name has been taken again since what had it was dropped and kept.",
        ...this.questions,
        "Nothing was changed. Add one of the two answers for each to the layer's `allow`.",
      ].join("\n"),
    );
  }

  private verdict(
    id: StableId,
    now: StableId,
    until: string,
    { isThere, isMeant }: { isThere: boolean; isMeant: boolean },
  ): Verdict {
    const name = nameInApproval(id);
    const [take, leave] = [`take-back:${name}`, `leave-kept:${name}`];
    const { answers, keeping } = this.context;
    const left = answers.get(leave);
    if (left !== undefined) {
      if (!isThere || isMeant) this.approvals.push(left);
      return "leave";
    }
    if (!isThere) return "take";
    if (!isMeant) return "leave";
    const given = answers.get(take);
    if (given === undefined) {
      this.questions.push(
        `  Found ${describe(id)}, which is not as the files say, and ${describe(now)}, which is, kept until ${until} with its rows.`,
        `    To take the kept one back, and keep the present one in its place:  ${approvalInLine(take)}`,
        `    To change the present one, and leave the kept one:  ${approvalInLine(leave)}`,
      );
      return "leave";
    }
    if (keeping === undefined) throw withoutKeeping(id);
    this.approvals.push(given);
    return "replace";
  }

  /** Columns of a kept table with the types that they have outside; kept ones of its own are left out. */
  private columnsNow(table: TableId, place: KeptSchema): Map<string, string> {
    const kept = new Set(this.context.kept.columns.map(({ id }) => encodeId(id)));
    const own = this.whole.childrenOf(table).filter(({ id }) => !kept.has(encodeId(id)));
    return new Map(
      [...columnsOf(table, own, this.whole.get(table))].map(([name, type]) => [name, inPlace(type, place)]),
    );
  }
}

const inPlace = (type: string, place: KeptSchema | undefined): string =>
  place === undefined ? type : inSchema(type, place.name, place.schema);

/** The types of a table's columns by their names, those of its parents too. */
function columnsOf(table: TableId, facts: readonly Fact[], whole: Fact | undefined): Map<string, string> {
  const inherited = inheritanceOf(whole)?.columns.filter(({ isInherited }) => isInherited) ?? [];
  return new Map([
    ...facts.flatMap((fact) =>
      fact.id.kind === "column" && fact.id.schema === table.schema && fact.id.table === table.name
        ? [[fact.id.name, text(fact, "type")] as const]
        : [],
    ),
    ...inherited.map(({ name, payload }) => [name, payload.type] as const),
  ]);
}

const EQUAL = 2;

/** 2: the same columns; up to 1: how many of the shorter list both have, from a half on; 0: another table. */
function likeness(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): number {
  const same = [...one].filter(([name, type]) => other.get(name) === type).length;
  if (same === one.size && same === other.size) return EQUAL;
  const share = same / Math.max(1, Math.min(one.size, other.size));
  return share >= 0.5 ? share : 0;
}

function withoutKeeping(id: StableId): UserError {
  return new UserError(
    "PS832",
    `Found the approval take-back:${nameInApproval(id)} while keepDropped is 0, so the present ${describe(id)} would be lost. ` +
      "Expected keepDropped to be set, or the present one to be dropped in an update of its own first. Nothing was changed.",
  );
}
