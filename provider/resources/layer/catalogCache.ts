/**
 * What the target's catalog is now, read once and again after each change; in a preview, what the layers
 * planned so far would have made of it.
 */
import type { Pool, PoolClient } from "pg";
import type { FactBase } from "../../catalog/pgDelta.ts";
import { type Catalog, readCatalog } from "../../catalog/readCatalog.ts";
import { againWhenLost } from "../../database/lostConnection.ts";
import { withRetries } from "../../database/transaction.ts";
import type { Session } from "../session.ts";

/** Within it, a backup before the first change is made as a rule. */
const RECENT_MS = 30_000;

/** Within it, a program comes to its first resource as a rule. */
const AHEAD_MS = 2_000;

const caches = new WeakMap<Session["guard"], LiveCatalog>();

/** The one of a run, which gate and layers share. */
export function liveCatalogOf({ guard, config, database }: Session): LiveCatalog {
  const known = caches.get(guard);
  if (known !== undefined) return known;
  const connect = async (): Promise<{ pool: Pool; owner: string }> => {
    if (database === undefined) throw new Error("a call that needs the database came before its URL was known");
    return { pool: await database.pool(), owner: (await database.facts()).role };
  };
  const live = new LiveCatalog(connect, (read) => withRetries(config, () => againWhenLost(read)));
  caches.set(guard, live);
  return live;
}

/**
 * What is known of the target. It is read once, and again after each change. In a preview nothing is changed,
 * so what the layers planned so far would have made is put in its place: the projected live.
 */
export class LiveCatalog {
  private readonly connect: () => Promise<{ pool: Pool; owner: string }>;
  private readonly patiently: (read: () => Promise<Catalog>) => Promise<Catalog>;
  private reading: Promise<Catalog> | undefined;
  /** When that ended; undefined until then. */
  private readAt: number | undefined;
  /** Whether that is of before the first resource, and nothing has gone by it yet. */
  private isEarly = false;
  /** Whether what was read before says anything of what is there now. */
  private isForgotten = false;

  /**
   * @param patiently reads again while a table is locked: the server then does not tell what its views and
   * rules are.
   */
  constructor(
    connect: () => Promise<{ pool: Pool; owner: string }>,
    patiently: (read: () => Promise<Catalog>) => Promise<Catalog>,
  ) {
    this.connect = connect;
    this.patiently = patiently;
  }

  /** Known facts, read when there are none. */
  get(): Promise<Catalog> {
    const isOld = this.isEarly && this.isOlderThan(AHEAD_MS);
    this.isEarly = false;
    if (isOld) return this.refresh();
    this.reading ??= this.read();
    return this.reading;
  }

  /** Begins to read before any resource has come. A program may take its time until then. */
  readEarly(): void {
    this.readAhead();
    this.isEarly = true;
  }

  /**
   * Begins to read what will be asked for soon, such as while the shadow is busy. A failure shows when it is
   * asked for.
   */
  readAhead(): void {
    this.get().catch(() => {});
  }

  /** Known facts, read again where that was long ago. */
  recent(): Promise<Catalog> {
    return this.isOlderThan(RECENT_MS) ? this.refresh() : this.get();
  }

  private isOlderThan(ageMs: number): boolean {
    return this.readAt !== undefined && performance.now() - this.readAt > ageMs;
  }

  /** Facts as they are now. */
  refresh(): Promise<Catalog> {
    this.reading = this.read();
    return this.reading;
  }

  /** Facts as an open transaction has made them; its settings are then those for reading. */
  async within(client: PoolClient): Promise<Catalog> {
    const { pool, owner } = await this.connect();
    return readCatalog(pool, owner, { isWhole: this.isForgotten, within: client });
  }

  /**
   * What was read within a transaction that has been committed. A large one to which layers are added is read
   * again when it is asked for, where what is new could not be told apart from it.
   */
  accept(catalog: Catalog, { isAddedTo }: { isAddedTo: boolean }): void {
    const isRemembered = catalog.remember?.() === true;
    if (isRemembered) this.isForgotten = false;
    this.readAt = performance.now();
    this.reading = isAddedTo && catalog.isLarge === true && !isRemembered ? undefined : Promise.resolve(catalog);
  }

  /** After a change that failed: it is not known how far it came. */
  forget(): void {
    this.isForgotten = true;
    this.reading = undefined;
  }

  /**
   * In a preview: what a plan would have made.
   *
   * @param catalog.kept what is kept until then, without what the plan takes back.
   * @param catalog.nameNow what the database calls a table until then.
   */
  project(
    facts: FactBase,
    {
      serverVersion,
      kept,
      nameNow,
    }: Omit<Required<Catalog>, "facts" | "invalidIndexes" | "rowMoves" | "isLarge" | "remember">,
  ): void {
    this.reading = Promise.resolve({ facts, serverVersion, invalidIndexes: new Set(), rowMoves: [], kept, nameNow });
  }

  private async read(): Promise<Catalog> {
    this.readAt = undefined;
    try {
      const { pool, owner } = await this.connect();
      const catalog = await this.patiently(() => readCatalog(pool, owner, { isWhole: this.isForgotten }));
      this.isForgotten = false;
      this.readAt = performance.now();
      return catalog;
    } catch (error) {
      this.forget();
      throw error;
    }
  }
}
