/**
 * How a note is kept in the target and written in the transaction that it describes. What a layer notes is
 * left to `resources/layer/ledger.ts`.
 */
import { createHash } from "node:crypto";
import type { ClientBase, Pool } from "pg";
import { codeOf } from "./connectionError.ts";

/** First line of each note: what is in a large object of ours, and in which form. */
const HEADER = "pgstrata ledger 1";

/** SQLSTATEs of a server whose large objects are closed to us: no right, no such function. */
const NOT_FOR_US = new Set(["42501", "42883"]);

/** The content of a large object, if there is one and this role may read it. */
const READ = `
  select pg_catalog.lo_get(oid) as content from pg_catalog.pg_largeobject_metadata
   where oid = $1::pg_catalog.oid and pg_catalog.pg_has_role(lomowner, 'USAGE')`;

/** What an object begins with that is a note of ours. */
const HEADER_BYTES = Buffer.from(`${HEADER}\n`, "utf8");

/** Where the first so many large objects hold no note, the database keeps other things in them. */
const MOST_LOOKED_AT = 10_000;

/** The content of each note that this role may read. */
const READ_ALL = `
  select pg_catalog.lo_get(oid) as content
    from (select oid from pg_catalog.pg_largeobject_metadata
           where oid >= 2147483648 and pg_catalog.pg_has_role(lomowner, 'USAGE') limit ${MOST_LOOKED_AT}) as candidate
   where pg_catalog.lo_get(oid, 0, pg_catalog.length($1::pg_catalog.bytea)) = $1::pg_catalog.bytea`;

const IS_TAKEN =
  "select exists (select from pg_catalog.pg_largeobject_metadata where oid = $1::pg_catalog.oid) as taken";

/**
 * A note that is kept in the target and written in the transaction that it tells of, so that a run which
 * is killed after its commit and before Pulumi has written its state leaves no doubt about who made what.
 * It is a large object of the connecting role: that needs no schema and no privilege, no other role can
 * read it, and it is no fact of the catalog. Going without it is always possible.
 */
export class Ledger {
  readonly identity: string;
  private readonly oid: string;

  /** @param identity of what the note is about, the same in each run. */
  constructor(identity: string) {
    this.identity = identity;
    // The upper half of the range: the server itself counts up from below.
    const hash = createHash("sha256").update(identity).digest().readUInt32BE();
    this.oid = String((hash | 0x80000000) >>> 0);
  }

  /** All notes in a database that this role may read. Not for use within a transaction. */
  static async readAll(client: ClientBase | Pool): Promise<{ ledger: Ledger; note: string }[]> {
    const read = async (): Promise<{ content: Buffer }[]> =>
      (await client.query<{ content: Buffer }>(READ_ALL, [HEADER_BYTES])).rows;
    const notes = await unlessClosed(read, []);
    return notes.map(({ content }) => {
      const [, identity = "", ...note] = content.toString("utf8").split("\n");
      return { ledger: new Ledger(identity), note: note.join("\n") };
    });
  }

  /**
   * The note; undefined when there is none, none that is ours, or no right to read it. Not for use within a
   * transaction.
   */
  async read(client: ClientBase | Pool): Promise<string | undefined> {
    return unlessClosed(() => this.content(client), undefined);
  }

  /**
   * Replaces the note; undefined removes it. To be called within a transaction, which it does not break: a
   * database that refuses the note, or that has something else in its place, goes without.
   */
  async write(client: ClientBase, note: string | undefined): Promise<void> {
    await client.query("savepoint pgstrata_ledger");
    try {
      const { rows } = await client.query<{ taken: boolean }>(IS_TAKEN, [this.oid]);
      const isTaken = rows[0]?.taken === true;
      if (isTaken && (await this.content(client)) === undefined) return;
      if (isTaken) await client.query("select pg_catalog.lo_unlink($1::pg_catalog.oid)", [this.oid]);
      if (note === undefined) return;
      const content = Buffer.from([HEADER, this.identity, note].join("\n"), "utf8");
      await client.query("select pg_catalog.lo_from_bytea($1::pg_catalog.oid, $2)", [this.oid, content]);
    } catch {
      await client.query("rollback to savepoint pgstrata_ledger");
    } finally {
      await client.query("release savepoint pgstrata_ledger");
    }
  }

  private async content(client: ClientBase | Pool): Promise<string | undefined> {
    const { rows } = await client.query<{ content: Buffer }>(READ, [this.oid]);
    const lines = rows[0]?.content.toString("utf8").split("\n");
    return lines?.[0] === HEADER && lines[1] === this.identity ? lines.slice(2).join("\n") : undefined;
  }
}

/** What a question answers, or `otherwise` where large objects are closed to us. */
async function unlessClosed<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (NOT_FOR_US.has(codeOf(error) ?? "")) return otherwise;
    throw error;
  }
}
