import { type Contribution, MissingBaseObject, minus, plus } from "../../engine/algebra.ts";
import { describe } from "../../engine/names.ts";
import { encodeId, type FactBase, parseId } from "../../engine/pgDelta.ts";
import { type ContributionRecord, recordOf, reversalOf } from "../../engine/record.ts";
import type { Statement } from "../../engine/statements.ts";
import type { DiffKind, PlannedStatement } from "../../server/resource.ts";
import { UserError } from "../../userError.ts";
import { refuseForerunners } from "./gates.ts";
import type { LayerInputs } from "./inputs.ts";

/**
 * The database as the layer wants it: what it contributed before and no longer does is taken back, what it contributes now is
 * worked in, everything else stays.
 *
 * @throws {UserError} when the base is not there, or a table of another kind is in the way.
 */
export function wantedBy(
  live: FactBase,
  inputs: LayerInputs,
  contribution: Contribution,
  earlier: ContributionRecord | undefined,
): FactBase {
  const record = recordOf(contribution, live, earlier);
  const rest = earlier === undefined ? live : minus(live, reversalOf(earlier, record));
  try {
    const wanted = plus(rest, contribution);
    refuseForerunners(
      live,
      contribution.added.map((fact) => fact.id),
      new Set(Object.keys(earlier?.added ?? {})),
      inputs.allow,
    );
    return wanted;
  } catch (error) {
    if (error instanceof MissingBaseObject) throw missingBase(error, inputs);
    throw error;
  }
}

function missingBase({ id }: MissingBaseObject, { name, base }: LayerInputs): UserError {
  const layers = base.map((layer) => `"${layer.name}"`).join(", ");
  return new UserError(
    `The layer "${name}" changes ${describe(id)}, which the database does not have. Expected it to be made by its base (${layers || "none is declared"}): ` +
      "apply the base first, as `dependsOn` does.",
  );
}

/** Child lines of a preview, numbered so that they keep their order. */
export function asPlan(statements: readonly Statement[]): PlannedStatement[] {
  const width = String(statements.length).length;
  return statements.map((statement, n) => ({
    name: `${String(n + 1).padStart(width, "0")} ${statement.op} ${statement.subject}`,
    op: statement.op,
    details: { sql: statement.sql.split("\n"), ...(statement.lock === "none" ? {} : { lock: statement.lock }) },
  }));
}

/** The detailed diff of a plan: one entry for each object. */
export function asDetail(statements: readonly Statement[]): Record<string, { kind: DiffKind; inputDiff: boolean }> {
  const kinds = { create: "add", update: "update", delete: "delete" } as const;
  const detail: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const { object, op } of statements) {
    const path = `objects[${JSON.stringify(object)}]`;
    // Several statements for one object add up to a change of it.
    detail[path] = {
      kind: path in detail && detail[path]?.kind !== kinds[op] ? "update" : kinds[op],
      inputDiff: false,
    };
  }
  return detail;
}

/** What of a record the database still has, as ids. */
export function present(live: FactBase, record: ContributionRecord): string[] {
  return Object.keys(record.added).filter((key) => live.getByEncoded(key) !== undefined);
}

/** Ids for a person to read. */
export function named(ids: readonly string[]): string[] {
  return [...new Set(ids.map((key) => describe(parseId(key))))].sort();
}

/** Ids that a reversal removes and the database has. */
export function removedFrom(live: FactBase, record: ContributionRecord): Set<string> {
  const { remove } = reversalOf(record);
  return new Set(
    live
      .facts()
      .map((fact) => encodeId(fact.id))
      .filter((key) => remove.has(key)),
  );
}
