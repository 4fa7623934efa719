/** Scratch databases on an existing server. Which kind of shadow is used is decided in `openShadow.ts`. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import { quoteIdent } from "../catalog/quote.ts";
import { UserError } from "../core/errors.ts";
import { codeOf } from "../database/connectionError.ts";
import type { Database } from "../database/target.ts";
import type { ScratchDatabase, Shadow, ShadowNeeds } from "./shadow.ts";

const { DatabaseError } = pg;

/** Then the time it was made, and what makes it its own. */
const PREFIX = "pgstrata_shadow_";
/** No run takes as long; a database that old was left by one that was killed. */
const ABANDONED_MS = 24 * 3_600_000;

const SCRATCH = `select datname as name from pg_catalog.pg_database where datname ~ '^${PREFIX}\\d{13}_[0-9a-f]{16}$'`;
const ROLES_THAT_EXIST = "select rolname from pg_catalog.pg_roles where rolname = any($1)";

/**
 * Scratch databases on a server that exists already: the target's own (its exact version and extensions), or
 * one named by URL. Roles are shared by all databases of a server, so none is made here.
 *
 * @param server any database of it; the caller closes it.
 */
export function colocatedShadow(server: Database, serverVersion: string): Shadow {
  return {
    identity: `colocated ${serverVersion}`,
    create: (needs) => createScratch(server, needs),
    stop: async () => {},
  };
}

async function createScratch(server: Database, { roles }: ShadowNeeds): Promise<ScratchDatabase> {
  const admin = await server.pool();
  const { rows } = await admin.query<{ rolname: string }>(ROLES_THAT_EXIST, [roles]);
  const missing = roles.filter((role) => !rows.some((row) => row.rolname === role));
  if (missing.length > 0) {
    throw new UserError(
      "PS105",
      `The SQL names the roles ${missing.join(", ")}, which the server does not have. A shadow on the target's server makes no roles, ` +
        "because roles are shared by all databases of a server. Create them first (AccessRoles does), or set the provider's `shadow` to `embedded`.",
      { property: "roles" },
    );
  }
  await dropAbandoned(admin);
  const name = `${PREFIX}${Date.now()}_${randomBytes(8).toString("hex")}`;
  await admin.query(`create database ${quoteIdent(name)} template template0`).catch((error: unknown) => {
    if (!(error instanceof DatabaseError && error.code === "42501")) throw error;
    throw new UserError(
      "PS506",
      "The connecting role may not create databases, which a shadow on the target's server needs. " +
        "Grant it CREATEDB (`alter role … createdb`), or set the provider's `shadow` to `embedded` or to the URL of a scratch server.",
    );
  });
  const [pool, readers] = await Promise.all([server.poolOf(name), server.poolOf(name)]);
  return {
    pool,
    readers,
    owner: (await server.facts()).role,
    drop: async () => {
      await Promise.all([pool.end(), readers.end()]);
      await admin.query(`drop database if exists ${quoteIdent(name)} with (force)`);
    },
  };
}

/** One that a session is on, or that belongs to another role, stays. */
async function dropAbandoned(admin: pg.Pool): Promise<void> {
  const { rows } = await admin.query<{ name: string }>(SCRATCH);
  for (const { name } of rows) {
    const madeAt = Number(name.slice(PREFIX.length).split("_")[0]);
    if (Date.now() - madeAt < ABANDONED_MS) continue;
    await admin.query(`drop database if exists ${quoteIdent(name)}`).catch((error: unknown) => {
      if (codeOf(error) !== "55006" && codeOf(error) !== "42501") throw error;
    });
  }
}
