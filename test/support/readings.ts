import pg from "pg";
import { type ExtractionOptions, extractOnTwoConnections } from "../../provider/catalog/parallelExtract.ts";
import { contentHash, encodeId } from "../../provider/catalog/pgDelta.ts";

/** How a catalog was read. */
export type Way = "what is new" | "all";

/** What was read by what is new, what by reading all, and whether the first was so. */
interface Both {
  found: string[];
  expected: string[];
  way: Way;
  /** The schemas that the first did not read. */
  known: readonly unknown[];
}

/** One database, read again and again by what is new of it, and as a whole beside it. */
export interface Readings {
  /** Reads by what is new, where there is a reading before. */
  again: pg.Pool;
  /** How {@link again} read since the last {@link forget}. */
  way(): Way;
  forget(): void;
  /**
   * Both readings, as text, and how the first was made; undefined where either failed, such as where another
   * transaction holds a lock.
   */
  both(options?: ExtractionOptions): Promise<Both | undefined>;
  /** The same of what an open transaction has made, within it. Once it is committed, it can be remembered. */
  bothWithin(client: pg.PoolClient): Promise<(Both & { remember: () => boolean }) | undefined>;
  end(): Promise<void>;
}

/** @param settings of its sessions, such as `-c lock_timeout=1s`. */
export function readingsOf(url: string, settings = ""): Readings {
  let known: readonly unknown[] = [];
  const poolOf = (isNoted: boolean): pg.Pool => {
    const pool = new pg.Pool({ connectionString: url, max: 1, options: settings, pipeline: true });
    pool.on("error", () => {});
    pool.on("connect", (client) => {
      client.on("error", () => {});
      const query = client.query.bind(client);
      const noted = (given: string | pg.QueryConfig, ...more: unknown[]): unknown => {
        if (typeof given === "object" && given.text.includes("<> ALL ($1)")) known = given.values?.[0] ?? [];
        return Reflect.apply(query, client, [given, ...more]);
      };
      if (isNoted) Object.assign(client, { query: noted });
    });
    return pool;
  };
  const [again, whole] = [poolOf(true), poolOf(false)];
  const way = (): Way => (known.length > 0 ? "what is new" : "all");
  const forget = (): void => {
    known = [];
  };
  return {
    again,
    way,
    forget,
    both: async (options) => {
      forget();
      const found = await read(again, { markedFrom: 0, ...options });
      const expected = await read(whole, { ...options, isWhole: true });
      return found && expected && { found: found.content, expected: expected.content, way: way(), known };
    },
    bothWithin: async (within) => {
      forget();
      const found = await read(again, { markedFrom: 0, within });
      const foundBy = { way: way(), known };
      const expected = await read(again, { isWhole: true, within });
      if (found === undefined || expected === undefined) return undefined;
      return { found: found.content, expected: expected.content, ...foundBy, remember: found.remember };
    },
    end: async () => {
      await again.end();
      await whole.end();
    },
  };
}

/** All that a reading says: facts with what no hash contains, and edges. */
async function read(
  pool: pg.Pool,
  options: ExtractionOptions,
): Promise<{ content: string[]; remember: () => boolean } | undefined> {
  try {
    const { factBase, remember } = await extractOnTwoConnections(pool, "select 1", () => undefined, options);
    const content = [
      ...factBase.facts().map(({ id, parent, payload }) => {
        const metadata = Object.entries(payload).filter(([name]) => name.startsWith("_"));
        return `${encodeId(id)} in ${parent && encodeId(parent)} ${contentHash(payload)} ${JSON.stringify(metadata)}`;
      }),
      ...factBase.edges.map(({ from, to, kind }) => `${kind} ${encodeId(from)} > ${encodeId(to)}`),
    ].sort();
    return { content, remember };
  } catch (error) {
    if (error instanceof pg.DatabaseError) return undefined;
    throw error;
  }
}
