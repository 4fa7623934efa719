/**
 * In which order statements succeed that do not stand in it: what one lacks goes first, all else stays as
 * written. Whether something is missing is left to the server.
 */
import pg, { type PoolClient } from "pg";
import { enterSettings, type Settings, type Step } from "./fileSettings.ts";
import { mayLackSomething, namesIn } from "./missingNames.ts";
import { type StatementNames, statementNames } from "./statementNames.ts";

const { DatabaseError } = pg;

/** A statement that cannot be executed, and what the server said last. */
export interface Failure {
  step: Step;
  names: StatementNames;
  error: pg.DatabaseError;
  /** Of the others, those that would make what it lacks and cannot be executed either. */
  needs: Failure[];
}

/** A statement about all objects that others, which stand behind it, would have to pass. */
export interface Crossing {
  about: Step;
  needed: Step;
  by: Step;
}

/** What came of it. */
export interface Ordered {
  /** As they were executed. */
  steps: Step[];
  failures: Failure[];
  crossing: Crossing | undefined;
}

/** @returns the statements in an order in which they succeed, all of them executed, if nothing failed. */
export async function loadOrdered(client: PoolClient, before: Settings, steps: readonly Step[]): Promise<Ordered> {
  return new OrderedLoad(client, before, steps).load();
}

/**
 * `stacked`: to be executed next, or once those above it in the stack are; `waiting`: put aside for this
 * round; `behind`: not tried, because one before it with the same subject waits.
 */
type State = "pending" | "stacked" | "waiting" | "behind" | "done";

interface Unit {
  n: number;
  step: Step;
  names: StatementNames;
  state: State;
  error?: pg.DatabaseError;
}

const SAVEPOINT = "savepoint statements";
const NEXT_SAVEPOINT = `release savepoint statements; ${SAVEPOINT}`;

/** So many statements are sent at once at most. */
const MOST = 256;

/**
 * Statements are sent several at once, in one savepoint: to end one costs the server more the more tables
 * there are. How many is doubled by each success, and begins anew with each failure, so that no more is
 * executed twice than was executed before.
 */
class OrderedLoad {
  private readonly client: PoolClient;
  private readonly units: Unit[];
  private current: Settings;
  private readonly done: Step[] = [];
  private crossing: Crossing | undefined;
  private hasSavepoint = false;
  private size = 1;
  /** Each needs what is above it. */
  private readonly stack: Unit[] = [];
  /** All before it were tried. */
  private cursor = 0;
  /** CREATE statements by what they make, and others by each name that they have. */
  private readonly makers = new Map<string, Unit[]>();
  private readonly mentions = new Map<string, Unit[]>();
  private readonly extensions: Unit[];
  private readonly aboutAll: Unit[];
  /** Subjects of statements that wait. */
  private readonly held = new Set<string>();

  constructor(client: PoolClient, before: Settings, steps: readonly Step[]) {
    this.client = client;
    this.current = before;
    this.units = steps.map((step, n) => {
      const names = statementNames(step.file.sql.slice(step.start, step.end));
      return { n, step, names, state: "pending" };
    });
    for (const unit of this.units) {
      const { verb, subject, names } = unit.names;
      if (verb === "CREATE" && subject !== undefined) put(this.makers, subject, unit);
      if (/^(ALTER|DROP|DO|SELECT|CALL)$/.test(verb) || /^create\s+(schema|unique)/i.test(sqlOf(unit.step)))
        for (const name of names) put(this.mentions, name, unit);
    }
    this.extensions = this.units.filter(({ names }) => names.isExtension);
    this.aboutAll = this.units.filter(({ names }) => names.isAboutAll);
  }

  /** What is put aside is tried again after the others, as long as that leads on. */
  async load(): Promise<Ordered> {
    let executed: number;
    do {
      executed = this.done.length;
      this.cursor = 0;
      this.held.clear();
      for (const unit of this.units) if (unit.state !== "done") unit.state = "pending";
      for (let next = this.next(); next.length > 0 && this.crossing === undefined; next = this.next())
        await this.attempt(next);
    } while (this.done.length > executed && this.done.length < this.units.length && this.crossing === undefined);
    return { steps: this.done, failures: this.failures(), crossing: this.crossing };
  }

  private next(): Unit[] {
    const found = this.stack.slice(-this.size).reverse();
    while (this.cursor < this.units.length && this.units[this.cursor]?.state !== "pending") this.cursor += 1;
    for (let n = this.cursor; n < this.units.length && found.length < this.size; n++) {
      const unit = this.units[n];
      if (unit?.state !== "pending") continue;
      if (this.held.has(unit.names.subject ?? "")) unit.state = "behind";
      else found.push(unit);
    }
    return found;
  }

  private async attempt(units: readonly Unit[]): Promise<void> {
    const failed = await this.execute(units);
    for (const unit of units.slice(0, failed?.at)) {
      if (unit.state === "stacked") this.stack.pop();
      unit.state = "done";
      this.done.push(unit.step);
    }
    this.size = failed === undefined ? Math.min(this.size * 2, MOST) : 1;
    const unit = failed === undefined ? undefined : units[failed.at];
    if (failed === undefined || unit === undefined) return;
    unit.error = failed.error;
    if (unit.state !== "stacked") this.push(unit);
    for (let top = this.stack.at(-1); top !== undefined; top = this.stack.at(-1)) {
      const provider = this.providerFor(top);
      if (provider !== undefined) return this.push(provider);
      if (top.names.subject !== undefined) this.held.add(top.names.subject);
      top.state = "waiting";
      this.stack.pop();
    }
  }

  private push(unit: Unit): void {
    unit.state = "stacked";
    this.stack.push(unit);
  }

  /** The next statement that may make what another one lacks. */
  private providerFor(unit: Unit): Unit | undefined {
    // What is said of all tables is said of those that the others make, too.
    if (unit.error === undefined || (unit.names.isAboutAll && unit.names.verb !== "ALTER")) return undefined;
    for (const name of namesIn(unit.error.message)) {
      const [provider] = this.candidates(name, unit, unit.error);
      if (provider !== undefined) return this.crosses(unit, provider) ? undefined : provider;
    }
    return undefined;
  }

  /**
   * Statements that may make what has the name, those that name its schema as well first. An extension does
   * not say what is in it. What was dropped before it is made is dropped before it here.
   */
  private candidates(name: string, { names: { names: known } }: Unit, { message }: pg.DatabaseError): Unit[] {
    const isNear = ({ names: { names } }: Unit): boolean =>
      [...names].some((other) => other !== name && message.includes(`${other}.${name}`));
    const all = pending(this.makers, name);
    const near = all.length < 2 ? all : all.filter(isNear);
    const makers = near.length > 0 ? near : all;
    const [first] = makers;
    const mentions = pending(this.mentions, name);
    if (first !== undefined) {
      const earlier = mentions.filter(({ n, names: { verb } }) => n < first.n && (verb === "DROP" || verb === "DO"));
      return [...earlier, ...makers];
    }
    const isOfKnown = ({ names: { verb, subject = "" } }: Unit): boolean => verb !== "ALTER" || known.has(subject);
    return [...mentions.filter(isOfKnown), ...this.extensions.filter(({ state }) => state === "pending")];
  }

  /** Whether a statement about all objects would find other ones than where it stands. */
  private crosses(by: Unit, needed: Unit): boolean {
    const about = this.aboutAll.find(({ n, state }) => state === "pending" && by.n < n && n < needed.n);
    if (about === undefined || needed.names.verb !== "CREATE") return false;
    this.crossing ??= { about: about.step, needed: needed.step, by: by.step };
    return true;
  }

  /**
   * Executes statements up to the first that fails.
   *
   * @returns which one it was, and what the server said, where it may say something else later.
   */
  private async execute(units: readonly Unit[]): Promise<{ at: number; error: pg.DatabaseError } | undefined> {
    const { client, current } = this;
    const savepoint = client.query(this.hasSavepoint ? NEXT_SAVEPOINT : SAVEPOINT);
    this.hasSavepoint = true;
    const sent = units.map((unit) => this.send(unit));
    for (const query of [savepoint, ...sent]) query.catch(() => {});
    await savepoint;
    for (const [at, query] of sent.entries()) {
      try {
        await query;
      } catch (error) {
        const { step } = units[at] ?? {};
        if (step === undefined || !(error instanceof DatabaseError && mayLackSomething(error)))
          throw step === undefined ? error : new StatementFault(step, error);
        await client.query("rollback to savepoint statements");
        this.current = current;
        for (const unit of units.slice(0, at)) await this.send(unit);
        return { at, error };
      }
    }
    return undefined;
  }

  /** Sends a statement with its settings, without waiting for those before it. */
  private async send({ step }: Unit): Promise<void> {
    const settings = enterSettings(this.client, this.current, step.settings);
    this.current = step.settings;
    await Promise.all([settings, this.client.query(sqlOf(step))]);
  }

  private failures(): Failure[] {
    const failed = this.units.flatMap(({ state, step, names, error }) =>
      state === "waiting" && error !== undefined ? [{ step, names, error, needs: [] as Failure[] }] : [],
    );
    const makers = new Map<string, Failure[]>();
    for (const failure of failed) {
      const { verb, subject } = failure.names;
      if (verb === "CREATE" && subject !== undefined) put(makers, subject, failure);
    }
    for (const failure of failed) {
      const named = namesIn(failure.error.message);
      const found = named.flatMap((name) => makers.get(name) ?? []);
      failure.needs.push(...found.filter((other) => other !== failure && isMeant(other.names, named)));
    }
    return failed;
  }
}

/** What the server refused, and no other statement can mend. */
export class StatementFault extends Error {
  readonly step: Step;

  constructor(step: Step, cause: unknown) {
    super("a statement was refused", { cause });
    this.step = step;
  }
}

/** Of several of one name, that of the schema which the server names, or one whose statement gives none. */
function isMeant({ subject = "", qualified = "" }: StatementNames, named: readonly string[]): boolean {
  const inSchemas = named.filter((name) => name.endsWith(`.${subject}`));
  return qualified === subject || inSchemas.length === 0 || inSchemas.includes(qualified);
}

export const sqlOf = ({ file, start, end }: Step): string => file.sql.slice(start, end);

function put<T>(index: Map<string, T[]>, name: string, value: T): void {
  const known = index.get(name);
  if (known === undefined) index.set(name, [value]);
  else known.push(value);
}

/** Those that were not tried yet. What is done is not looked at again. */
function pending(index: Map<string, Unit[]>, name: string): Unit[] {
  const left = (index.get(name) ?? []).filter(({ state }) => state !== "done");
  index.set(name, left);
  return left.filter(({ state }) => state === "pending");
}
