/**
 * Which DDL turns one set of facts into another: pg-delta's plan, with corrections for what it does not
 * support. Hazards, recipes and time limits come later, in `plan.ts`.
 */
import { parentsOf } from "../catalog/inheritance.ts";
import { describe, ownerObject } from "../catalog/objectNames.ts";
import { type Action, encodeId, type FactBase, plan, type StableId } from "../catalog/pgDelta.ts";
import { rolesNamedBy } from "../catalog/roles.ts";
import { isGenerated, virtualWriter } from "../catalog/virtualColumns.ts";
import { addTime } from "../core/timing.ts";
import { refuseAliasesByPlace, withColumnsInOrder } from "./columnOrder.ts";
import { columnPrivilegesLast } from "./columnPrivileges.ts";
import { columnChange, withColumnStepsInOrder } from "./columnSteps.ts";
import { withColumnsInPlace } from "./columnsInPlace.ts";
import { withoutDefaultPrivileges } from "./defaultPrivileges.ts";
import { withoutDependents } from "./dependents.ts";
import { withPartitionsDetached } from "./detachPartitions.ts";
import { castByText } from "./enumCasts.ts";
import { withGrantsEarly } from "./grantOrder.ts";
import { withIdentityPrivileges } from "./identityPrivileges.ts";
import { withStartBehindRows } from "./identityStart.ts";
import { defaultPartitionOf } from "./inheritance/links.ts";
import { withMovedColumns } from "./inheritance/movedColumns.ts";
import { withAllParents } from "./inheritance/newTables.ts";
import { ownColumnStatements, withoutOwnColumns } from "./inheritance/ownColumns.ts";
import type { Planner, Segment } from "./inheritance/segment.ts";
import { joinedLists, segments } from "./inheritance/segments.ts";
import { withKeysFromIndexes } from "./keyFromIndex.ts";
import { withColumnPrivilegesMerged } from "./mergeStatements.ts";
import { objectRules } from "./objectRules.ts";
import { withOwnerPrivileges } from "./ownerPrivileges.ts";
import { intermediateState, withBareTypes } from "./replacedObjects.ts";
import { withSequenceOwners } from "./sequenceOwners.ts";
import type { Lock, Statement, StatementList, Work } from "./statement.ts";
import { planned, refuseConvertedKeys } from "./unsupportedChange.ts";

const LOCKS: Record<Action["lockClass"], Lock> = {
  none: "none",
  share: "SHARE",
  shareRowExclusive: "SHARE ROW EXCLUSIVE",
  shareUpdateExclusive: "SHARE UPDATE EXCLUSIVE",
  accessExclusive: "ACCESS EXCLUSIVE",
};

const TRANSACTION_USE = { transactional: "shared", commitBoundaryAfter: "last", nonTransactional: "none" } as const;

const OPS = { create: "create", alter: "update", drop: "delete" } as const;

/** What it supports, any server does. */
const OLDEST_VERSION = 15;

/**
 * Ordered DDL that turns `live` into `desired`; empty when there is nothing to do.
 *
 * @param majorVersion of the server, which newer ones of the statements need.
 * @throws {UnsupportedChangeError} for a change of a type that is in use, which cannot be planned.
 */
export function planStatements(live: FactBase, desired: FactBase, majorVersion = OLDEST_VERSION): StatementList {
  return joinedLists(planSegments(live, desired, majorVersion).map(({ list }) => list));
}

/** What makes a copy of a catalog in an empty database, in which all has the names that it has there. */
export const copyStatements = (empty: FactBase, whole: FactBase): StatementList =>
  joinedLists(segments(empty, whole, planner(OLDEST_VERSION), { isCopy: true }).map(({ list }) => list));

/**
 * The same in parts, each with the states of the database that it leads from and to.
 *
 * @param recreated what goes first and comes back after, beside what is known to have to.
 */
export const planSegments = (
  live: FactBase,
  desired: FactBase,
  majorVersion: number,
  recreated: readonly StableId[] = [],
): Segment[] => segments(live, desired, planner(majorVersion, recreated));

const planner =
  (majorVersion: number, recreated: readonly StableId[] = []): Planner =>
  (from, to) => {
    const [live, desired] = [withoutOwnColumns(from), withoutOwnColumns(to)];
    const list = planPart(live, desired, majorVersion, recreated);
    const { before, after } = ownColumnStatements(from, to, list.statements);
    const statements = list.statements.map((statement) => withDefaultPartition(statement, live, desired));
    return { ...list, statements: [...before, ...statements, ...after] };
  };

function planPart(
  live: FactBase,
  desired: FactBase,
  majorVersion: number,
  recreated: readonly StableId[],
): StatementList {
  const cleared = withoutDependents(live, desired, recreated);
  const rest = withColumnsInPlace(cleared ?? live, desired, majorVersion, (from) =>
    withDetours(from, desired, majorVersion),
  );
  const list = cleared === undefined ? rest : joinedLists([plannedStatements(live, cleared, majorVersion), rest]);
  const kept = withMovedColumns(list.statements, live, desired);
  const statements = withStartBehindRows(withKeysFromIndexes(kept, live, desired), live, desired);
  return { ...list, statements: statements.map((statement) => withoutLoss(statement, live, desired)) };
}

/** A generated column that goes and comes back has the values that it had, or those of its new expression. */
function withoutLoss(statement: Statement, live: FactBase, desired: FactBase): Statement {
  const { id, op } = statement;
  const isComputed = id?.kind === "column" && isGenerated(live.get(id)) && isGenerated(desired.get(id));
  return op === "delete" && isComputed ? { ...statement, drops: [], destructive: false } : statement;
}

function withDetours(live: FactBase, desired: FactBase, majorVersion: number): StatementList {
  const between = (from: FactBase, to: FactBase): StatementList => plannedStatements(from, to, majorVersion);
  const direct = between(live, desired);
  const detour = intermediateState(direct.statements, live, desired);
  const whole = detour === undefined ? direct : joinedLists([between(live, detour), between(detour, desired)]);
  const bare = withBareTypes(whole.statements, desired);
  return bare === undefined ? whole : joinedLists([whole, between(bare, desired)]);
}

/** A partition that comes or goes changes what belongs to the default partition beside it. */
function withDefaultPartition(statement: Statement, live: FactBase, desired: FactBase): Statement {
  if (statement.id?.kind !== "table" || statement.op === "update") return statement;
  const [parent] = parentsOf(live.get(statement.id) ?? desired.get(statement.id));
  const rest = parent === undefined ? undefined : defaultPartitionOf(parent, live);
  const isOther = rest !== undefined && desired.has(rest) && encodeId(rest) !== encodeId(statement.id);
  return isOther ? { ...statement, locksToo: [rest] } : statement;
}

function plannedStatements(live: FactBase, desired: FactBase, majorVersion: number): StatementList {
  const started = performance.now();
  const { actions, preamble } = planned(
    () =>
      plan(live, desired, {
        // Roles belong to the cluster and are facts of no layer: those named exist, or will.
        assumedRoles: [live, desired].flatMap((side) => [...rolesNamedBy(side.facts(), side.edges)]),
        assumedSchemas: ["public", "pg_catalog"],
        compact: !hasTwinKeys(live, desired),
        intentRules: objectRules(majorVersion),
      }),
    live,
    desired,
  );
  addTime("plan", performance.now() - started);
  const write = virtualWriter(desired);
  const statements = withColumnsInOrder(withOwnerPrivileges(actions, live, desired), desired).map((action) =>
    withAllParents(castByText(toStatement({ ...action, sql: write(action.sql) }), live, desired), desired),
  );
  const inOrder = withColumnStepsInOrder(domainDefaultsBehindNeeds(enumValuesFirst(statements), desired), desired);
  const ordered = withoutDefaultPrivileges(
    columnPrivilegesLast(withSequenceOwners(inOrder, live, desired), live, desired, changingPrivilege("GRANT ")),
    live,
    desired,
    changingPrivilege("REVOKE "),
  );
  refuseAliasesByPlace(ordered, live, desired);
  refuseConvertedKeys(ordered, live, desired);
  const given = withGrantsEarly(withIdentityPrivileges(ordered, live, desired), desired);
  const whole = withColumnPrivilegesMerged(withPartitionsDetached(given, live));
  // Each session has its path already, with temporary objects last.
  const settings = preamble.filter(({ name }) => name !== "search_path");
  return { statements: whole, settings: [...settings, ...settingsFor(ordered)] };
}

/**
 * How the server has to read a text that was printed for all alike, where its own settings could say
 * otherwise.
 */
function settingsFor(statements: readonly Statement[]): StatementList["settings"] {
  const isMoney = statements.some(({ sql }) => sql.includes("'::money"));
  return isMoney ? [{ name: "lc_monetary", value: "C" }] : [];
}

const changingPrivilege =
  (privilege: string) =>
  (sql: string, id: StableId): Statement => ({
    sql,
    op: "update",
    object: describe(ownerObject(id)),
    id,
    subject: subject(sql, id, privilege),
    lock: "none",
    transaction: "shared",
    work: "catalog",
    drops: [],
    rewrites: false,
    destructive: false,
    consumes: [encodeId(id)],
  });

/**
 * Whether a new table has two keys of the same columns. Within a CREATE TABLE the server makes one of them,
 * so each has to be added by a statement of its own.
 */
function hasTwinKeys(live: FactBase, desired: FactBase): boolean {
  const seen = new Set<string>();
  for (const { id, parent, payload } of desired.facts()) {
    if (id.kind !== "constraint" || parent === undefined || (payload.type !== "p" && payload.type !== "u")) continue;
    if (live.has(parent)) continue;
    const columns = `${encodeId(parent)} ${String(payload.def).replace(/^(PRIMARY KEY|UNIQUE)( NULLS NOT DISTINCT)? /, "")}`;
    if (seen.has(columns)) return true;
    seen.add(columns);
  }
  return false;
}

/** A new enum value stands on its type alone, and no catalog tells what uses it, such as a default. */
function enumValuesFirst(statements: readonly Statement[]): Statement[] {
  const isValue = ({ transaction }: Statement): boolean => transaction === "last";
  return [...statements.filter(isValue), ...statements.filter((statement) => !isValue(statement))];
}

/** What the default of a domain stands on may come with the same plan, which the planner does not heed. */
function domainDefaultsBehindNeeds(statements: readonly Statement[], desired: FactBase): Statement[] {
  let ordered = [...statements];
  for (const statement of statements) {
    const { id, sql } = statement;
    if (id?.kind !== "domain" || !/^ALTER DOMAIN (?:"(?:[^"]|"")+"\.?)+ SET DEFAULT /.test(sql)) continue;
    const needs = new Set(desired.outgoingEdges(id).map(({ to }) => encodeId(to)));
    const start = ordered.indexOf(statement);
    const end = ordered.findLastIndex(({ op, id: made }) => op === "create" && made && needs.has(encodeId(made)));
    if (end > start)
      ordered = [
        ...ordered.slice(0, start),
        ...ordered.slice(start + 1, end + 1),
        statement,
        ...ordered.slice(end + 1),
      ];
  }
  return ordered;
}

/**
 * `pg_get_indexdef` prints an index of a partitioned table as one of the parent alone, which is of no use
 * before each partition has one as well. Without the word the server makes those too.
 */
function withPartitions(sql: string): string {
  return sql.replace(/^(CREATE (?:UNIQUE )?INDEX (?:"(?:[^"]|"")+"|[^\s"]+) ON )ONLY /, "$1");
}

function toStatement(planned: Action): Statement {
  const action = { ...planned, sql: withPartitions(planned.sql) };
  const id = subjectOf(action);
  const [privilege] = /^(GRANT|REVOKE) /.exec(action.sql) ?? [];
  return {
    sql: action.sql,
    // Rights are a part of their object: giving or taking some is a change of it.
    op: privilege === undefined ? OPS[action.verb] : "update",
    object: id === undefined ? "" : describe(ownerObject(id)),
    id,
    subject: subject(action.sql, id, privilege),
    lock: convertedColumn(action) === undefined ? LOCKS[action.lockClass] : "ACCESS EXCLUSIVE",
    transaction: TRANSACTION_USE[action.transactionality],
    work: workOf(action, id),
    drops:
      action.dataLoss === "none" ? [] : action.destroys.filter((id) => id.kind === "table" || id.kind === "column"),
    rewrites: action.rewriteRisk,
    destructive: action.dataLoss !== "none",
    consumes: action.consumes.map(encodeId),
  };
}

/** A constraint or index is built or checked when it comes, unless its SQL says that it need not be. */
function workOf({ sql, verb, rewriteRisk }: Action, id: StableId | undefined): Work {
  const computes = / GENERATED /.test(sql) && !/ VIRTUAL$/.test(sql);
  if (rewriteRisk || computes || / SET NOT NULL$/.test(sql) || / VALIDATE CONSTRAINT /.test(sql)) return "rows";
  if (verb !== "create" || id === undefined || / NOT VALID$/.test(sql)) return "catalog";
  return BUILT.has(id.kind) ? "rows" : "catalog";
}

const BUILT: ReadonlySet<StableId["kind"]> = new Set(["index", "constraint", "materializedView", "extension"]);

function subject(sql: string, id: StableId | undefined, privilege: string | undefined): string {
  if (id === undefined) return firstWords(sql);
  return privilege === undefined
    ? describe(id)
    : `${privilege.toLowerCase()}on ${describe(id.kind === "acl" ? id.target : id)}`;
}

function subjectOf(action: Action): StableId | undefined {
  const converted = convertedColumn(action);
  if (converted !== undefined) return converted;
  return action.verb === "drop"
    ? (action.destroys[0] ?? action.consumes[0])
    : (action.produces[0] ?? action.consumes[0]);
}

/**
 * Where a type is recreated, such as an enum that loses a value, a statement of the type converts each column
 * that has it. And a column that becomes an identity makes its sequence.
 */
function convertedColumn({ sql, verb, rewriteRisk, consumes }: Action): StableId | undefined {
  return verb === "alter" && (rewriteRisk || columnChange(sql) !== undefined)
    ? consumes.find(({ kind }) => kind === "column")
    : undefined;
}

const firstWords = (sql: string): string => sql.split(/\s+/).slice(0, 4).join(" ");
