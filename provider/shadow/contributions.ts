/**
 * What SQL files contribute: executed in a scratch database, read back, settled, cached. Executing, settling
 * and caching are left to `loadSql.ts`, `settledForms.ts` and `cache.ts`.
 */
import { createHash } from "node:crypto";
import { definitionsOf, mayChangeForm, withDefinitions } from "../catalog/definitions.ts";
import { buildFactBase } from "../catalog/factBase.ts";
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type FactBase, type StableId } from "../catalog/pgDelta.ts";
import { keepOwnerEdge, readCatalog } from "../catalog/readCatalog.ts";
import { rolesNamedBy } from "../catalog/roles.ts";
import { type Contribution, conflicts, contributionOf } from "../contribution/contribution.ts";
import { type Forms, mergedForms, settledText } from "../contribution/forms.ts";
import { UserError } from "../core/errors.ts";
import { timed } from "../core/timing.ts";
import type { Rename } from "../plan/renames/renames.ts";
import type { ContributionCache } from "./cache.ts";
import { refuseHiddenValues } from "./hiddenValues.ts";
import { loadSql } from "./loadSql.ts";
import { type Settled, settledForms } from "./settledForms.ts";
import type { ScratchDatabase, Shadow, ShadowNeeds } from "./shadow.ts";
import type { SqlFile } from "./sqlFile.ts";
import { readUnderOldNames } from "./undoRenames.ts";

/** A set of SQL files that is loaded as a whole. */
export interface SqlSet {
  name: string;
  files: readonly SqlFile[];
  /** True for SQL of objects that exist but that no layer declares; it lies below all layers. */
  assumed?: boolean;
}

/** Raised when the way facts are read or compared changes: entries of older caches no longer fit. */
const FORMAT = "pg-delta 1.0.0-alpha.34, contribution 7";

/** An open scratch database and what is known of it. */
interface Scratch {
  needs: string;
  /** Digests of the sets that were loaded, in order. */
  loaded: string[];
  /** By number of sets loaded. Only what is asked for is read: reading takes as long as loading. */
  facts: Map<number, FactBase>;
  /** What is known of the forms of its definitions, and which of them were asked for. */
  forms: Forms;
  asked: Set<string>;
  database: ScratchDatabase;
}

/**
 * Learns what layers mean by executing them in a shadow. Layers of one stack stand on one another, so one
 * scratch database is loaded layer by layer and read after each; only layers that stand on something else get
 * another one.
 */
export class ShadowContributions {
  readonly shadow: Shadow;
  readonly cache: ContributionCache;
  private scratch: Scratch | undefined;
  /**
   * Those of this run by digest: each is asked for again when its layer is compared, and when it is updated.
   */
  private readonly known = new Map<string, Promise<Contribution>>();
  /** One scratch database can be loaded by one caller at a time. */
  private turn: Promise<unknown> = Promise.resolve();

  private readonly beforeLoad: (needs: ShadowNeeds) => void;

  /** @param beforeLoad told when a session of the shadow will be busy and this process will not. */
  constructor(shadow: Shadow, cache: ContributionCache, beforeLoad: (needs: ShadowNeeds) => void = () => {}) {
    this.shadow = shadow;
    this.cache = cache;
    this.beforeLoad = beforeLoad;
  }

  /**
   * What `top` adds to `base`.
   *
   * @param base lowest first.
   * @param renames of the layer's tables and columns that are thought of as not made yet.
   * @throws {SqlFileError} for a mistake in the SQL, of the base's files too.
   */
  contribution(
    base: readonly SqlSet[],
    top: SqlSet,
    needs: ShadowNeeds,
    renames: readonly Rename[] = [],
  ): Promise<Contribution> {
    const digest = this.digestOf(base, top, needs, renames);
    const known = this.known.get(digest);
    if (known !== undefined) return known;
    const finding = this.find(digest, () =>
      renames.length === 0 ? this.learn(base, top, needs) : this.learnWithout(renames, base, top, needs),
    );
    this.known.set(digest, finding);
    finding.catch(() => this.known.delete(digest));
    return finding;
  }

  /**
   * The contribution of `top`, knowing the forms of definitions that a database holds in place of its own.
   *
   * @param facts of that database, with the ids of facts that the layer adds.
   * @param among all facts of that database.
   */
  async withFormsOf(
    facts: readonly Fact[],
    among: FactBase,
    base: readonly SqlSet[],
    top: SqlSet,
    needs: ShadowNeeds,
  ): Promise<Contribution> {
    const digest = this.digestOf(base, top, needs);
    const contribution = await this.contribution(base, top, needs);
    const turn = this.turn.then(async () => {
      await this.factsAfter([...base, top], needs);
      if (this.scratch === undefined) throw new Error("the scratch database is gone");
      return settledForms(this.scratch.database, facts, among);
    });
    this.turn = turn.catch(() => {});
    const found = await turn;
    const forms = mergedForms(contribution.forms, mergedForms(asTheyAre(facts), found.forms));
    const informed = { ...contribution, forms };
    this.known.set(digest, Promise.resolve(informed));
    await this.cache.put(digest, informed);
    return informed;
  }

  private digestOf(base: readonly SqlSet[], top: SqlSet, needs: ShadowNeeds, renames: readonly Rename[] = []): string {
    const context = [FORMAT, this.shadow.identity, needs.owner, ...[...needs.roles].sort()];
    context.push(JSON.stringify(needs.literalSettings ?? {}));
    if (renames.length > 0) context.push(`without ${JSON.stringify(renames)}`);
    return digestOf(context, [...base, top]);
  }

  private async find(digest: string, learn: () => Promise<Contribution>): Promise<Contribution> {
    const cached = await this.cache.get(digest);
    if (cached !== undefined) return cached;
    const turn = this.turn.then(learn);
    this.turn = turn.catch(() => {});
    const contribution = await turn;
    await this.cache.put(digest, contribution);
    return contribution;
  }

  /** Drops what is open. The chain can be used again afterwards. */
  async close(): Promise<void> {
    await this.turn;
    await this.dropScratch();
    await this.shadow.stop();
  }

  private async learn(base: readonly SqlSet[], top: SqlSet, needs: ShadowNeeds): Promise<Contribution> {
    const assumed = base.filter((set) => set.assumed);
    const undeclared = await this.factsAfter(assumed, needs);
    const below = await this.factsAfter(base, needs);
    const contribution = this.withForms(contributionOf(below, await this.factsAfter([...base, top], needs)));
    this.keepFactsAfter([assumed.length, base.length, base.length + 1]);
    refuseHiddenValues(top.name, contribution);
    refuseConflicts(top, conflicts(below, undeclared, contribution));
    refuseUnlistedRoles(top, contribution, needs);
    return contribution;
  }

  private async learnWithout(
    renames: readonly Rename[],
    base: readonly SqlSet[],
    top: SqlSet,
    needs: ShadowNeeds,
  ): Promise<Contribution> {
    const sets = [...base, top];
    // Layers above would be read along.
    if (this.scratch !== undefined && this.scratch.loaded.length > sets.length) await this.dropScratch();
    const below = await this.factsAfter(base, needs);
    const whole = await this.factsAfter(sets, needs);
    const { scratch } = this;
    if (scratch === undefined) throw new Error("the scratch database is gone");
    try {
      const read = (): Promise<FactBase> => readSettled(scratch);
      const facts = await readUnderOldNames(scratch.database, { top: whole, below }, renames, read);
      return this.withForms(contributionOf(below, facts));
    } catch (error) {
      await this.dropScratch();
      throw error;
    }
  }

  private withForms(contribution: Contribution): Contribution {
    const known = this.scratch?.forms ?? {};
    const forms: Forms = {};
    for (const { id } of contribution.added) {
      const key = encodeId(id);
      if (known[key] !== undefined) forms[key] = known[key];
    }
    return { ...contribution, forms };
  }

  private async dropScratch(): Promise<void> {
    await this.scratch?.database.drop().catch(() => {});
    this.scratch = undefined;
  }

  /** Facts of a scratch database into which the sets were loaded one after another. */
  private async factsAfter(sets: readonly SqlSet[], needs: ShadowNeeds): Promise<FactBase> {
    const desired = sets.map((set) => digestOf([], [set]));
    const scratch = await this.scratchWith(desired, needs);
    const known = scratch.facts.get(sets.length);
    if (known !== undefined) return known;
    for (const [n, set] of sets.entries()) {
      const digest = desired[n];
      if (n < scratch.loaded.length || digest === undefined) continue;
      this.beforeLoad(needs);
      await timed("shadow", () => load(scratch.database, set, needs));
      scratch.loaded.push(digest);
    }
    const facts = await readSettled(scratch);
    scratch.facts.set(sets.length, facts);
    return facts;
  }

  /**
   * Of all sets of many layers they would fill the memory, and the next layer stands on the last one. What is
   * asked for in another order is loaded again.
   */
  private keepFactsAfter(counts: readonly number[]): void {
    for (const count of this.scratch?.facts.keys() ?? [])
      if (!counts.includes(count)) this.scratch?.facts.delete(count);
  }

  /**
   * The open scratch database when what it holds is a beginning of `desired`, or when it went on from there
   * after its facts were read; otherwise a fresh one.
   */
  private async scratchWith(desired: readonly string[], needs: ShadowNeeds): Promise<Scratch> {
    const key = JSON.stringify([needs.owner, [...needs.roles].sort(), needs.literalSettings ?? {}]);
    const open = this.scratch;
    const isReached = open !== undefined && (open.loaded.length <= desired.length || open.facts.has(desired.length));
    const isSame = open?.loaded.slice(0, desired.length).every((digest, n) => digest === desired[n]) ?? false;
    if (open?.needs === key && isReached && isSame) return open;
    await this.dropScratch();
    const database = await timed("shadow", () => this.shadow.create(needs));
    this.scratch = { needs: key, loaded: [], facts: new Map(), forms: {}, asked: new Set(), database };
    return this.scratch;
  }
}

/** Facts of a scratch database, with each definition in the form in which it settles. */
async function readSettled(scratch: Scratch): Promise<FactBase> {
  const { facts } = await readCatalog(scratch.database.readers, scratch.database.owner, { isRepeated: true });
  const members = new Set(
    facts.edges.filter(({ kind }) => kind === "memberOfExtension").map(({ from }) => encodeId(from)),
  );
  const isNew = (fact: Fact): boolean => {
    if (!mayChangeForm(fact)) return false;
    const key = JSON.stringify([fact.id, definitionsOf(fact)]);
    if (scratch.asked.has(key) || members.has(encodeId(fact.id))) return false;
    scratch.asked.add(key);
    return true;
  };
  const found = await timed("shadow", () => settledForms(scratch.database, facts.facts().filter(isNew), facts));
  refuseUnreadable(found.unreadable);
  scratch.forms = mergedForms(scratch.forms, found.forms);
  if (Object.keys(scratch.forms).length === 0) return facts;
  const settled = facts.facts().map((fact) => inSettledForm(fact, scratch.forms));
  return buildFactBase(settled, [...facts.edges], facts.source, { allowDangling: keepOwnerEdge });
}

function refuseUnreadable(found: Settled["unreadable"]): void {
  if (found.length === 0) return;
  const faults = found.map(({ fact, message }) =>
    [`  ${describe(fact.id)}: ${message}, in`, ...Object.values(definitionsOf(fact)).map((text) => `    ${text}`)].join(
      "\n",
    ),
  );
  throw new UserError(
    "PS111",
    [
      "Found definitions that PostgreSQL accepts and prints in a form that it cannot read, so that neither pgstrata nor a restored dump could create them:",
      ...faults,
      "Expected another form with the same meaning: parentheses or a CASE around a part, an operator of one column at a time, numbers or booleans in a CYCLE clause.",
    ].join("\n"),
    { property: "files" },
  );
}

function inSettledForm(fact: Fact, forms: Forms): Fact {
  const key = encodeId(fact.id);
  if (forms[key] === undefined) return fact;
  const texts = Object.entries(definitionsOf(fact));
  return withDefinitions(
    fact,
    Object.fromEntries(texts.map(([attribute, text]) => [attribute, settledText(forms, key, attribute, text)])),
  );
}

/** Definitions that are taken for settled, so that they are not asked for again. */
function asTheyAre(facts: readonly Fact[]): Forms {
  const itself = (text: string): Record<string, string> => ({ [text]: text });
  return Object.fromEntries(
    facts.map((fact) => [
      encodeId(fact.id),
      Object.fromEntries(Object.entries(definitionsOf(fact)).map(([attribute, text]) => [attribute, itself(text)])),
    ]),
  );
}

function refuseConflicts(top: SqlSet, ids: readonly StableId[]): void {
  if (ids.length === 0) return;
  const names = [...new Set(ids.map(describe))].sort();
  const shown = names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");
  throw new UserError(
    "PS110",
    `The layer "${top.name}" changes what a layer of its base declares: ${shown}. Expected one owner for each object: ` +
      "make the change in the layer that declares it. (A layer may add to objects of its base: columns, indexes, policies, grants to others, row security.)",
    { property: "files" },
  );
}

/** A role that is not listed may be there in one shadow and missing in the next. */
function refuseUnlistedRoles({ name }: SqlSet, { added, linked }: Contribution, { owner, roles }: ShadowNeeds): void {
  const unlisted = [...rolesNamedBy(added, linked)].filter((role) => role !== owner && !roles.includes(role)).sort();
  if (unlisted.length === 0) return;
  throw new UserError(
    "PS105",
    `The SQL of the layer "${name}" names ${unlisted.map((role) => `"${role}"`).join(", ")}, expected only roles that the layer lists: ` +
      "add what is missing to its `roles`.",
    { property: "roles" },
  );
}

/**
 * Where a shadow's server or role would put tables, and how: nothing that a file says, and no layer can hold
 * it.
 */
const SETTINGS_OF_FILES = { default_tablespace: "", default_table_access_method: "heap" };

async function load({ pool }: ScratchDatabase, set: SqlSet, { literalSettings = {} }: ShadowNeeds): Promise<void> {
  const client = await pool.connect();
  try {
    const settings = Object.entries({ ...SETTINGS_OF_FILES, ...literalSettings });
    await client.query(
      "select pg_catalog.set_config(name, value, false) from unnest($1::pg_catalog.text[], $2::pg_catalog.text[]) as setting (name, value)",
      [settings.map(([name]) => name), settings.map(([, value]) => value)],
    );
    await loadSql(client, set.files, { isAssumed: set.assumed === true });
  } finally {
    // Settings that a file leaves behind in its session go with the connection.
    client.release(true);
  }
}

/**
 * Identity of SQL sets by content; names and paths do not matter. Text is hashed with its length, so parts
 * cannot run together.
 */
export function digestOf(context: readonly string[], sets: readonly SqlSet[]): string {
  const hash = createHash("sha256");
  for (const text of context) hash.update(`${text.length}:${text}`);
  for (const set of sets) {
    hash.update(`[${set.assumed === true ? "assumed " : ""}${set.files.length}]`);
    for (const { sql } of set.files) hash.update(`${sql.length}:${sql}`);
  }
  return hash.digest("hex").slice(0, 32);
}
