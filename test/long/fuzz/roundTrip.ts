import { RefusedStatement } from "../../../provider/apply/statementError.ts";
import { diff, encodeId, type FactBase } from "../../../provider/catalog/pgDelta.ts";
import { quoteIdent } from "../../../provider/catalog/quote.ts";
import { readCatalog } from "../../../provider/catalog/readCatalog.ts";
import { UserError } from "../../../provider/core/errors.ts";
import type { Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { handOverName } from "../../../provider/plan/approvals.ts";
import { UnsupportedChangeError } from "../../../provider/plan/unsupportedChange.ts";
import { createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { destroy, inRun, pending, put } from "../../support/layerHarness.ts";
import type { SqlProject } from "../../support/sqlProject.ts";
import type { ModelPair } from "./minimise.ts";
import type { Model } from "./model.ts";
import { printModel } from "./print.ts";
import { rowsOf } from "./rows.ts";
import { keptRows } from "./survival.ts";

/** Where a pair is tried. */
export interface Ground {
  project: SqlProject;
  /** A role that the models grant things to. */
  role: string;
}

/** What went well with one pair. */
export interface RoundTrip {
  /** Rows that were in the tables when the layer became the new one. */
  rows: number;
  approvals: number;
  /** Why the server refused a change because of rows, by SQLSTATE; without the rows it went. */
  refusedForRows: string[];
  /** Why a change was refused whatever the rows, by a listed reason. */
  refused: string[];
}

/** A property that does not hold. */
export class PropertyError extends Error {
  override name = "PropertyError";
  /** Alike for failures of one cause, as far as that can be told. */
  readonly signature: string;

  constructor(property: string, kind: string, detail: string) {
    super(`${property}: ${detail}`);
    this.signature = `${property}: ${kind}`;
  }
}

/**
 * SQLSTATEs with which a server says that rows do not fit: integrity violations and values that cannot be
 * converted.
 */
const ROWS_DO_NOT_FIT = /^(22|23)/;

const MOST_ATTEMPTS = 12;

/** Of an empty database; alike for all. */
let emptyHash: string | undefined;

/**
 * Old, rows, new, old again, nothing: through a layer, and each time the database must be what a direct build
 * gives, ask for nothing more, and hold the rows of what was kept.
 *
 * @throws {PropertyError} for a property that does not hold.
 */
export async function roundTrip(pair: ModelPair, { project, role }: Ground): Promise<RoundTrip> {
  const database = await createTestDatabase();
  const direct: TestDatabase[] = [];
  const result: RoundTrip = { rows: 0, approvals: 0, refusedForRows: [], refused: [] };
  const layerOf = (model: Model, folder: string): Properties => {
    project.clear(folder);
    for (const { path, sql } of printModel(model, role)) project.write(`${folder}/${path}`, sql);
    return { name: "fuzz", files: [folder], roles: [role] };
  };
  const built = async (model: Model): Promise<FactBase> => {
    const other = await createTestDatabase();
    direct.push(other);
    for (const { path, sql } of printModel(model, role))
      await other.query(sql).catch((error: unknown) => {
        throw new PropertyError(
          "the generator makes valid SQL",
          messageOf(error),
          `${path}: ${messageOf(error)}\n${sql}`,
        );
      });
    return factsOf(other);
  };
  try {
    emptyHash ??= (await factsOf(database)).rootHash;
    const [wantedOld, wantedNext] = [await built(pair.old), await built(pair.next)];
    const [old, next] = [layerOf(pair.old, "old"), layerOf(pair.next, "next")];

    const first = await move("the old layer is applied", database, old, undefined, result);
    if (first === undefined) return result;
    await expectBuilt("the old layer", database, first, wantedOld);

    result.rows = await fill(database, rowsOf(pair.old, pair.next));
    const before = await keptRows(database, pair);
    const cleared = result.refusedForRows.length;
    const second = await move("the new layer is applied", database, next, first, result);
    if (second !== undefined) {
      await expectBuilt("the new layer", database, second, wantedNext);
      if (result.refusedForRows.length === cleared) await expectRows("the new layer", database, pair, before);
    }
    const third = second === undefined ? first : await move("the old layer comes back", database, old, second, result);
    const now = third ?? second ?? first;
    if (third !== undefined && second !== undefined) {
      await expectBuilt("the old layer come back", database, third, wantedOld);
      if (result.refusedForRows.length === cleared) await expectRows("the old layer come back", database, pair, before);
    }
    await clear(database);
    await destroy(database.url, now).catch((error: unknown) => {
      throw new PropertyError("the layer is destroyed", kindOf(error), messageOf(error));
    });
    const left = await factsOf(database);
    if (left.rootHash !== emptyHash)
      throw new PropertyError(
        "the layer destroyed leaves nothing",
        "something",
        left
          .facts()
          .map(({ id }) => encodeId(id))
          .join("\n"),
      );
    return result;
  } finally {
    for (const one of [database, ...direct]) await one.drop();
  }
}

export async function factsOf({ pool, url }: TestDatabase): Promise<FactBase> {
  return (await readCatalog(pool, new URL(url).username)).facts;
}

/**
 * As a person would do: what a refusal asks for is approved, and rows that do not fit are taken away.
 * Undefined where neither helps.
 */
function move(
  property: string,
  database: TestDatabase,
  layer: Properties,
  state: ResourceState | undefined,
  result: RoundTrip,
): Promise<ResourceState | undefined> {
  return inRun(database.url, async (run) => {
    const before = await fingerprint(database);
    let changed = false;
    const allow: string[] = [];
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
      try {
        const done = await put(run, { ...layer, allow }, state);
        result.approvals += allow.length;
        return done;
      } catch (error) {
        const fail = (what = property): PropertyError => new PropertyError(what, kindOf(error), messageOf(error));
        if (!(error instanceof UserError)) throw fail();
        changed ||= error instanceof RefusedStatement && error.committed > 0;
        if (!changed && (await fingerprint(database)) !== before) throw fail(`${property}, or nothing changes`);
        const asked = approvalsNamedIn(error.message).filter((approval) => !allow.includes(approval));
        allow.push(...asked);
        if (asked.length > 0) continue;
        const impossible = reasonOf(error);
        if (impossible !== undefined) {
          result.refused.push(impossible);
          return undefined;
        }
        const code = error instanceof RefusedStatement ? (error.sqlstate ?? "") : error.code === "PS310" ? "23514" : "";
        if (!ROWS_DO_NOT_FIT.test(code) || (await clear(database)) === 0) throw fail();
        changed = true;
        allow.length = 0;
        result.refusedForRows.push(code);
      }
    }
    throw new PropertyError(property, "asks for more and more approvals", allow.join("\n"));
  });
}

/** Why a change is refused whatever the rows, when that is a listed reason. */
function reasonOf(error: UserError): string | undefined {
  if (error instanceof UnsupportedChangeError || error.code === "PS307") return "not supported by the planner";
  if (error.code === "PS113") return "no cast from the old type to the new one";
  return undefined;
}

/**
 * The approvals that a refusal names, one a line; one that a line cannot hold is written as a JSON string.
 * What it offers in their place, to leave an object to another layer, is none of them.
 */
export function approvalsNamedIn(message: string): string[] {
  const named = [...message.matchAll(/^\s+("?)([a-z]+(?:-[a-z]+)+:.+)$/gm)].map(([, quote, rest = ""]) =>
    quote === "" ? rest : String(JSON.parse(`"${rest}`)),
  );
  return named.filter((approval) => handOverName(approval) === undefined);
}

/** What changes with every change of the catalog, without reading it. */
export async function fingerprint({ query }: TestDatabase): Promise<string> {
  const catalogs = [
    "pg_class",
    "pg_attribute",
    "pg_constraint",
    "pg_proc",
    "pg_type",
    "pg_attrdef",
    "pg_trigger",
    "pg_policy",
  ];
  const parts = catalogs.map((name) => `select '${name}', ctid, xmin from ${name}`);
  const rows = await query<{ print: string }>(
    `select md5(string_agg(rows::text, ',' order by rows::text)) as print from (${parts.join(" union all ")}) as rows`,
  );
  return rows[0]?.print ?? "";
}

async function expectBuilt(
  what: string,
  database: TestDatabase,
  state: ResourceState,
  desired: FactBase,
): Promise<void> {
  const left = await pending(database.url, state).catch((error: unknown) => {
    throw new PropertyError(`${what} can be planned again`, kindOf(error), messageOf(error));
  });
  if (left.length > 0) throw new PropertyError(`${what} has an empty second plan`, "not empty", left.join("\n"));
  expectSame(what, await factsOf(database), desired);
}

export function expectSame(what: string, found: FactBase, desired: FactBase): void {
  if (found.rootHash === desired.rootHash) return;
  const deltas = diff(found, desired).map((delta) => {
    switch (delta.verb) {
      case "add":
      case "remove":
        return `${delta.verb} ${encodeId(delta.fact.id)} ${JSON.stringify(delta.fact.payload)}`;
      case "link":
      case "unlink":
        return `${delta.verb} ${JSON.stringify(delta.edge)}`;
      default:
        return `set ${encodeId(delta.id)} ${delta.attr}: ${JSON.stringify(delta.from)} → ${JSON.stringify(delta.to)}`;
    }
  });
  const kinds = [...new Set(deltas.map((delta) => delta.split(":")[0]))].sort();
  throw new PropertyError(`${what} is as built directly`, kinds.join(", "), deltas.slice(0, 20).join("\n"));
}

/** How many of the rows the server took. */
async function fill({ query }: TestDatabase, inserts: readonly string[]): Promise<number> {
  let left = [...inserts];
  for (let before = -1; left.length !== before; ) {
    before = left.length;
    const refused: string[] = [];
    // What a foreign key refers to may come later in the list.
    for (const insert of left) await query(insert).catch(() => refused.push(insert));
    left = refused;
  }
  return inserts.length - left.length;
}

/** Empties all tables; tells how many rows there were. */
async function clear({ query }: TestDatabase): Promise<number> {
  const tables = await query<{ schema: string; name: string }>(
    "select n.nspname as schema, c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p') and n.nspname not in ('pg_catalog', 'information_schema')",
  );
  if (tables.length === 0) return 0;
  const names = tables.map(({ schema, name }) => `${quoteIdent(schema)}.${quoteIdent(name)}`);
  const counts = names.map((name) => `(select count(*) from ${name})`).join(" + ");
  const rows = await query<{ rows: number }>(`select (${counts})::int as rows`);
  await query(`truncate ${names.join(", ")} cascade`);
  return rows[0]?.rows ?? 0;
}

async function expectRows(
  what: string,
  database: TestDatabase,
  pair: ModelPair,
  before: Map<string, string>,
): Promise<void> {
  const after = await keptRows(database, pair);
  const lost = [...before].filter(([table, print]) => after.get(table) !== print);
  if (lost.length > 0)
    throw new PropertyError(
      `${what} keeps its rows`,
      "changed",
      lost.map(([table, print]) => `${table}: ${print} → ${after.get(table)}`).join("\n"),
    );
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Without names and numbers: alike for errors of one kind. */
export function kindOf(error: unknown): string {
  if (error instanceof RefusedStatement) {
    const statement = /The statement was:\n\s+(\w+ \w+)/.exec(error.message)?.[1] ?? "";
    const cause = /: (.*) \(SQLSTATE/s.exec(error.message)?.[1] ?? error.message.split(":").at(-1) ?? "";
    return `${error.code} ${statement} ${plain(cause)}`;
  }
  return `${error instanceof Error ? error.name : ""} ${plain(messageOf(error).split("\n")[0] ?? "")}`;
}

const plain = (message: string): string =>
  message
    .replace(/"(?:[^"]|"")*"(?:\."(?:[^"]|"")*")*/gs, "…")
    .replace(/\d+/g, "0")
    .slice(0, 160);
