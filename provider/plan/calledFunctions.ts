/**
 * What computes values for rows comes after the functions that it calls. The planner keeps to this where the
 * catalog knows the dependency; a text body and a conversion it cannot see into.
 */
import { encodeId, type FactBase, parseId, type StableId } from "../catalog/pgDelta.ts";
import { NamesInText, textBody } from "../catalog/textBodies.ts";
import type { Conversions } from "./conversions.ts";
import { StatementDependencies } from "./dependencies.ts";
import type { Statement } from "./statement.ts";

/** Which functions that a list makes or changes its other statements call. */
export class FunctionCalls {
  private readonly desired: FactBase;
  private readonly made: ReadonlyMap<string, Statement>;
  private readonly names: NamesInText;
  private readonly conversions: Conversions;

  constructor(statements: readonly Statement[], desired: FactBase, conversions: Conversions) {
    this.desired = desired;
    this.conversions = conversions;
    const made = statements.filter(isFunctionMade);
    this.made = new Map(made.flatMap((statement) => (statement.id ? [[encodeId(statement.id), statement]] : [])));
    // Without a function that changes, no text has to be read.
    this.names = new NamesInText(
      made.length === 0 ? [] : desired.facts().flatMap(({ id }) => (isCalled(id) ? [id] : [])),
    );
  }

  get isAny(): boolean {
    return this.made.size > 0;
  }

  /** Statements of the functions that a statement calls, in whatever depth. */
  of({ id, consumes }: Statement): Statement[] {
    if (!this.isAny || id === undefined) return [];
    const seen = new Set<string>();
    const found = new Set<Statement>();
    const conversion = this.conversions.get(encodeId(id))?.expression ?? "";
    const open = [id, ...consumes.map(parseId), ...this.names.in(conversion)];
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      const key = encodeId(each);
      if (seen.has(key)) continue;
      seen.add(key);
      const statement = this.made.get(key);
      if (statement !== undefined) found.add(statement);
      open.push(...this.desired.outgoingEdges(each).flatMap(({ kind, to }) => (kind === "depends" ? [to] : [])));
      open.push(...this.names.in(textBody(this.desired.get(each))));
    }
    return [...found];
  }
}

const isCalled = ({ kind }: StableId): boolean => kind === "function" || kind === "procedure" || kind === "aggregate";

/** A collation compares values as a function does. */
const isFunctionMade = ({ id, op, sql }: Statement): boolean =>
  id !== undefined && (isCalled(id) || id.kind === "collation") && op !== "delete" && sql.startsWith("CREATE ");

/**
 * The list with what computes values behind the functions that it calls, and what stands on it behind that.
 * Where a function stands on what calls it, the order stays.
 */
export function behindCalledFunctions(
  statements: readonly Statement[],
  live: FactBase,
  desired: FactBase,
  conversions: Conversions,
): readonly Statement[] {
  const calls = new FunctionCalls(statements, desired, conversions);
  if (!calls.isAny) return statements;
  const dependencies = new StatementDependencies(statements, { live, desired });
  const waitedFor = new Set<Statement>();
  const held: Statement[] = [];
  const heldIds = new Set<string>();
  const ordered: Statement[] = [];
  for (const [n, statement] of statements.entries()) {
    const own = statement.id === undefined ? "" : encodeId(statement.id);
    const late = statement.work === "rows" ? calls.of(statement).filter((each) => statements.indexOf(each) > n) : [];
    for (const each of late) waitedFor.add(each);
    // The columns of a table keep their order.
    const isNext = statement.op === "create" && held.some((each) => areColumnsOfOne(each, statement));
    if (late.length > 0 || isNext || heldIds.has(own) || dependencies.needs(statement).some((id) => heldIds.has(id))) {
      held.push(statement);
      if (own !== "") heldIds.add(own);
      continue;
    }
    ordered.push(statement);
    waitedFor.delete(statement);
    if (waitedFor.size > 0) continue;
    ordered.push(...held.splice(0));
    heldIds.clear();
  }
  return held.length > 0 ? statements : ordered;
}

function areColumnsOfOne({ op, id: one }: Statement, { id: other }: Statement): boolean {
  if (op !== "create" || one?.kind !== "column" || other?.kind !== "column") return false;
  return one.schema === other.schema && one.table === other.table;
}
