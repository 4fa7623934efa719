/**
 * One schema of the foreign corpus on a real server: made by plain SQL, pulled, adopted, changed with its
 * rows in place and changed back; and made and destroyed by a layer. What does not hold is listed, not
 * thrown, so that one run shows all of it.
 */
import { expect, inject } from "vitest";
import { definitionsOf, withDefinitions } from "../../../provider/catalog/definitions.ts";
import { factBaseOf } from "../../../provider/catalog/factBaseOf.ts";
import type { FactBase } from "../../../provider/catalog/pgDelta.ts";
import type { Properties, ResourceState } from "../../../provider/core/resourceType.ts";
import { isObject } from "../../../provider/core/values.ts";
import { pullDatabase } from "../../../provider/resources/pullDatabase.ts";
import { ask, createTestDatabase, type TestDatabase } from "../../support/database.ts";
import { destroy, pending, preview, project, sqlOf, up } from "../../support/layerHarness.ts";
import { approvalsNamedIn, expectSame, factsOf, messageOf } from "../fuzz/roundTrip.ts";
import { type Change, edited, type ForeignSchema, fileOf } from "./foreignSchema.ts";
import { countOf, differences, type Rows, rowsOf } from "./keptRows.ts";

/** What one schema showed. */
export interface Outcome {
  name: string;
  objects: number;
  rows: number;
  /** There and back. */
  changes: number;
  statements: number;
  seconds: number;
  /** What does not hold, each with the step that showed it. */
  failures: string[];
}

/** Parts of objects, and what hangs on them: not objects of their own. */
const PARTS = new Set(["column", "default", "constraint", "comment", "acl", "typeAttribute", "role", "membership"]);

/** Functions with their owner's rights that everyone may call, or whose path is empty. */
const USUAL = /^PS102: |^PS101: .* does not name pg_temp as the last /;

/** @param share how many of the changes are tried; the first ones. */
export async function roundTrip(schema: ForeignSchema, share = Number.POSITIVE_INFINITY): Promise<Outcome> {
  const started = performance.now();
  const run = new SchemaRun(schema);
  try {
    const outcome = await run.all(schema.changes.slice(0, share));
    return { ...outcome, seconds: (performance.now() - started) / 1000 };
  } finally {
    await run.close();
  }
}

class SchemaRun {
  private readonly schema: ForeignSchema;
  private readonly databases: TestDatabase[] = [];
  private readonly failures: string[] = [];
  private readonly built = new Map<string, FactBase>();
  private statements = 0;
  private steps = 0;

  constructor(schema: ForeignSchema) {
    this.schema = schema;
  }

  async all(changes: readonly Change[]): Promise<Omit<Outcome, "seconds">> {
    const text = fileOf(this.schema, "schema.sql");
    const database = await this.databaseOf(text);
    await ask(database.url, fileOf(this.schema, "rows.sql"));
    const rows = await rowsOf(database);
    const facts = await factsOf(database);

    await this.tried("pull", () => this.pulled(database, facts));
    const state = await this.tried("adopt schema.sql", () => this.adopted(database, this.layer(text)));
    if (state !== undefined) await this.changed(database, text, changes, state);
    const movesRowsOf = changes.flatMap((change) => change.movesRowsOf ?? []);
    await this.tried("rows at the end", async () => expectRows(rows, await rowsOf(database), { movesRowsOf }));
    await this.tried("create and destroy by a layer", () => this.created(text, facts));
    return {
      name: this.schema.name,
      objects: facts.facts().filter(({ id }) => !PARTS.has(id.kind)).length,
      rows: countOf(rows),
      changes: this.steps,
      statements: this.statements,
      failures: this.failures,
    };
  }

  async close(): Promise<void> {
    for (const database of this.databases) await database.drop();
  }

  /** What is pulled is adopted without a statement, and left in place by its destroy. */
  private async pulled(database: TestDatabase, facts: FactBase): Promise<void> {
    const nothing = { schemas: [], tables: [], roles: [] };
    const settings = { url: database.url, shadow: inject("serverUrl") };
    const pulled = await pullDatabase(settings, "pulled", nothing, project.directory);
    expectNone("an update with the pulled files would change", pulled.changes);
    expectNone(
      "pull warns",
      pulled.warnings.filter((warning) => !USUAL.test(warning)),
    );
    expectNone("pull leaves out", pulled.leftOut);
    const folder = `${this.schema.name}/pulled`;
    for (const { name, sql } of pulled.files) project.write(`${folder}/${name}`, sql);
    const state = await this.adopted(database, { name: "pulled", files: [folder], roles: pulled.roles });
    await destroy(database.url, state);
    expectSame("a database whose adopted layer is destroyed", await factsOf(database), facts);
  }

  private async adopted(database: TestDatabase, layer: Properties): Promise<ResourceState> {
    const [plan] = await preview(database.url, [layer]);
    expectNone("the first preview would run", sqlOf(plan));
    const state = await up(database.url, layer);
    const count = statementsOf(state);
    if (count > 0) throw new Error(`the adoption ran ${count} statements`);
    expectNone("the second preview has", await pending(database.url, state));
    return state;
  }

  private async changed(
    database: TestDatabase,
    first: string,
    changes: readonly Change[],
    adopted: ResourceState,
  ): Promise<void> {
    let state = adopted;
    let text = first;
    const done: { change: Change; before: string }[] = [];
    for (const change of changes) {
      await this.tried(change.title, async () => {
        const next = edited(text, change.edits);
        if (change.refused !== undefined) return this.refused(database, next, change, change.refused, state);
        state = await this.step(database, next, change, change, state);
        done.push({ change, before: text });
        text = next;
      });
    }
    for (const { change, before } of done.reverse()) {
      await this.tried(`back: ${change.title}`, async () => {
        const renamed = Object.fromEntries(
          Object.entries(change.renamed ?? {}).map(([from, to]) => inverse(from, to, change.renamed ?? {})),
        );
        const old = edited(before, change.back?.edits ?? []);
        state = await this.step(database, old, change.back ?? {}, { ...change, renamed }, state);
      });
    }
    await this.tried("destroy of what was adopted", async () => {
      const rows = await rowsOf(database);
      await destroy(database.url, { ...state, inputs: { ...state.inputs, forceDestroy: true } });
      expectRows(rows, await rowsOf(database));
    });
  }

  private async refused(
    { url }: TestDatabase,
    text: string,
    { allow = [] }: Change,
    message: string,
    state: ResourceState,
  ): Promise<void> {
    const found = await preview(url, [{ ...this.layer(text), allow: [...allow] }], [state]).then(() => "", messageOf);
    if (!found.includes(message)) throw new Error(`expected to be refused: ${message}; was told:\n${found}`);
  }

  /** One update with rows in place. */
  private async step(
    database: TestDatabase,
    text: string,
    { allow = [], differs }: { allow?: readonly string[]; differs?: string },
    change: Change,
    state: ResourceState,
  ): Promise<ResourceState> {
    const wanted = (await this.builtFrom(text)).facts;
    const before = await rowsOf(database);
    const layer = this.layer(text);
    if (allow.length > 0) {
      const refusal = await preview(database.url, [{ ...layer, allow: [] }], [state]).then(() => "", messageOf);
      const asked = approvalsNamedIn(refusal).map((approval) => approval.replace(/ \(\d+\)$/, ""));
      if (asked.sort().join("\n") !== [...allow].sort().join("\n"))
        throw new Error(`expected to be asked for ${allow.join(", ")}; was told:\n${refusal}`);
    }
    this.steps += 1;
    const note = `step ${this.steps}`;
    const after = await up(database.url, { ...layer, allow: allow.map((name) => `${name} (${note})`) }, state);
    this.statements += statementsOf(after);
    await this.tried(`${note}, rows`, async () => expectRows(before, await rowsOf(database), change));
    await this.tried(`${note}, second plan`, async () => expectNone("it has", await pending(database.url, after)));
    await this.tried(`${note}, catalog`, async () => {
      const found = withoutTexts(await factsOf(database));
      const compare = (): void => expectSame("the database", found, withoutTexts(wanted));
      if (differs === undefined) compare();
      else expect(compare).toThrow(differs);
    });
    return after;
  }

  /** A layer makes what plain SQL makes, and takes all of it away. */
  private async created(text: string, facts: FactBase): Promise<void> {
    const database = await this.emptyDatabase();
    const empty = await factsOf(database);
    const state = await up(database.url, this.layer(text));
    expectNone("the second preview has", await pending(database.url, state));
    expectSame("what the layer made", withoutTexts(await factsOf(database)), withoutTexts(facts));
    await ask(database.url, fileOf(this.schema, "rows.sql"));
    await destroy(database.url, { ...state, inputs: { ...state.inputs, forceDestroy: true } });
    expectSame("what is left", await factsOf(database), empty);
  }

  private layer(text: string): Properties {
    const { name, roles } = this.schema;
    return { ...project.layer(name, text), roles: [...roles] };
  }

  private async builtFrom(text: string): Promise<{ facts: FactBase }> {
    const facts = this.built.get(text) ?? (await factsOf(await this.databaseOf(text)));
    this.built.set(text, facts);
    return { facts };
  }

  private async databaseOf(text: string): Promise<TestDatabase> {
    const database = await this.emptyDatabase();
    // In a session of its own, because what a file sets holds to the end of it.
    await ask(database.url, text);
    return database;
  }

  private async emptyDatabase(): Promise<TestDatabase> {
    const database = await createTestDatabase();
    this.databases.push(database);
    return database;
  }

  private async tried<T>(what: string, task: () => Promise<T>): Promise<T | undefined> {
    try {
      return await task();
    } catch (error) {
      this.failures.push(`${this.schema.name}, ${what}: ${messageOf(error)}`);
      return undefined;
    }
  }
}

/** A renamed column goes back in the table that it is in then. */
function inverse(from: string, to: string, all: Readonly<Record<string, string>>): [string, string] {
  const [schema = "", table = "", column] = from.split(".");
  const now = all[`${schema}.${table}`] ?? `${schema}.${table}`;
  return column === undefined ? [to, from] : [`${now}.${to.split(".").at(-1)}`, from];
}

/** A layer makes definitions in their settled form; that they are the same, the empty plan has told. */
function withoutTexts(facts: FactBase): FactBase {
  const bare = facts.facts().map((fact) => {
    const texts = Object.keys(definitionsOf(fact)).map((attribute) => [attribute, ""]);
    return withDefinitions(fact, Object.fromEntries(texts));
  });
  return factBaseOf(bare, facts.edges, facts);
}

function statementsOf({ outputs }: ResourceState): number {
  const { lastRun } = outputs;
  return isObject(lastRun) && typeof lastRun.statements === "number" ? lastRun.statements : Number.NaN;
}

function expectRows(before: Rows, after: Rows, change?: Pick<Change, "renamed" | "movesRowsOf">): void {
  expectNone("rows changed", differences(before, after, change));
}

function expectNone(what: string, found: readonly string[]): void {
  if (found.length > 0) throw new Error(`${what}:\n${found.join("\n")}`);
}
