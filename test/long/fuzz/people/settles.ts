import { definitionsOf, mayChangeForm } from "../../../../provider/catalog/definitions.ts";
import { encodeId } from "../../../../provider/catalog/pgDelta.ts";
import { readCatalog } from "../../../../provider/catalog/readCatalog.ts";
import { UserError } from "../../../../provider/core/errors.ts";
import type { Properties, ResourceState } from "../../../../provider/core/resourceType.ts";
import { settledForms } from "../../../../provider/shadow/settledForms.ts";
import { createTestDatabase, type TestDatabase } from "../../../support/database.ts";
import { inRun, pending, put } from "../../../support/layerHarness.ts";
import type { SqlProject } from "../../../support/sqlProject.ts";
import { approvalsNamedIn, fingerprint, kindOf, messageOf, PropertyError } from "../roundTrip.ts";
import { createInSteps, fileOf, type Item } from "./items.ts";
import { familyOf } from "./printFamilies.ts";
import { isSettled, readPrints, speaksOf } from "./prints.ts";

/** What is tried: the files of a layer, and the files after one change. */
export interface Pair {
  seed: number;
  items: readonly Item[];
  changed: readonly Item[];
}

const MOST_ATTEMPTS = 8;
const STILL_NEEDED = "still needed, expected none";
/** The ways in which a database comes to be without a layer. */
const WAYS = ["at once", "names as they are found", "columns added later"] as const;

/** What a layer says of definitions that no print can bring back: no dump could either. */
const UNREADABLE = "prints in a form that it cannot read";

/** A constant out of range that is worked out when data is filled in, which plain SQL did not do. */
const FILLED_WITH_FAULTS = /The server refused (materialized view|column) .*\(SQLSTATE 2[23]/;

/** A column in the middle of a table that is there, below a list of aliases. */
const BY_PLACE = "which names them by position";

/** The server cannot make what its own files say. */
const isImpossible = (error: unknown): boolean =>
  FILLED_WITH_FAULTS.test(messageOf(error)) ||
  [UNREADABLE, BY_PLACE].some((reason) => messageOf(error).includes(reason));

/** The columns of each relation in their order, which no fact tells. */
const COLUMNS = `
  select n.nspname, c.relname, string_agg(a.attname, ' ' order by a.attnum) as columns
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
   where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p', 'v', 'm', 'c') and c.oid >= 16384 group by 1, 2 order by 1, 2`;

/**
 * Whoever made the database of the same files, the layer finds nothing to do, also after a change of the
 * files and back.
 *
 * @returns whether it was tried: what the server itself cannot make from its print is refused beforehand.
 * @throws {PropertyError} for a property that does not hold.
 */
export async function settles({ seed, items, changed }: Pair, project: SqlProject): Promise<"holds" | "unreadable"> {
  const way = WAYS[seed % WAYS.length] ?? WAYS[0];
  const layerOf = (folder: string, of: readonly Item[]): Properties => {
    project.clear(folder);
    project.write(`${folder}/10.sql`, fileOf(of));
    return { name: "people", files: [folder] };
  };
  const [first, next] = [layerOf("first", items), layerOf("next", changed)];
  const [built, adopted] = [await createTestDatabase(), await createTestDatabase()];
  try {
    const made = await moved("the layer is applied", built, first).catch(async (error: unknown) => {
      if (isImpossible(error)) return undefined;
      throw await explained(error, items);
    });
    if (made === undefined) return "unreadable";
    await expectSettled("the layer", built, made);
    await plainly(adopted, items, way);
    const [ours, theirs] = [await built.query(COLUMNS), await adopted.query(COLUMNS)];
    if (JSON.stringify(ours) !== JSON.stringify(theirs))
      throw new PropertyError("columns are in their order", "other", JSON.stringify({ ours, theirs }, null, 1));
    await expectClaimOfForms(adopted);
    const before = await fingerprint(adopted);
    const found = await moved(`what was made ${way} is adopted`, adopted, first);
    const statements = statementsOf(found);
    if (statements !== 0 || (await fingerprint(adopted)) !== before)
      throw await unsettled(`what was made ${way} is as the layer says`, adopted, [`${statements} statements`]);
    await expectSettled(`what was made ${way}`, adopted, found);
    if (changed.length === 0) return "holds";
    // One of both is enough for one seed: they are known to be alike. What is adopted stays when the files
    // let it go, and may then be in the way.
    const [database, state] = seed % 2 === 0 || changed.length < items.length ? [built, made] : [adopted, found];
    const then = await moved("the change is applied", database, next, state).catch((error: unknown) => {
      if (isImpossible(error)) return undefined;
      throw error;
    });
    if (then === undefined) return "unreadable";
    await expectSettled("the layer changed", database, then);
    const back = await moved("the change is taken back", database, first, then);
    await expectSettled("the layer changed back", database, back);
    return "holds";
  } finally {
    await Promise.all([built.drop(), adopted.drop()]);
  }
}

/** Definitions that are taken for settled because of what they are made of are so. */
async function expectClaimOfForms({ pool, url }: TestDatabase): Promise<void> {
  const { facts } = await readCatalog(pool, new URL(url).username);
  const claimed = facts.facts().filter((fact) => Object.keys(definitionsOf(fact)).length > 0 && !mayChangeForm(fact));
  const { forms, unreadable } = await settledForms({ pool }, claimed, facts);
  const wrong = [...Object.entries(forms), ...unreadable.map(({ fact, message }) => [encodeId(fact.id), message])];
  if (wrong.length > 0)
    throw new PropertyError(
      "definitions without a form to lose keep theirs",
      "changed",
      JSON.stringify(wrong, null, 2),
    );
}

const statementsOf = ({ outputs }: ResourceState): unknown => {
  const run = outputs.lastRun;
  return typeof run === "object" && run !== null && "statements" in run ? run.statements : undefined;
};

/** As `psql` does. */
async function plainly(database: TestDatabase, items: readonly Item[], way: (typeof WAYS)[number]): Promise<void> {
  const sql =
    way === "columns added later"
      ? items.map((item) => `${item.table === undefined ? item.sql : createInSteps(item.table, 3)};\n`).join("")
      : fileOf(items);
  const text = way === "names as they are found" ? inSearchPath(sql) : sql;
  await database.query(text).catch((error: unknown) => {
    throw new PropertyError(
      "the generator makes valid SQL",
      `${way}, ${kindOf(error)}`,
      `${messageOf(error)}\n${text}`,
    );
  });
}

/** Names of the first schema without it, from the statement on that makes the schema. */
function inSearchPath(sql: string): string {
  return sql
    .replace(/\bapp\.(?=[\wäöüß"])/g, "")
    .replace("create schema app;", "create schema app;\nset search_path = app, public;");
}

/** As a person would do: what a refusal asks for is approved. */
function moved(
  property: string,
  database: TestDatabase,
  layer: Properties,
  state?: ResourceState,
): Promise<ResourceState> {
  return inRun(database.url, async (run) => {
    const allow: string[] = [];
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      try {
        return await put(run, { ...layer, allow }, state);
      } catch (error) {
        const asked =
          error instanceof UserError ? approvalsNamedIn(error.message).filter((one) => !allow.includes(one)) : [];
        if (asked.length === 0) throw new PropertyError(property, kindOf(error), messageOf(error));
        allow.push(...asked);
      }
    }
    throw new PropertyError(property, "asks for more and more approvals", allow.join("\n"));
  });
}

async function expectSettled(what: string, database: TestDatabase, state: ResourceState): Promise<void> {
  const left = await pending(database.url, state).catch((error: unknown) => {
    throw new PropertyError(`${what} can be planned again`, kindOf(error), messageOf(error));
  });
  if (left.length > 0) throw await unsettled(`${what} has an empty second plan`, database, left);
}

/** With the families of the prints that do not settle, which mostly are the cause. */
async function unsettled(property: string, database: TestDatabase, left: readonly string[]): Promise<PropertyError> {
  const prints = (await printsOf(database)).filter((print) => !isSettled(print));
  const named = prints.filter((print) => left.some((one) => speaksOf(one, print)));
  const families = [...new Set(named.map(familyOf))].sort();
  const kinds = [...new Set(left.map((one) => one.trim().split(/[ :]/)[0] ?? one))].sort();
  const shown = named.map(
    ({ kind, name, prints: [one, two] }) => `${kind} ${name}\n  first print:  ${one}\n  second print: ${two}`,
  );
  return new PropertyError(
    property,
    families.length > 0 ? families.join(", ") : kinds.join(", "),
    [...left, ...shown].join("\n"),
  );
}

/** Says what the server prints otherwise than it did, where an update was given up because of that. */
async function explained(error: unknown, items: readonly Item[]): Promise<unknown> {
  if (!(error instanceof PropertyError) || !error.message.includes(STILL_NEEDED)) return error;
  const database = await createTestDatabase();
  try {
    await plainly(database, items, "at once");
    return await unsettled(
      "the layer is applied",
      database,
      error.message.split("\n").filter((line) => line.startsWith("    ")),
    );
  } finally {
    await database.drop();
  }
}

async function printsOf({ pool }: TestDatabase): ReturnType<typeof readPrints> {
  const client = await pool.connect();
  try {
    await client.query("begin");
    return await readPrints(client);
  } finally {
    await client.query("rollback");
    client.release();
  }
}
