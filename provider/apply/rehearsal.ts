/**
 * Runs a plan before it is shown: a copy of the catalog that it has to do with is made in the shadow, the
 * statements are executed there, and the catalog read back must be the desired one. What depends on rows or
 * on the privileges of the role that connects is not asked here.
 */
import { createHash } from "node:crypto";
import pg from "pg";
import { buildFactBase, isPartOf } from "../catalog/factBase.ts";
import { describe } from "../catalog/objectNames.ts";
import { type DependencyEdge, encodeId, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { quoteQualified } from "../catalog/quote.ts";
import { keepOwnerEdge, readCatalog } from "../catalog/readCatalog.ts";
import { rolesNamedBy } from "../catalog/roles.ts";
import { tableOf } from "../catalog/tables.ts";
import { UserError } from "../core/errors.ts";
import { timed } from "../core/timing.ts";
import { castOf, howToConvert } from "../plan/convertedColumns.ts";
import { isTakenByParent } from "../plan/inheritance/takenByParent.ts";
import { domainOf, type Neighbourhood, nameOf, neighbourhoodOf } from "../plan/neighbourhood.ts";
import { copyStatements } from "../plan/planStatements.ts";
import { isLeftOver } from "../plan/recipeConstraints.ts";
import type { Statement, StatementList } from "../plan/statement.ts";
import type { ScratchDatabase, Shadow, ShadowNeeds } from "../shadow/shadow.ts";
import { execute } from "./execute.ts";
import type { PassedRehearsals } from "./passedRehearsals.ts";
import { StatementError } from "./statementError.ts";

/** What is rehearsed. */
export interface PlannedUpdate {
  /** The catalog as it is, before the renames of the plan. */
  before: FactBase;
  list: StatementList;
  desired: FactBase;
  /** Whether the layer says what an object is; all else must be there as before, whatever its print names. */
  isDeclared: (id: StableId) => boolean;
}

/** A scratch database and what it holds. */
interface CatalogCopy {
  database: ScratchDatabase;
  content: FactBase;
  /** Whether it holds nothing but what each database has from the beginning. */
  isFresh: boolean;
  roles: ReadonlySet<string>;
}

/** A copy that cannot be made, and why. */
class Unavailable extends Error {}

type RehearsalCode = "PS113" | "PS213" | "PS307" | "PS902";

/** A plan that did not pass. */
export class RehearsalError extends UserError {
  /** The one that the server refused; undefined where all went and the outcome is another. */
  readonly statement: Statement | undefined;

  constructor(code: RehearsalCode, message: string, statement?: Statement) {
    super(code, message);
    this.statement = statement;
  }
}

/** No session waits for a scratch database, and it waits for none. */
const LIMITS = { lockTimeoutMs: 0, lockLimitMs: 0, statementTimeoutMs: 0, longStatementTimeoutMs: 0 };

/** Rehearses the plans of one run, one at a time. A plan that has passed is not rehearsed again. */
export class Rehearsals {
  private readonly shadow: Shadow;
  private readonly passed: PassedRehearsals;
  private copy: Promise<CatalogCopy> | undefined;

  constructor(shadow: Shadow, passed: PassedRehearsals) {
    this.shadow = shadow;
    this.passed = passed;
  }

  /**
   * @returns why the plan could not be rehearsed; undefined for one that passed.
   * @throws {UserError} for a plan that the server refuses, or that leads elsewhere.
   */
  async rehearse(
    { before, list, desired, isDeclared }: PlannedUpdate,
    needs: ShadowNeeds,
  ): Promise<string | undefined> {
    if (list.statements.length === 0) return undefined;
    const near = neighbourhoodOf(list.statements, before, desired);
    const pending = near.before.facts().find(({ payload }) => payload.isDetachPending === true);
    if (pending !== undefined) return `the concurrent detach of ${describe(pending.id)} was started but not finished`;
    const digest = digestOf([this.shadow.identity, needs.owner, near.before.rootHash, near.desired.rootHash], list);
    if (await this.passed.has(digest)) return undefined;
    const roles = [near.before, near.desired].flatMap((side) => [...rolesNamedBy(side.facts(), side.edges)]);
    const copied = { ...needs, roles: [...new Set([...needs.roles, ...roles])] };
    try {
      await timed("rehearsal", () => this.play(near, list, before, copied, isDeclared));
    } catch (error) {
      await this.close();
      if (error instanceof Unavailable) return error.message;
      throw error;
    }
    await this.passed.add(digest);
    return undefined;
  }

  /** Begins to make a scratch database that is likely to be needed. A failure shows when it is. */
  prepare(needs: ShadowNeeds): void {
    this.copy ??= this.open(needs);
    this.copy.catch(() => {});
  }

  async close(): Promise<void> {
    const copy = await this.copy?.catch(() => undefined);
    await copy?.database.drop().catch(() => {});
    this.copy = undefined;
  }

  private async play(
    near: Neighbourhood,
    list: StatementList,
    whole: FactBase,
    needs: ShadowNeeds,
    isDeclared: PlannedUpdate["isDeclared"],
  ): Promise<void> {
    const copy = await this.copyOf(near.before, whole, needs);
    await run(copy, list, near, needs).catch((error: unknown) => {
      if (!(error instanceof StatementError)) throw error;
      throw isOfCopyAlone(error, near, list) ? inCopyAlone(error) : refused(error, list, near);
    });
    const facts = await factsOf(copy);
    const isStranger = (id: StableId): boolean => copy.content.has(id) && !near.before.has(id);
    const differing = differences(facts, near.desired, isStranger).filter(
      (each) => !isFinished(each, near, list) && (each.what !== "differs" || isDeclared(each.id)),
    );
    if (differing.length > 0) {
      // What the shadow prints in another form from the beginning is no fault of the plan.
      await this.close();
      const fresh = await this.copyOf(near.before, whole, needs);
      const atFirst = await factsOf(fresh);
      const faults = differing.filter(
        ({ id, what }) =>
          (what === "is left" && !atFirst.has(id)) ||
          (what !== "is left" && !near.before.has(id)) ||
          (near.before.has(id) && atFirst.has(id) && atFirst.hashOf(id) === near.before.hashOf(id)),
      );
      await this.close();
      if (faults.length > 0) throw leadsElsewhere(faults);
    }
    copy.content = facts;
  }

  /**
   * A scratch database with `content` in it: the open one, where it holds that and nothing that the target
   * lacks, else a new one.
   */
  private async copyOf(content: FactBase, whole: FactBase, needs: ShadowNeeds): Promise<CatalogCopy> {
    const open = await this.copy?.catch(() => undefined);
    const hasRoles = needs.roles.every((role) => open?.roles.has(role) === true);
    if (open !== undefined && hasRoles) {
      if (open.isFresh) return fill(open, content, whole, needs);
      if (isPartOf(content, open.content) && isPartOf(open.content, whole)) return open;
    }
    await this.close();
    this.copy = this.open(needs);
    return fill(await this.copy, content, whole, needs);
  }

  private async open(needs: ShadowNeeds): Promise<CatalogCopy> {
    const database = await this.shadow.create(needs).catch((error: unknown) => {
      throw error instanceof UserError ? new Unavailable(error.message) : error;
    });
    return { database, content: await factsOf({ database }), isFresh: true, roles: new Set(needs.roles) };
  }
}

/** Makes `content` in a fresh copy. */
async function fill(copy: CatalogCopy, content: FactBase, whole: FactBase, needs: ShadowNeeds): Promise<CatalogCopy> {
  const empty = copy.content;
  const all = withEachOf(empty, content, whole);
  copy.isFresh = false;
  await run(copy, copyStatements(empty, all), { before: empty, desired: all }, needs).catch((error: unknown) => {
    if (!(error instanceof StatementError)) throw error;
    throw new Unavailable(`the shadow cannot hold ${error.statement.subject} of this database: ${error.message}`);
  });
  copy.content = all;
  return copy;
}

/** Facts without what depends on what, which nobody asks of a copy. */
async function factsOf({ database: { readers, owner } }: Pick<CatalogCopy, "database">): Promise<FactBase> {
  return (await readCatalog(readers, owner, { dependencies: false, isRepeated: true })).facts;
}

async function run(
  { database }: CatalogCopy,
  list: StatementList,
  { before, desired }: Neighbourhood,
  { literalSettings = {} }: ShadowNeeds,
): Promise<void> {
  if (list.statements.length === 0) return;
  const client = await database.pool.connect();
  let isBroken = true;
  try {
    for (const [name, value] of Object.entries(literalSettings))
      await client.query("select pg_catalog.set_config($1, $2, false)", [name, value]);
    await execute(client, list, LIMITS, {
      live: before,
      desired,
      signal: NEVER,
      before: async () => {},
      kept: () => {},
      progress: () => {},
      waiting: (work) => work(),
    });
    isBroken = false;
  } finally {
    client.release(isBroken);
  }
}

const NEVER = new AbortController().signal;

/** The facts of the first, and those of the second that the third has as well. */
function withEachOf(first: FactBase, second: FactBase, whole: FactBase): FactBase {
  const facts = [...first.facts(), ...second.facts().filter(({ id }) => !first.has(id) && whole.has(id))];
  const seen = new Set(first.edges.map(edgeKey));
  const edges = [...first.edges, ...second.edges.filter((edge) => !seen.has(edgeKey(edge)))];
  return buildFactBase(facts, edges, first.source, { allowDangling: keepOwnerEdge });
}

const edgeKey = ({ kind, from, to }: DependencyEdge): string => JSON.stringify([kind, encodeId(from), encodeId(to)]);

interface Difference {
  id: StableId;
  what: "is missing" | "is left" | "differs";
}

/**
 * What recipes end with: a helper object is gone, and an index of a partition, built again or attached, has
 * become a part of its parent's. So has an index that a table had before it became a partition.
 */
function isFinished(
  { id, what }: Difference,
  { before, desired }: Neighbourhood,
  { statements }: StatementList,
): boolean {
  const fact = before.get(id);
  if (what !== "is missing" || fact === undefined) return false;
  const table = fact.parent === undefined ? undefined : desired.get(fact.parent);
  if (isLeftOver(fact) || (id.kind !== "column" && isTakenByParent(fact, table))) return true;
  if (id.kind !== "index") return false;
  const name = ` ${quoteQualified(id.schema, id.name)}`;
  return statements.some(({ sql }) => sql.endsWith(name));
}

/** @param isStranger tells what was in the scratch database and has nothing to do with the plan. */
function differences(found: FactBase, desired: FactBase, isStranger: (id: StableId) => boolean): Difference[] {
  return [
    ...desired.facts().flatMap(({ id }): Difference[] => {
      if (!found.has(id)) return [{ id, what: "is missing" }];
      return found.hashOf(id) === desired.hashOf(id) ? [] : [{ id, what: "differs" }];
    }),
    ...found
      .facts()
      .flatMap(({ id }): Difference[] => (desired.has(id) || isStranger(id) ? [] : [{ id, what: "is left" }])),
  ];
}

const REPORT =
  "Nothing was changed. This is a defect in pgstrata, not in your files: report it with this message, the definitions before and after, and the server's " +
  "version. Until it is fixed, make the change in two updates, or drop what depends on the changed object in the first one.";

/**
 * A definition that is made from its print may come to depend on more than in the database, such as on a
 * column that was added after it. The facts of the database tell: nothing depends on the object there but
 * what the plan itself has dropped by then.
 */
function isOfCopyAlone(
  { cause, statement: { id, standsFor = 1 } }: StatementError,
  { before }: Neighbourhood,
  { statements }: StatementList,
): boolean {
  if (!(cause instanceof pg.DatabaseError) || id === undefined) return false;
  // A sequence of the copy stands at its start, which tells nothing of the value that the database has.
  if (cause.code === INVALID_PARAMETER && id.kind === "sequence") return true;
  if (cause.code !== DEPENDENT_OBJECTS) return false;
  const drops = statements.map((each) => (each.op === "delete" && each.id ? encodeId(each.id) : undefined));
  const dropped = new Set(drops.slice(0, drops.indexOf(encodeId(id)) + standsFor));
  const table = tableOf(id, before);
  const isOwn = (other: StableId): boolean => {
    const own = tableOf(other, before);
    return table !== undefined && own !== undefined && encodeId(own) === encodeId(table);
  };
  const parts = before.childrenOf(id).map((part) => part.id);
  return ![id, ...parts]
    .flatMap((each) => before.incomingEdges(each))
    .some(({ kind, from }) => kind === "depends" && !dropped.has(encodeId(from)) && !isOwn(from));
}

const inCopyAlone = ({ statement, message }: StatementError): Unavailable =>
  new Unavailable(`in a copy of the catalog, ${statement.subject}: ${message}`);

/** invalid_parameter_value */
const INVALID_PARAMETER = "22023";
/** dependent_objects_still_exist */
const DEPENDENT_OBJECTS = "2BP01";

/** duplicate_table, duplicate_object, duplicate_function, duplicate_schema, duplicate_column */
const NAME_IS_TAKEN: ReadonlySet<string> = new Set(["42P07", "42710", "42723", "42P06", "42701"]);

const IN_THE_WAY =
  "Nothing was changed. The database has an object of that name that no layer declares in this form: rename or drop it there, or declare it.";

const FEATURE_NOT_SUPPORTED = "0A000";
const CANNOT_COERCE = "42846";

const NOT_CHECKED =
  "Nothing was changed. The server checks no values of a domain within an array, a range or a composite type: declare a CHECK as NOT VALID, which holds for new values; for NOT NULL, write CHECK (VALUE IS NOT NULL) NOT VALID.";

const isOfDomain = (id: StableId, { desired }: Neighbourhood): boolean =>
  (domainOf(id, desired) ?? id).kind === "domain";

/** Whether another object has the name and stays; what the plan makes or changes itself is not in the way. */
function isInTheWay({ statement: { id }, message }: StatementError, { before, desired }: Neighbourhood): boolean {
  return before.facts().some((fact) => {
    if (!("name" in fact.id) || !desired.has(fact.id)) return false;
    if (id === undefined || encodeId(fact.id) === encodeId(id)) return false;
    return message.includes(`"${fact.id.name}"`) || nameOf(fact.id) === nameOf(id);
  });
}

function refused(error: StatementError, { statements }: StatementList, near: Neighbourhood): RehearsalError {
  const { statement, message, cause } = error;
  const sqlstate = cause instanceof pg.DatabaseError ? (cause.code ?? "unknown") : "unknown";
  const [code, advice] = adviceOn(sqlstate, error, near);
  return new RehearsalError(
    code,
    [
      "The plan was rehearsed on a copy of the catalog without its rows, and PostgreSQL refuses it:",
      `  statement ${statements.indexOf(statement) + 1} of ${statements.length}, ${statement.op} ${statement.subject}: ${message} (SQLSTATE ${sqlstate})`,
      ...statement.sql
        .split("\n")
        .slice(0, MOST_LINES)
        .map((line) => `    ${line}`),
      advice,
    ].join("\n"),
    statement,
  );
}

function adviceOn(sqlstate: string, error: StatementError, near: Neighbourhood): [RehearsalCode, string] {
  const { id, sql } = error.statement;
  if (NAME_IS_TAKEN.has(sqlstate) && isInTheWay(error, near)) return ["PS213", IN_THE_WAY];
  if (sqlstate === FEATURE_NOT_SUPPORTED && id !== undefined && isOfDomain(id, near)) return ["PS307", NOT_CHECKED];
  // The plan makes the type, so the server could not be asked before.
  if (sqlstate === CANNOT_COERCE && id?.kind === "column" && castOf(sql) !== undefined)
    return ["PS113", howToConvert(id)];
  return ["PS902", REPORT];
}

const MOST_LINES = 20;

function leadsElsewhere(found: readonly Difference[]): RehearsalError {
  const lines = found.slice(0, MOST_LINES).map(({ id, what }) => `${describe(id)} ${what}`);
  return new RehearsalError(
    "PS902",
    [
      "The plan was rehearsed on a copy of the catalog without its rows, and does not produce what the files declare:",
      ...lines.map((line) => `  ${line}`),
      REPORT,
    ].join("\n"),
  );
}

/** Of a plan with all that its outcome depends on. */
function digestOf(context: readonly string[], { statements, settings }: StatementList): string {
  const hash = createHash("sha256").update(JSON.stringify([FORMAT, context, settings]));
  for (const { sql, transaction, searchPath = "" } of statements)
    hash.update(JSON.stringify([sql, transaction, searchPath]));
  return hash.digest("hex").slice(0, 32);
}

/** Raised when a rehearsal asks more than before: what passed until then is rehearsed again. */
const FORMAT = "rehearsal 2";
