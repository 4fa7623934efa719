/**
 * What an update of a layer does with what is kept of its drops: what comes back, what is dropped on its
 * date, how long what it drops now is kept. Statements are left to `plan/kept/`.
 */
import { factBaseOf } from "../../catalog/factBaseOf.ts";
import { factsOfKept, type Kept } from "../../catalog/kept.ts";
import { describe } from "../../catalog/objectNames.ts";
import { encodeId, type FactBase } from "../../catalog/pgDelta.ts";
import type { Catalog } from "../../catalog/readCatalog.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import { type ContributionRecord, emptyRecord } from "../../contribution/record.ts";
import { withReferences } from "../../core/errorCodes.ts";
import { approvedBy } from "../../plan/approvals.ts";
import { isTakenByParent } from "../../plan/inheritance/takenByParent.ts";
import { dropExpired } from "../../plan/kept/expire.ts";
import type { Keeping } from "../../plan/kept/retire.ts";
import { type TakenBack, takeBack } from "../../plan/kept/takeBack.ts";
import type { Statement } from "../../plan/statement.ts";
import type { LayerMeaning } from "./meaning.ts";
import type { LayerRuntime } from "./runtime.ts";

const DAY_MS = 86_400_000;

/** A day in UTC, as the marks of what is kept have it: `2026-12-28`. */
const dayAfter = (days: number): string => new Date(Date.now() + days * DAY_MS).toISOString().slice(0, 10);

/** Whether a layer has dropped something whose date has come. */
export function hasExpired({ schemas, columns }: Kept, layer: string): boolean {
  const today = dayAfter(0);
  return [...schemas, ...columns].some((each) => each.layer === layer && each.until <= today);
}

interface KeptTransition {
  takenBack: TakenBack | undefined;
  keeping: Keeping | undefined;
  expired: Statement[];
  live: FactBase;
  earlier: ContributionRecord | undefined;
  before: FactBase;
}

/**
 * @param renamed the database and the layer's record once the renames are made.
 * @param warn told what cannot be dropped though its date has come.
 * @throws {UserError} for what cannot come back, or is a question.
 */
export function keptTransition(
  { config }: LayerRuntime,
  { inputs, contribution }: LayerMeaning,
  { facts, kept }: Pick<Catalog, "facts" | "kept">,
  renamed: { live: FactBase; earlier: ContributionRecord | undefined },
  warn: (message: string) => void,
): KeptTransition {
  const { live, earlier } = renamed;
  const whole = kept.whole ?? facts;
  const keeping: Keeping | undefined =
    config.keepDroppedDays === 0
      ? undefined
      : {
          layer: inputs.name,
          until: dayAfter(config.keepDroppedDays),
          schemas: new Set(whole.facts().flatMap(({ id }) => (id.kind === "schema" ? [id.name] : []))),
          columnsOf: (table) => whole.childrenOf(table).flatMap(({ id }) => (id.kind === "column" ? [id.name] : [])),
          isAdopted: (id) => earlier?.adopted.includes(encodeId(id)) === true,
        };
  const answers = new Map(inputs.allow.map((approval) => [approvedBy(approval), approval]));
  const takenBack = takeBack({ kept, live, added: contribution.added, answers, keeping });
  const expiring = expiringOf(kept, inputs.name, takenBack);
  const { statements, inUse } = dropExpired(expiring, whole);
  for (const { id, by } of inUse)
    warn(
      withReferences(
        `${describe(id)} has been kept until its date and stays, because ${by.map(describe).join(", ")} depends on it: drop that, and the next update drops what is kept`,
        ["PS834"],
      ),
    );
  const touched = new Set([...(takenBack?.present ?? []), ...factsOfKept(expiring, whole.facts())]);
  return {
    takenBack,
    keeping,
    expired: statements,
    live: takenBack?.live ?? live,
    earlier: takenBack === undefined ? earlier : withTakenBack(earlier, takenBack, contribution),
    before: touched.size === 0 ? facts : withFacts(facts, whole, touched),
  };
}

function expiringOf(kept: Kept, layer: string, takenBack: TakenBack | undefined): Omit<Kept, "whole"> {
  const today = dayAfter(0);
  const isDue = (each: { layer: string; until: string }): boolean => each.layer === layer && each.until <= today;
  const isTaken = (key: string): boolean => takenBack?.present.has(key) === true;
  return {
    schemas: kept.schemas.filter((each) => isDue(each) && !isTaken(encodeId({ kind: "schema", name: each.name }))),
    columns: kept.columns.filter((each) => isDue(each) && !isTaken(encodeId(each.id))),
  };
}

/** What is kept and stays so. */
export function keptAfter(
  kept: Kept,
  { takenBack, expired = [] }: { takenBack?: TakenBack | undefined; expired?: readonly Statement[] },
): Kept {
  const gone = new Set([...(takenBack?.present ?? []), ...expired.flatMap(({ id }) => (id ? [encodeId(id)] : []))]);
  return {
    ...kept,
    schemas: kept.schemas.filter(({ name }) => !gone.has(encodeId({ kind: "schema", name }))),
    columns: kept.columns.filter(({ id }) => !gone.has(encodeId(id))),
  };
}

/** What comes back is the layer's own, as it was, whatever the state says by now. */
function withTakenBack(
  earlier: ContributionRecord = emptyRecord,
  { ids, adopted, live }: TakenBack,
  { added }: Contribution,
): ContributionRecord {
  const declared = new Map(added.map((fact) => [encodeId(fact.id), fact]));
  const keys = [...ids].filter((key) => {
    const fact = live.getByEncoded(key);
    const table = fact?.parent === undefined ? undefined : declared.get(encodeId(fact.parent));
    // A partition that was kept alone has of its own what it is to have of its table again.
    const isOurs = declared.has(key) || (fact !== undefined && isTakenByParent(fact, table));
    return isOurs && !(key in earlier.added);
  });
  return {
    ...earlier,
    added: { ...earlier.added, ...Object.fromEntries(keys.map((key) => [key, ""])) },
    adopted: [...earlier.adopted, ...keys.filter((key) => adopted.has(key))],
  };
}

function withFacts(facts: FactBase, whole: FactBase, touched: ReadonlySet<string>): FactBase {
  const more = whole.facts().filter(({ id }) => touched.has(encodeId(id)) || id.kind === "schema");
  const all = new Map([...facts.facts(), ...more].map((fact) => [encodeId(fact.id), fact]));
  return factBaseOf(all.values(), whole.edges, whole);
}
