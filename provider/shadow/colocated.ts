import { randomBytes } from "node:crypto";
import pg from "pg";
import { quoteIdent } from "../engine/quote.ts";
import { UserError } from "../userError.ts";
import type { ScratchDatabase, Shadow, ShadowNeeds } from "./shadow.ts";

const { DatabaseError } = pg;

const ROLES_THAT_EXIST = "select rolname from pg_catalog.pg_roles where rolname = any($1)";

/**
 * Scratch databases on a server that exists already: the target's own (its exact version and extensions), or one named by URL.
 * Roles are shared by all databases of a server, so none is made here.
 *
 * @param admin connects to any database of the server; the caller closes it.
 * @param poolOf opens a pool to another database of the same server.
 */
export function colocatedShadow(
  admin: pg.Pool,
  serverVersion: string,
  poolOf: (database: string) => Promise<pg.Pool>,
): Shadow {
  return {
    identity: `colocated ${serverVersion}`,
    create: (needs) => createScratch(admin, needs, poolOf),
    stop: async () => {},
  };
}

async function createScratch(
  admin: pg.Pool,
  { roles }: ShadowNeeds,
  poolOf: (database: string) => Promise<pg.Pool>,
): Promise<ScratchDatabase> {
  const { rows } = await admin.query<{ rolname: string }>(ROLES_THAT_EXIST, [roles]);
  const missing = roles.filter((role) => !rows.some((row) => row.rolname === role));
  if (missing.length > 0) {
    throw new UserError(
      `The SQL names the roles ${missing.join(", ")}, which the server does not have. A shadow on the target's server makes no roles, ` +
        "because roles are shared by all databases of a server. Create them first (AccessRoles does), or set the provider's `shadow` to `embedded`.",
    );
  }
  const name = `pgstrata_shadow_${randomBytes(8).toString("hex")}`;
  await admin.query(`create database ${quoteIdent(name)} template template0`).catch((error: unknown) => {
    if (!(error instanceof DatabaseError && error.code === "42501")) throw error;
    throw new UserError(
      "The connecting role may not create databases, which a shadow on the target's server needs. " +
        "Grant it CREATEDB (`alter role … createdb`), or set the provider's `shadow` to `embedded` or to the URL of a scratch server.",
    );
  });
  const pool = await poolOf(name);
  return {
    pool,
    drop: async () => {
      await pool.end();
      await admin.query(`drop database if exists ${quoteIdent(name)} with (force)`);
    },
  };
}
