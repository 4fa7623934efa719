/**
 * `rollback audit`: takes the audit trail off an application's database by a destroy of its target. The
 * application's rows stay, and are counted before and after; what is lost is asked beforehand.
 */

import { nameInApproval } from "../../provider/catalog/objectNames.ts";
import { parseId } from "../../provider/catalog/pgDelta.ts";
import { quoteIdent, quoteQualified } from "../../provider/catalog/quote.ts";
import { withoutAdopted } from "../../provider/contribution/record.ts";
import { UserError } from "../../provider/core/errors.ts";
import type { Database } from "../../provider/database/target.ts";
import { unpackRecord } from "../../provider/resources/layer/outputs.ts";
import { compareRows } from "../../provider/verification/compareRows.ts";
import { countRows } from "../../provider/verification/countRows.ts";
import { nothingWritten } from "../../provider/verification/runWrites.ts";
import { confirm } from "../lib/question.ts";
import { shellCommand } from "../lib/shell.ts";
import type { StateResource } from "../lib/stackState.ts";
import { objectsLeft } from "./checks.ts";
import type { Answers, RollbackReport } from "./components.ts";
import { decline, type Place, pulumiAt, type Say, StackState } from "./target.ts";

const TARGET = ["--target", ["**AuditTrail", "audit"].join("::"), "--target-dependents"];

/** What the old procedure allows. */
const BUDGET_MINUTES = 2;

/** @param approve approvals of what is lost. Undefined where there is nothing to do, or the answer was no. */
export async function rollBackAudit(
  place: Place,
  { yes, approve }: Answers & { approve: readonly string[] },
  say: Say,
): Promise<RollbackReport | undefined> {
  const state = await StackState.read(place);
  state.requirePart("audit", "audit", place.stack);
  const layer = state.layer("audit");
  if (layer === undefined) {
    say(`Nothing to roll back: the state of stack ${place.stack} has no layer audit.`);
    return undefined;
  }
  const session = state.session(place.folder, layer, false);
  try {
    const { database, config } = session;
    if (database === undefined) throw new UserError("PS602", "The URL of the database is not known.");
    const drops = dropsOf(layer);
    const losses = await lossesOf(database, drops, approve);
    const options = losses.map(({ approval }) => shellCommand("--approve", approval)).join(" ");
    if (yes && losses.length > 0) {
      throw new UserError(
        "PS838",
        [
          ...losses.map(({ text }) => text),
          `Nothing was changed. If that is intended, run the rollback again with ${options}`,
        ].join("\n"),
      );
    }
    const destroy = ["destroy", "--stack", place.stack, ...TARGET];
    await pulumiAt(place, [...destroy, "--preview-only"]);
    for (const { text } of losses) say(text);
    if (losses.length > 0 && !(await confirm("Approve of it?", options))) return decline(say);
    if (!yes && !(await confirm(`Roll the audit trail back on ${database.label}?`, "--yes"))) return decline(say);
    const approvals = [...approve, ...losses.map(({ approval }) => approval)];
    const started = performance.now();
    const { signal } = new AbortController();
    const gone = new Set(drops.flatMap(({ table, column }) => (column === undefined ? [table] : [])));
    const before = (await countRows(database, config, ["public"], signal)).filter(
      ({ schema, name }) => !gone.has(quoteQualified(schema, name)),
    );
    const env = approvals.length === 0 ? place.env : { ...place.env, PGSTRATA_ALLOW: approvals.join("\n") };
    await pulumiAt({ ...place, env }, [...destroy, "--yes", "--skip-preview"]).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
      const again = `Run \`npm run rollback -- audit --stack ${place.stack}\` again, or \`pulumi up\` to go back.`;
      throw new UserError("PS839", `The rollback was stopped. ${error.message}\n${again}`, { cause: error });
    });
    const after = await countRows(database, config, ["public"], signal, { earlier: before });
    const checks = [...(await objectsLeft(database, [layer])), ...compareRows(before, after, nothingWritten(), true)];
    const elapsedMs = performance.now() - started;
    return {
      rolledBack: "audit",
      stack: place.stack,
      archived: 0,
      elapsedMs,
      budgetMs: BUDGET_MINUTES * 60_000,
      checks,
    };
  } finally {
    await session.close();
  }
}

/** A table or a column that goes with the layer. */
interface Drop {
  approval: string;
  /** Quoted. */
  table: string;
  column: string | undefined;
}

function dropsOf({ outputs }: StateResource): Drop[] {
  const ids = Object.keys(withoutAdopted(unpackRecord(outputs.contribution)).added).map(parseId);
  const tables = ids.flatMap((id): Drop[] =>
    id.kind === "table"
      ? [{ approval: `drop-table:${nameInApproval(id)}`, table: quoteQualified(id.schema, id.name), column: undefined }]
      : [],
  );
  const columns = ids.flatMap((id): Drop[] =>
    id.kind === "column"
      ? [
          {
            approval: `drop-column:${nameInApproval(id)}`,
            table: quoteQualified(id.schema, id.table),
            column: quoteIdent(id.name),
          },
        ]
      : [],
  );
  return [...tables, ...columns.filter(({ table }) => !tables.some((whole) => whole.table === table))];
}

/** What the destroy would be refused for, each with what is lost. */
async function lossesOf(
  database: Database,
  drops: readonly Drop[],
  approve: readonly string[],
): Promise<{ approval: string; text: string }[]> {
  const losses: { approval: string; text: string }[] = [];
  for (const { approval, table, column } of drops) {
    const { rows, values } = await held(database, table, column);
    if (rows === 0n || approve.includes(approval)) continue;
    const lost = column === undefined ? `${rows} rows of ${table}` : `${values} values of ${table}.${column}`;
    losses.push({ approval, text: `This loses ${lost}: ${approval}` });
  }
  return losses;
}

/** The layer refuses to drop a column of a table with rows, whatever is in the column. */
async function held(
  database: Database,
  table: string,
  column: string | undefined,
): Promise<{ rows: bigint; values: bigint }> {
  const pool = await database.pool();
  const quotedColumn = column === undefined ? "*" : column;
  const { rows } = await pool.query<{ rows: string; values: string }>(
    `SELECT pg_catalog.count(*)::pg_catalog.text AS rows, pg_catalog.count(${quotedColumn})::pg_catalog.text AS values FROM ${table}`,
  );
  return { rows: BigInt(rows[0]?.rows ?? 0), values: BigInt(rows[0]?.values ?? 0) };
}
