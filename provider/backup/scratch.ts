/**
 * A database for the proof of a dump: on a server of this process's own, else on the target's. Restoring into
 * it is left to `proof.ts`.
 */
import { randomBytes } from "node:crypto";
import type pg from "pg";
import { quoteIdent } from "../catalog/quote.ts";
import { UserError } from "../core/errors.ts";
import { codeOf } from "../database/connectionError.ts";
import { type ConnectionTarget, parseConnectionUrl } from "../database/connectionUrl.ts";
import { openClient, openPool } from "../database/pool.ts";
import type { Database } from "../database/target.ts";
import { findBinaries, installedMajors } from "../embedded/binaries.ts";
import { type EmbeddedServer, startEmbeddedServer } from "../embedded/server.ts";
import { type DatabaseLocale, databaseLocale } from "./databaseLocale.ts";
import { proofName } from "./leftDatabases.ts";

/** A throw-away database. */
export interface ScratchDatabase {
  /** Such as `embedded PostgreSQL 18.4`. */
  where: string;
  target: ConnectionTarget;
  database: string;
  /** Whether it takes owners and privileges as the dump has them. */
  hasAllRoles: boolean;
  /** Without it, what is computed of text may be another value there. */
  hasSameLocale: boolean;
  pool: pg.Pool;
  drop(): Promise<void>;
}

/** What a database needs of the server that it is restored to. */
export interface ScratchNeeds {
  major: number;
  extensions: readonly string[];
  roles: readonly string[];
  locale: DatabaseLocale;
  /** Of its tables on the disk. */
  bytes: number;
}

const SETTINGS = {
  fsync: "off",
  synchronous_commit: "off",
  full_page_writes: "off",
  autovacuum: "off",
  jit: "off",
  max_locks_per_transaction: "1024",
};
const MOST_IN_MEMORY_BYTES = 512 * 2 ** 20;

const AVAILABLE = "select name from pg_catalog.pg_available_extensions";
const ROLES = "select rolname from pg_catalog.pg_roles";
const NEEDS = `
  select (select coalesce(pg_catalog.array_agg(extname::pg_catalog.text), '{}') from pg_catalog.pg_extension) as extensions,
         (select coalesce(pg_catalog.array_agg(rolname::pg_catalog.text order by rolname), '{}') from pg_catalog.pg_roles r
           where r.rolname !~ '^pg_' and (r.oid = d.datdba or r.oid = 10 or exists (
             select from pg_catalog.pg_shdepend s
              where s.refclassid = 'pg_catalog.pg_authid'::pg_catalog.regclass and s.refobjid = r.oid and s.dbid = d.oid))) as roles,
         pg_catalog.pg_database_size(d.oid)::pg_catalog.float8 as bytes
    from pg_catalog.pg_database d where d.datname = pg_catalog.current_database()`;
const MAY_CREATE = `
  select r.rolcreatedb or r.rolsuper as may, r.rolsuper as super, d.oid::pg_catalog.int8::pg_catalog.float8 as target
    from pg_catalog.pg_roles r, pg_catalog.pg_database d
   where r.rolname = current_user and d.datname = pg_catalog.current_database()`;

export async function scratchNeeds(database: Database): Promise<ScratchNeeds> {
  const pool = await database.pool();
  const { rows } = await pool.query<Omit<ScratchNeeds, "major" | "locale">>(NEEDS);
  if (rows[0] === undefined) throw new Error("the server does not tell about the database");
  const locale = await databaseLocale(pool, database.target.database);
  return { major: (await database.facts()).major, locale, ...rows[0] };
}

/**
 * On an embedded server.
 *
 * @param directory where its data directory lies.
 * @returns why it cannot be used, where that is so.
 */
export async function embeddedScratch(needs: ScratchNeeds, directory: string): Promise<ScratchDatabase | string> {
  const majors = installedMajors();
  if (!majors.includes(needs.major))
    return `no embedded server of PostgreSQL ${needs.major} is installed (found ${majors.join(", ") || "none"})`;
  const start = (place: string): Promise<EmbeddedServer> =>
    startEmbeddedServer({
      directory: place,
      majorVersion: needs.major,
      settings: SETTINGS,
      inMemory: needs.bytes <= MOST_IN_MEMORY_BYTES,
    });
  const server = await start(directory).catch((error: unknown) => {
    // The data directory of another version, from before the target was another one.
    if (!(error instanceof UserError && error.code === "PS705")) throw error;
    return start(`${directory}-${needs.major}`);
  });
  const name = `proof_${process.pid}_${randomBytes(4).toString("hex")}`;
  let hasSameLocale = false;
  try {
    const admin = await openClient({ connectionString: server.url("postgres") });
    try {
      const available = (await admin.query<{ name: string }>(AVAILABLE)).rows.map((row) => row.name);
      const missing = needs.extensions.filter((extension) => !available.includes(extension));
      if (missing.length > 0) {
        await server.stop();
        return `the embedded server lacks the extensions ${missing.join(", ")}`;
      }
      const present = (await admin.query<{ rolname: string }>(ROLES)).rows.map((row) => row.rolname);
      const roles = needs.roles.filter((role) => !present.includes(role));
      if (roles.length > 0) await admin.query(roles.map((role) => `create role ${quoteIdent(role)}`).join(";"));
      hasSameLocale = await createAlike(admin, name, needs.locale);
    } finally {
      await admin.end();
    }
    const url = server.url(name);
    const pool = await openPool({ connectionString: url, max: 1 });
    const drop = async (): Promise<void> => {
      await pool.end();
      if (needs.bytes > MOST_IN_MEMORY_BYTES) await dropOn(server.url("postgres"), name);
      await server.stop();
    };
    const where = `embedded PostgreSQL ${findBinaries(needs.major, undefined).version}`;
    return { where, target: parseConnectionUrl(url), database: name, hasAllRoles: true, hasSameLocale, pool, drop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

/**
 * On the target's server.
 *
 * @returns why it cannot be used, where that is so.
 */
export async function colocatedScratch(database: Database, needs: ScratchNeeds): Promise<ScratchDatabase | string> {
  const admin = await database.pool();
  const { rows } = await admin.query<{ may: boolean; super: boolean; target: number }>(MAY_CREATE);
  if (rows[0]?.may !== true) return "the connecting role may not create databases on the target's server (CREATEDB)";
  const name = proofName(rows[0].target);
  await admin.query(`create database ${quoteIdent(name)} template template0 ${needs.locale.same}`);
  const pool = await database.poolOf(name);
  const drop = async (): Promise<void> => {
    await pool.end();
    await admin.query(`drop database if exists ${quoteIdent(name)} with (force)`);
  };
  const { version } = await database.facts();
  return {
    where: `a scratch database on the target's server, PostgreSQL ${version}`,
    target: database.target,
    database: name,
    hasAllRoles: rows[0].super,
    hasSameLocale: true,
    pool,
    drop,
  };
}

/**
 * Makes a database with the same locale, else, where the machine lacks that, with another one.
 *
 * @returns whether it is the same.
 */
async function createAlike(admin: pg.Client, name: string, { same, others }: DatabaseLocale): Promise<boolean> {
  for (const [n, locale] of [same, ...others].entries()) {
    try {
      await admin.query(`create database ${quoteIdent(name)} template template0 ${locale}`);
      return n === 0;
    } catch (error) {
      // Of a locale that the server does not know.
      if (n === others.length || (codeOf(error) !== "42809" && codeOf(error) !== "22023")) throw error;
    }
  }
  throw new Error("no locale was tried");
}

async function dropOn(url: string, name: string): Promise<void> {
  const admin = await openClient({ connectionString: url });
  try {
    await admin.query(`drop database if exists ${quoteIdent(name)} with (force)`);
  } finally {
    await admin.end();
  }
}
