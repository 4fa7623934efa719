/**
 * What the layers of one run share: the target, the shadow, caches, ownership, the rehearsal. What each call
 * does with it is in the file of that call.
 */
import { join } from "node:path";
import { PassedRehearsals } from "../../apply/passedRehearsals.ts";
import { type PlannedUpdate, Rehearsals } from "../../apply/rehearsal.ts";
import { firedEventTriggers } from "../../catalog/eventTriggers.ts";
import type { Fact, FactBase } from "../../catalog/pgDelta.ts";
import type { Contribution } from "../../contribution/contribution.ts";
import type { ProviderConfig } from "../../core/config.ts";
import { withReferences } from "../../core/errorCodes.ts";
import type { Reporter } from "../../core/resourceType.ts";
import { codeOf, describeConnectionError } from "../../database/connectionError.ts";
import { describeDatabaseError } from "../../database/databaseError.ts";
import { readOnlyReason } from "../../database/readOnly.ts";
import type { Database } from "../../database/target.ts";
import type { Rename } from "../../plan/renames/renames.ts";
import { ContributionCache } from "../../shadow/cache.ts";
import { ShadowContributions } from "../../shadow/contributions.ts";
import { openShadow } from "../../shadow/openShadow.ts";
import type { ShadowNeeds } from "../../shadow/shadow.ts";
import type { Session } from "../session.ts";
import { type LiveCatalog, liveCatalogOf } from "./catalogCache.ts";
import { DesiredStateCache } from "./desiredStateCache.ts";
import type { LayerInputs } from "./inputs.ts";
import { Ownership } from "./ownership.ts";
import { type LayerSources, readSources } from "./sqlSources.ts";

/** Codes of the network when a further connection cannot be opened. */
const UNREACHABLE = new Set(["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "ENOTFOUND", "EAI_AGAIN"]);

/** What the layers of one run share: the target, the shadow, and what is known of both. */
export class LayerRuntime {
  readonly session: Session;
  readonly config: ProviderConfig;
  /** Undefined while the target's URL is not known, in a first preview. */
  readonly target: Database | undefined;
  readonly live: LiveCatalog;
  readonly ownership = new Ownership();
  readonly desiredStates = new DesiredStateCache(this.ownership);
  private readonly projectDirectory: string;
  private hasToldEventTriggers = false;
  private hasToldReadOnly = false;
  private shadowed: Promise<ShadowUses> | undefined;

  constructor(session: Session, projectDirectory: string) {
    this.session = session;
    this.config = session.config;
    this.target = session.database;
    this.projectDirectory = projectDirectory;
    this.live = liveCatalogOf(session);
  }

  knownTarget(): Database {
    if (this.target === undefined) throw new Error("a call that needs the database came before its URL was known");
    return this.target;
  }

  sources(inputs: LayerInputs): Promise<LayerSources> {
    return readSources(inputs, this.projectDirectory);
  }

  /**
   * What the layer adds to its base; a shadow is started only when no cache has it. Not to be called in a
   * turn: it takes one, because to read a catalog keeps this process busy, and an update of another layer
   * must not hold its locks for that long.
   */
  contribution(inputs: LayerInputs, sources: LayerSources): Promise<Contribution> {
    return this.session.inTurn(() => this.contributionBefore([], inputs, sources));
  }

  /** The same, for a caller that has a turn; `renames` are thought of as not made yet. */
  async contributionBefore(
    renames: readonly Rename[],
    inputs: LayerInputs,
    sources: LayerSources,
  ): Promise<Contribution> {
    const { contributions } = await this.opened();
    return contributions.contribution(sources.base, sources.top, await this.needs(inputs), renames);
  }

  /**
   * The contribution, knowing what forms of its definitions a database holds, for a caller that has a turn.
   */
  async contributionInForms(
    facts: readonly Fact[],
    among: FactBase,
    inputs: LayerInputs,
    sources: LayerSources,
  ): Promise<Contribution> {
    const { contributions } = await this.opened();
    return contributions.withFormsOf(facts, among, sources.base, sources.top, await this.needs(inputs));
  }

  /**
   * Runs a plan in the shadow before it is shown or carried out, for a caller that has a turn. Warns where it
   * could not be.
   *
   * @param options.keepsCopy whether the next rehearsal may go on from the copy of this one. On a server that
   *   the target shares with the shadow, no role can be dropped that has privileges in a copy.
   * @throws {UserError} for one that the server refuses, or that leads elsewhere.
   */
  async rehearse(update: PlannedUpdate, report: Reporter, { keepsCopy = true } = {}): Promise<void> {
    if (update.list.statements.length === 0) return;
    const { rehearsals } = await this.opened();
    const skipped = await rehearsals.rehearse(update, await this.needs({ roles: [] }));
    if (!keepsCopy) await rehearsals.close();
    if (skipped !== undefined) report.warn(`the plan was not rehearsed: ${skipped}`);
  }

  /** Says once in a run whose functions run with the rights of its role when a plan does. */
  tellEventTriggers(facts: FactBase, report: Reporter): void {
    const names = this.hasToldEventTriggers ? [] : firedEventTriggers(facts);
    if (names.length === 0) return;
    this.hasToldEventTriggers = true;
    report.info(
      `the database has event triggers, which only superusers can create; their functions run in this update with the privileges of its role: ${names.join(", ")}`,
    );
  }

  /** Says once in a run that an update would be refused, where the database takes none. */
  async tellReadOnly(report: Reporter): Promise<void> {
    const reason = this.hasToldReadOnly ? undefined : await readOnlyReason(this.knownTarget());
    if (reason === undefined) return;
    this.hasToldReadOnly = true;
    report.warn(withReferences(`${reason}. A preview can be made; an update is refused.`, ["PS505"]));
  }

  /** What a failure of the target or of the connection to it means; anything else comes back as it is. */
  explainFailure(error: unknown): unknown {
    const described = describeDatabaseError(error);
    if (described !== undefined) return described;
    const isNetwork = UNREACHABLE.has(codeOf(error) ?? "");
    return isNetwork && this.target !== undefined ? describeConnectionError(error, this.target.target) : error;
  }

  async close(): Promise<void> {
    const shadowed = await this.shadowed?.catch(() => undefined);
    await shadowed?.rehearsals.close();
    await shadowed?.contributions.close();
  }

  private async needs({ roles }: Pick<LayerInputs, "roles">): Promise<ShadowNeeds> {
    if (this.target === undefined) return { owner: "postgres", roles };
    const { role, literalSettings } = await this.target.facts();
    return { owner: role, roles, literalSettings };
  }

  private opened(): Promise<ShadowUses> {
    this.shadowed ??= this.open();
    return this.shadowed;
  }

  private async open(): Promise<ShadowUses> {
    const home = join(this.projectDirectory, ".pgstrata");
    const shadow = await openShadow(this.config.shadow, this.target, join(home, "shadow"));
    const cache = new ContributionCache(join(home, "cache"));
    const rehearsals = new Rehearsals(shadow, new PassedRehearsals(cache.directory));
    // Files that are not known yet mostly lead to a plan.
    const beforeLoad = (needs: ShadowNeeds): void => {
      if (this.target === undefined) return;
      this.live.readAhead();
      rehearsals.prepare(needs);
    };
    return { contributions: new ShadowContributions(shadow, cache, beforeLoad), rehearsals };
  }
}

/** What a run asks of its shadow. */
interface ShadowUses {
  contributions: ShadowContributions;
  rehearsals: Rehearsals;
}
