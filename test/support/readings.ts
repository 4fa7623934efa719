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
  /** The same of what an open transaction has made, both within it. */
  bothWithin(client: pg.PoolClient): Promise<Both | undefined>;
  end(): Promise<void>;
}

/** @param settings of its sessions, such as `-c lock_timeout=1s`. */
export function readingsOf(url: string, settings = ""): Readings {
  let asked: string[] = [];
  const poolOf = (isNoted: boolean): pg.Pool => {
    const pool = new pg.Pool({ connectionString: url, max: 1, options: settings, pipeline: true });
    pool.on("error", () => {});
    pool.on("connect", (client) => {
      client.on("error", () => {});
      const query = client.query.bind(client);
      const noted = (given: string | { text: string }, ...more: unknown[]): unknown => {
        asked.push(typeof given === "string" ? given : given.text);
        return Reflect.apply(query, client, [given, ...more]);
      };
      if (isNoted) Object.assign(client, { query: noted });
    });
    return pool;
  };
  const [again, whole] = [poolOf(true), poolOf(false)];
  const way = (): Way => (asked.some((sql) => sql.includes("<> ALL ($1)")) ? "what is new" : "all");
  const forget = (): void => {
    asked = [];
  };
  return {
    again,
    way,
    forget,
    both: async (options) => {
      forget();
      const found = await contentOf(again, { markedFrom: 0, ...options });
      const expected = await contentOf(whole, { ...options, isWhole: true });
      return found && expected && { found, expected, way: way() };
    },
    bothWithin: async (within) => {
      forget();
      const found = await contentOf(again, { markedFrom: 0, within });
      const foundBy = way();
      const expected = await contentOf(again, { isWhole: true, within });
      return found && expected && { found, expected, way: foundBy };
    },
    end: async () => {
      await again.end();
      await whole.end();
    },
  };
}

/** All that a reading says: facts with what no hash contains, and edges. */
async function contentOf(pool: pg.Pool, options: ExtractionOptions): Promise<string[] | undefined> {
  try {
    const { factBase } = await extractOnTwoConnections(pool, "select 1", () => undefined, options);
    return [
      ...factBase.facts().map(({ id, parent, payload }) => {
        const metadata = Object.entries(payload).filter(([name]) => name.startsWith("_"));
        return `${encodeId(id)} in ${parent && encodeId(parent)} ${contentHash(payload)} ${JSON.stringify(metadata)}`;
      }),
      ...factBase.edges.map(({ from, to, kind }) => `${kind} ${encodeId(from)} > ${encodeId(to)}`),
    ].sort();
  } catch (error) {
    if (error instanceof pg.DatabaseError) return undefined;
    throw error;
  }
}
