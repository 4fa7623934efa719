/**
 * Logins of PostgreSQL in turn. The user that was there first becomes the group role: it keeps what it owns
 * and may do, and each login is a member that takes it on when it signs in, so that logins own nothing.
 */
import { randomBytes } from "node:crypto";
import type pg from "pg";
import type { ProbeFailure } from "./failures.ts";
import { scramVerifier } from "./scramVerifier.ts";
import type { NewLogin, ProbeTarget, ServiceClient, ServiceUsers } from "./serviceType.ts";
import { listed } from "./users.ts";

/** How a type of PostgreSQL connects, and what its errors mean. */
export interface PostgresAccess {
  connect(target: ProbeTarget): Promise<pg.Client>;
  failureOf(error: unknown, target: ProbeTarget): ProbeFailure;
  /** False where the service demands the password itself. */
  takesVerifiers: boolean;
}

const SALT_BYTES = 16;
/** Tables that are read and written in a proof; privileges are compared on all. */
const MOST_TRIED = 20;

/** SQLSTATEs of a role that objects depend on, and of objects that another role may not give away. */
const STAYS = ["2BP01", "42501"];

type Rights = Record<"super" | "createrole" | "group_is_super" | "admin" | "is_itself", boolean>;

/** A server before 16 takes CREATEROLE for the right to grant any role that is no superuser. */
const RIGHTS = `
  SELECT u.rolsuper AS super, u.rolcreaterole AS createrole, g.rolsuper AS group_is_super,
         u.oid = g.oid AND pg_catalog.current_setting('server_version_num')::pg_catalog.int4 >= 160000 AS is_itself,
         pg_catalog.current_setting('server_version_num')::pg_catalog.int4 < 160000
           OR pg_catalog.pg_has_role(u.oid, g.oid, 'MEMBER WITH ADMIN OPTION') AS admin
    FROM pg_catalog.pg_roles AS u CROSS JOIN pg_catalog.pg_roles AS g
   WHERE u.rolname = current_user AND g.rolname = $1`;

/** Settings that a login has of its own, for all databases and for single ones. */
const SETTINGS = `
  SELECT d.datname AS database, pg_catalog.split_part(c, '=', 1) AS name,
         pg_catalog.substr(c, pg_catalog.strpos(c, '=') + 1) AS value
    FROM pg_catalog.pg_db_role_setting AS s
    JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c
   WHERE r.rolname = $1 AND pg_catalog.split_part(c, '=', 1) <> 'role'`;

/** The role that a login takes on when it signs in, whichever database it opens. */
const TAKEN_ON = `
  SELECT pg_catalog.substr(c, pg_catalog.length('role=') + 1) AS role
    FROM pg_catalog.pg_db_role_setting AS s
    JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
    CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c
   WHERE r.rolname = $1 AND s.setdatabase = 0 AND pg_catalog.starts_with(c, 'role=')`;

const PRIVILEGES = `
  SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, p AS privilege, c.relkind IN ('r', 'p') AS "isTable"
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN pg_catalog.unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS p
   WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^(pg_|information_schema$)'
     AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, p)
   ORDER BY 1, 2`;

const CLIENTS = `
  SELECT COALESCE(a.application_name, '') AS application, COALESCE(pg_catalog.host(a.client_addr), '') AS address,
         pg_catalog.count(*)::pg_catalog.int4 AS connections
    FROM pg_catalog.pg_stat_activity AS a
   WHERE a.usename = $1 AND a.pid <> pg_catalog.pg_backend_pid() GROUP BY 1, 2 ORDER BY 3 DESC`;

export async function openPostgresUsers(admin: ProbeTarget, access: PostgresAccess): Promise<ServiceUsers> {
  const client = await access.connect(admin);
  // A user that is read-only unless it says otherwise may still manage users.
  await client.query("SET default_transaction_read_only TO off").catch(() => undefined);
  const named = (name: string): string => client.escapeIdentifier(name);
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw access.failureOf(error, admin);
    });

  async function lacking(group: string): Promise<string | undefined> {
    const { rows } = await client.query<Rights>(RIGHTS, [group]);
    const [rights] = rows;
    if (rights === undefined) return `a role "${group}" to be the group of its logins`;
    if (rights.super) return undefined;
    if (rights.group_is_super) return `SUPERUSER, as "${group}" has it`;
    // No role can be granted to itself, and from version 16 on nothing stands for that.
    if (rights.is_itself)
      return `SUPERUSER, without which a role cannot have ADMIN OPTION on itself: make another one that manages it (create role rotator login createrole; grant ${named(group)} to rotator with admin option)`;
    if (!rights.createrole) return "CREATEROLE";
    return rights.admin ? undefined : `ADMIN OPTION on the role "${group}"`;
  }

  async function exists(user: string): Promise<boolean> {
    return (await client.query("SELECT FROM pg_catalog.pg_roles WHERE rolname = $1", [user])).rows.length > 0;
  }

  async function make({ name, password, old, group }: NewLogin): Promise<void> {
    const [login, role] = [named(name), named(group)];
    const kept = access.takesVerifiers ? scramVerifier(password, randomBytes(SALT_BYTES).toString("base64")) : password;
    await inTransaction(client, async () => {
      await client.query((await exists(name)) ? `ALTER ROLE ${login} RESET ALL` : `CREATE ROLE ${login}`);
      await client.query(`ALTER ROLE ${login} LOGIN INHERIT PASSWORD ${client.escapeLiteral(kept)}`);
      await client.query(`GRANT ${role} TO ${login}`);
      // A login that a rotation of another registration has made may be the group of this one.
      const { rows } = await client.query<{ role: string }>(TAKEN_ON, [old]);
      await client.query(`ALTER ROLE ${login} SET role TO ${named(rows[0]?.role ?? group)}`);
      await copySettings(client, old, login);
    });
  }

  async function drop(user: string, group: string): Promise<string | undefined> {
    if (!(await exists(user))) return undefined;
    const [login, role] = [named(user), named(group)];
    // It owns something only where it has left the group role for a while.
    for (const statements of [`DROP ROLE ${login}`, `REASSIGN OWNED BY ${login} TO ${role}; DROP ROLE ${login}`]) {
      try {
        await inTransaction(client, () => client.query(statements));
        return undefined;
      } catch (error) {
        if (!(error instanceof Error && "code" in error && STAYS.some((code) => code === error.code))) throw error;
      }
    }
    return "it owns objects, or has privileges of its own, that cannot go to the group role from here";
  }

  return {
    lacking: (group) => told(lacking(group)),
    exists: (user) => told(exists(user)),
    make: (login) => told(make(login)),
    async missing(next, old) {
      const [before, after] = [await rightsOf(old, access), await rightsOf(next, access)];
      if (before.isReadOnly !== after.isReadOnly)
        return `the setting default_transaction_read_only = ${before.isReadOnly}`;
      if (before.role !== after.role) return `the role "${before.role}", which it has to take on when it signs in`;
      const has = new Set(after.privileges);
      const lost = before.privileges.filter((privilege) => !has.has(privilege));
      return lost.length === 0 ? undefined : listed(lost);
    },
    clientsOf: (user) => told(client.query<ServiceClient>(CLIENTS, [user]).then(({ rows }) => rows)),
    disable: (user) => told(client.query(`ALTER ROLE ${named(user)} NOLOGIN`).then(() => undefined)),
    drop: (user, group) => told(drop(user, group)),
    close: () => client.end().catch(() => undefined),
  };
}

async function inTransaction(client: pg.Client, work: () => Promise<unknown>): Promise<void> {
  try {
    await client.query("BEGIN");
    await work();
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

/** A value goes by way of the session: of a list, it is more than one constant. */
async function copySettings(client: pg.Client, old: string, login: string): Promise<void> {
  const { rows } = await client.query<{ database: string | null; name: string; value: string }>(SETTINGS, [old]);
  for (const { database, name, value } of rows) {
    await client.query("SELECT pg_catalog.set_config($1, $2, true)", [name, value]);
    const where = database === null ? "" : ` IN DATABASE ${client.escapeIdentifier(database)}`;
    const setting = name.split(".").map((part) => client.escapeIdentifier(part));
    await client.query(`ALTER ROLE ${login}${where} SET ${setting.join(".")} FROM CURRENT`);
  }
}

/** Signs in, reads and writes for trial, and tells what else is allowed. */
async function rightsOf(
  target: ProbeTarget,
  access: PostgresAccess,
): Promise<{ role: string; isReadOnly: string; privileges: string[] }> {
  const client = await access.connect(target);
  try {
    const { rows: roles } = await client.query<{ role: string; isReadOnly: string }>(
      `SELECT current_user::pg_catalog.text AS role,
              pg_catalog.current_setting('default_transaction_read_only') AS "isReadOnly"`,
    );
    const { rows } = await client.query<{ name: string; privilege: string; isTable: boolean }>(PRIVILEGES);
    const of = (privilege: string) =>
      rows.filter((row) => row.isTable && row.privilege === privilege).slice(0, MOST_TRIED);
    await client.query("BEGIN");
    for (const { name } of of("SELECT")) await client.query(`SELECT FROM ${name} LIMIT 1`);
    // The server checks the privilege, and no trigger is called.
    for (const { name } of of("DELETE")) await client.query(`EXPLAIN DELETE FROM ${name} WHERE false`);
    await client.query("ROLLBACK");
    const { role = "", isReadOnly = "" } = roles[0] ?? {};
    return { role, isReadOnly, privileges: rows.map(({ name, privilege }) => `${privilege} on ${name}`) };
  } catch (error) {
    throw access.failureOf(error, target);
  } finally {
    await client.end().catch(() => undefined);
  }
}
