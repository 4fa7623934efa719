/** The calls about a set of rows, each handed to the file that carries it out, and its outputs. */
import { UserError } from "../../core/errors.ts";
import {
  type CallContext,
  type DiffResult,
  type Properties,
  type ResourceState,
  type ResourceType,
  UNKNOWN,
} from "../../core/resourceType.ts";
import { timed } from "../../core/timing.ts";
import type { Database } from "../../database/target.ts";
import { inTransaction } from "../../database/transaction.ts";
import { noteRows } from "../../verification/runWrites.ts";
import { readColumns } from "../row/columns.ts";
import { withDrift } from "../row/diff.ts";
import { warnOfServerLog } from "../row/serverLogWarning.ts";
import type { Session } from "../session.ts";
import { allNew, type Changes, compareSet, isNothing } from "./compare.ts";
import { removeMade } from "./delete.ts";
import { dataPath, inputDifference, isReplacement } from "./diff.ts";
import { createTrials, readTrialShape, refuseFaults, requirePlannedColumns, requireTable } from "./foresee.ts";
import { importedInputs, rowsId } from "./identity.ts";
import { checkedRowsInputs, isKnown, parseRowsInputs, type RowsInputs } from "./inputs.ts";
import { NONE_MADE, unpackMade } from "./made.ts";
import { describeRowsError } from "./rowsError.ts";
import { openSource, type RowSource } from "./source.ts";
import { countRows, stageSet } from "./stage.ts";
import { counted, driftOf, plannedChanges, summaryOf } from "./words.ts";
import { requireRows, seeAllRows, writeRows } from "./write.ts";

/** What a look at the database finds. */
interface Seen {
  changes: Changes;
  digest: string | undefined;
  /** The table is not there. */
  isMissing: boolean;
}

/**
 * A set of rows of one table held as desired state: rows are made or adopted by their key, repaired when they
 * drift, and, where the set is exclusive, deleted when they are not in it.
 */
export function createRows(session: Session, projectDirectory = process.cwd()): ResourceType {
  /** Runs a transaction, and turns its errors into messages that name the table. */
  async function on<T>(
    inputs: RowsInputs,
    context: CallContext,
    isUndone: boolean,
    work: Parameters<typeof inTransaction<T>>[2],
  ): Promise<T> {
    const database = connected();
    try {
      if (inputs.secretColumns.length > 0) await warnOfServerLog(database, context);
      // It takes as long as there are rows, and locks no more than rows.
      const limits = { ...session.config, statementTimeoutMs: session.config.longStatementTimeoutMs };
      return await timed("rows", () =>
        inTransaction(database, limits, work, {
          signal: context.signal,
          isUndone,
          onRetry: ({ attempt, reason }) => context.report.status(`${reason}: try ${attempt} follows`),
        }),
      );
    } catch (error) {
      throw describeRowsError(error, inputs);
    }
  }

  function connected(): Database {
    if (session.database) return session.database;
    throw new UserError("PS602", "the database's URL is not known; give the provider its url");
  }

  const sourceOf = (inputs: RowsInputs): RowSource => openSource(inputs, projectDirectory);

  /**
   * Compares the set with the database, in a transaction that is undone.
   *
   * @param isPlan asks as well what an update would be refused for.
   */
  async function look(inputs: RowsInputs, context: CallContext, isPlan: boolean): Promise<Seen> {
    const { table } = inputs;
    const { planned } = session;
    if (!session.database || table === undefined || !isKnown(inputs)) return withoutTable(inputs, false);
    return on(inputs, context, true, async (client) => {
      const columns = await readColumns(client, table);
      if (isPlan) requireTable(inputs, table, columns !== undefined, planned);
      if (!columns) return withoutTable(inputs, true);
      if (inputs.exclusive) await seeAllRows(client);
      const source = sourceOf(inputs);
      const staged = await stageSet(client, inputs, source, columns, { isPlan: true });
      requireRows(inputs, staged.count);
      if (isPlan) requirePlannedColumns(inputs, columns, source.columns, planned);
      const { layout } = staged;
      const shape = isPlan && layout !== undefined ? await readTrialShape(client, table) : undefined;
      const trials = layout && shape && (await createTrials(client, shape, layout));
      // An expression of compareWith must not write, nor a check.
      await client.query("SET TRANSACTION READ ONLY");
      const changes = await compareSet(client, inputs, staged, { isPlan: true });
      if (isPlan && layout !== undefined)
        await refuseFaults(client, { inputs, source, columns, layout, changes, trials, planned });
      return { changes, digest: source.digest(), isMissing: false };
    });
  }

  async function withoutTable(inputs: RowsInputs, isMissing: boolean): Promise<Seen> {
    const source = sourceOf(inputs);
    const count = inputs.unknown.has("file") || inputs.unknown.has("key") ? 0 : await countRows(source, inputs);
    if (!inputs.unknown.has("rows") && !inputs.unknown.has("file")) requireRows(inputs, count);
    return { changes: allNew(count), digest: source.digest(), isMissing };
  }

  /** Foresees a create or an update and publishes its lines. */
  async function plan(inputs: RowsInputs, context: CallContext): Promise<Properties> {
    if (!session.database)
      context.report.info("the database's URL is not known yet, so this is planned without looking at the database");
    const { changes, digest } = await look(inputs, context, true);
    if (!isNothing(changes) || !isKnown(inputs)) session.planned.rows(inputs.table);
    await context.report.plan(plannedChanges(changes, inputs));
    if (!isNothing(changes)) {
      session.guard.notePlanned();
      context.report.info(summaryOf(changes));
    }
    return { rowCount: changes.count, digest: digest ?? null, adopted: UNKNOWN, made: UNKNOWN, drift: [] };
  }

  async function write(inputs: RowsInputs, context: CallContext, state?: ResourceState): Promise<Properties> {
    const earlier = unpackMade(state?.outputs.made);
    const change = { context, operation: state === undefined ? "create" : "update" } as const;
    return session.inTurn(async () => {
      const { changes, adopted, made, digest } = await session.guard.guarded(change, (beforeChange) =>
        on(inputs, context, false, (client) => writeRows(client, inputs, sourceOf(inputs), earlier, beforeChange)),
      );
      if (!isNothing(changes)) noteRows(session.record, inputs.table, changes.added - changes.deleted);
      context.report.info(isNothing(changes) ? "all rows are as they should be" : summaryOf(changes));
      if (state === undefined && adopted > 0)
        context.report.info(`adopted ${counted(adopted)} that were there already`);
      return { rowCount: changes.count, digest: digest ?? null, adopted, made, drift: [] };
    });
  }

  return {
    token: "pgstrata:index:Rows",

    async check(_context, _olds, news) {
      return { inputs: news, failures: parseRowsInputs(news).failures };
    },

    async diff(context, state, news): Promise<DiffResult> {
      const inputs = checkedRowsInputs(news);
      let detailed = inputDifference(parseRowsInputs(state.inputs).inputs, inputs);
      if (isReplacement(detailed)) return diffOf(detailed);
      const { changes, digest, isMissing } = await look(inputs, context, false);
      const data = dataPath(inputs);
      if (digest !== undefined && digest !== state.outputs.digest)
        detailed[data] ??= { kind: "update", inputDiff: true };
      if (!session.database || isNothing(changes)) return diffOf(detailed);
      if (isMissing)
        context.report.warn(`${state.id}: the table is missing in the database; an update inserts all rows again`);
      else if (detailed[data] === undefined) context.report.info(`drift: ${summaryOf(changes)} differ in the database`);
      detailed = withDrift(detailed, [data], "update");
      return diffOf(detailed);
    },

    async create(context, news) {
      const inputs = checkedRowsInputs(news);
      if (context.preview) return { id: "", outputs: { ...heldInputs(news), ...(await plan(inputs, context)) } };
      const outputs = await write(inputs, context);
      return { id: rowsId(inputs), outputs: { ...heldInputs(news), ...outputs } };
    },

    async read(context, state) {
      const isImported = Object.keys(state.inputs).length === 0;
      const news = isImported ? importedInputs(state.id) : state.inputs;
      const { changes, isMissing } = await look(checkedRowsInputs(news), context, false);
      if (isMissing) return undefined;
      const known: Properties = isImported ? { rowCount: 0, adopted: 0, made: NONE_MADE, digest: null } : state.outputs;
      return { id: state.id, inputs: news, outputs: { ...known, ...heldInputs(news), drift: driftOf(changes) } };
    },

    async update(context, state, news) {
      const inputs = checkedRowsInputs(news);
      const outputs = context.preview ? await plan(inputs, context) : await write(inputs, context, state);
      return { ...heldInputs(news), ...outputs };
    },

    async delete(context, state) {
      const inputs = checkedRowsInputs(state.inputs);
      const made = unpackMade(state.outputs.made);
      const { adopted } = state.outputs;
      if (typeof adopted === "number" && adopted > 0)
        context.report.info(
          `${counted(adopted)} of ${state.id} stay in the database, as they were there before this program adopted them`,
        );
      if (made.keys.length === 0) return;
      await session.inTurn(() =>
        session.guard.guarded({ context, operation: "delete" }, (beforeChange) =>
          on({ ...inputs, secretColumns: [] }, context, false, (client) =>
            removeMade(client, inputs, made, beforeChange),
          ),
        ),
      );
    },
  };
}

function diffOf(detailed: DiffResult["detailed"]): DiffResult {
  return { changed: Object.keys(detailed).length > 0, detailed };
}

/** The rows are in the inputs of the state already, and those of a file nowhere in it. */
function heldInputs({ rows: _rows, ...others }: Properties): Properties {
  return others;
}
