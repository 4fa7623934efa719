/** The calls about a row, each handed to the file that carries it out, and its outputs. */
import { UserError } from "../../core/errors.ts";
import type {
  CallContext,
  DiffResult,
  Properties,
  ResourceState,
  ResourceType,
  Value,
} from "../../core/resourceType.ts";
import { UNKNOWN } from "../../core/resourceType.ts";
import { equalValues, propertyPath } from "../../core/values.ts";
import { visible } from "../../core/visible.ts";
import type { Database } from "../../database/target.ts";
import type { Session } from "../session.ts";
import { bindPlannedRow } from "./boundRow.ts";
import { readColumns } from "./columns.ts";
import { removeRow } from "./delete.ts";
import { inputDifference, isReplacement, withDrift } from "./diff.ts";
import { parseRowId, rowId } from "./identity.ts";
import { checkedRowInputs, parseRowInputs, type RowInputs } from "./inputs.ts";
import { type FoundRow, findRow, planRow } from "./preview.ts";
import { readLiveForPlan } from "./read.ts";
import { describeRowError } from "./rowError.ts";
import { warnOfServerLog } from "./serverLogWarning.ts";
import { writeRow } from "./write.ts";

/**
 * One row held as desired state: made or adopted by its key, repaired when it drifts, deleted only when
 * nothing else needs it.
 */
export function createRow(session: Session): ResourceType {
  /** Runs what needs the database, and turns its errors into messages that name the row. */
  async function on<T>(inputs: RowInputs, context: CallContext, work: (database: Database) => Promise<T>): Promise<T> {
    const { database } = session;
    if (!database) throw new UserError("PS602", "the database's URL is not known; give the provider its url");
    try {
      if (inputs.secretValues.size + inputs.initialSecretValues.size > 0) await warnOfServerLog(database, context);
      return await work(database);
    } catch (error) {
      throw await describeRowError(error, database, inputs);
    }
  }

  async function plan(inputs: RowInputs, context: CallContext): ReturnType<typeof planRow> {
    const foreseen = session.database
      ? await on(inputs, context, () => planRow(session, inputs, context))
      : await planRow(session, inputs, context);
    if (foreseen.isWritten) session.guard.notePlanned();
    return foreseen;
  }

  return {
    token: "pgstrata:index:Row",

    async check(_context, _olds, news) {
      return { inputs: news, failures: parseRowInputs(news).failures };
    },

    async diff(context, state, news): Promise<DiffResult> {
      const inputs = checkedRowInputs(news);
      const detailed = inputDifference(parseRowInputs(state.inputs).inputs, inputs);
      if (!session.database || isReplacement(detailed, inputs)) return diffOf(detailed);
      const found = await on(inputs, context, (database) => findRow(database, inputs));
      if (!found) {
        context.report.warn(`${state.id} is missing in the database; an update inserts it again`);
        return diffOf(withDrift(detailed, writtenPaths(inputs), "add"));
      }
      for (const note of found.live.notes) context.report.info(visible(note));
      const differing = found.live.differing.map(({ path }) => path);
      const drift = differing.filter((path) => detailed[path] === undefined);
      if (drift.length > 0) context.report.info(`drift: ${drift.join(", ")} differs in the database`);
      const renumbered = otherIdentity(state.outputs.columns, found);
      if (renumbered.length > 0)
        context.report.info(`${state.id} is another row than before: its ${renumbered.join(", ")} is new`);
      const outputs = renumbered.map((name) => propertyPath("columns", name));
      return diffOf(withDrift(detailed, [...differing, ...found.row.undetermined, ...outputs], "update"));
    },

    async create(context, news) {
      const inputs = checkedRowInputs(news);
      if (context.preview) {
        const { exists, columns } = await plan(inputs, context);
        if (exists) context.report.info("the row is there already and will be adopted");
        return { id: "", outputs: outputsOf(news, columns, exists) };
      }
      const { existed, isAdopted, changed, columns } = await on(inputs, context, (database) =>
        session.inTurn(() => writeRow(session, database, inputs, { context, operation: "create" })),
      );
      if (existed) {
        context.report.info(
          `adopted the row that was there already; ${changed.length > 0 ? `set ${changed.join(", ")}` : "nothing had to be changed"}`,
        );
      }
      return { id: idOf(inputs), outputs: outputsOf(news, columns, isAdopted) };
    },

    async read(context, state) {
      const imported = Object.keys(state.inputs).length === 0;
      const news = imported ? importedInputs(state.id) : state.inputs;
      const inputs = checkedRowInputs(news);
      return on(inputs, context, async (database) => {
        const pool = await database.pool();
        const columns = inputs.table && (await readColumns(pool, inputs.table));
        if (!columns) return undefined;
        const row = bindPlannedRow(inputs, columns);
        const live = row && (await readLiveForPlan(pool, row));
        if (!row || !live) return undefined;
        const drift = [...live.differing.map(({ path }) => path), ...row.undetermined];
        const adopted = imported || state.outputs.adopted === true;
        return { id: state.id, inputs: news, outputs: { ...outputsOf(news, live.columns, adopted), drift } };
      });
    },

    async update(context, state: ResourceState, news) {
      const inputs = checkedRowInputs(news);
      const wasAdopted = state.outputs.adopted === true;
      if (context.preview) {
        const { exists, columns } = await plan(inputs, context);
        return outputsOf(news, columns, exists && wasAdopted);
      }
      const { existed, columns } = await on(inputs, context, (database) =>
        session.inTurn(() => writeRow(session, database, inputs, { context, operation: "update" })),
      );
      if (!existed) context.report.warn("the row was missing in the database and was inserted again");
      return outputsOf(news, columns, existed && wasAdopted);
    },

    async delete(context, state) {
      if (state.outputs.adopted === true) {
        context.report.info(`${state.id} was there before this program adopted it, so it stays in the database`);
        return;
      }
      const inputs = checkedRowInputs(state.inputs);
      await on({ ...inputs, secretValues: new Map(), initialSecretValues: new Map() }, context, (database) =>
        session.inTurn(() => removeRow(session, database, inputs, { context, operation: "delete" })),
      );
    },
  };
}

function diffOf(detailed: DiffResult["detailed"]): DiffResult {
  return { changed: Object.keys(detailed).length > 0, detailed };
}

/**
 * The returned columns of the primary key that differ from those of the last update, by which other rows may
 * refer to it.
 */
function otherIdentity(before: Value | undefined, { live, columns }: FoundRow): string[] {
  if (typeof before !== "object" || before === null || Array.isArray(before)) return [];
  const last = new Map<string, Value>(Object.entries(before));
  return Object.entries(live.columns).flatMap(([name, now]) => {
    const then = last.get(name);
    return columns.get(name)?.primaryKey === true && then !== undefined && !equalValues(then, now) ? [name] : [];
  });
}

function outputsOf(news: Properties, columns: Value, adopted: boolean): Properties {
  return { ...news, returning: news.returning ?? [], columns, adopted, drift: [] };
}

function writtenPaths(inputs: RowInputs): string[] {
  return (["key", "values", "secretValues"] as const).flatMap((property) =>
    inputs[property].size > 0 ? [property] : [],
  );
}

function idOf(inputs: RowInputs): string {
  return rowId(
    inputs.tableText,
    new Map([...inputs.key].map(([column, value]) => [column, value === UNKNOWN ? "" : String(value)])),
  );
}

/**
 * The key only: taking over all columns would copy secrets into the state. The program names the columns that
 * it holds.
 */
function importedInputs(id: string): Properties {
  const { table, key } = parseRowId(id);
  return { table, key: Object.fromEntries(key), values: {}, returning: [] };
}
