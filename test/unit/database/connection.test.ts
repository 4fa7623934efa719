import pg from "pg";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { UserError } from "../../../provider/core/errors.ts";
import { describeConnectionError } from "../../../provider/database/connectionError.ts";
import { connectionUrlFault, parseConnectionUrl } from "../../../provider/database/connectionUrl.ts";
import { describeDatabaseError } from "../../../provider/database/databaseError.ts";

describe("a connection URL", () => {
  const before = process.env.PGSSLMODE;
  beforeEach(() => {
    delete process.env.PGSSLMODE;
  });
  afterEach(() => {
    if (before !== undefined) process.env.PGSSLMODE = before;
  });

  it.each([
    ["postgresql://user:pw@host/db", "user@host:5432/db"],
    ["postgres://us%40er:p%40w@host:6543/my%20db", "us@er@host:6543/my db"],
    ["postgresql://user@[::1]:5433/db", "user@[::1]:5433/db"],
    ["postgresql:///db?host=/var/run/postgresql&user=me", "me@/var/run/postgresql:5432/db"],
    ["postgresql://host?user=me&dbname=other&port=7", "me@host:7/other"],
  ])("%s is shown as %s", (url, label) => {
    expect(parseConnectionUrl(url).label).toBe(label);
  });

  it.each([
    ["", "prefer"],
    ["?sslmode=allow", "prefer"],
    ["?sslmode=disable", "disable"],
    ["?sslmode=require", "require"],
    ["?sslmode=no-verify", "require"],
    ["?ssl=true", "require"],
    ["?ssl=0", "disable"],
    ["?sslmode=require&sslrootcert=ca.crt", "verify-ca"],
    ["?sslmode=verify-full", "verify-full"],
  ])("with %j means TLS mode %s", (query, mode) => {
    expect(parseConnectionUrl(`postgresql://user:pw@host/db${query}`).tlsMode).toBe(mode);
  });

  it("takes its TLS mode from the environment where it has none, as libpq does", () => {
    process.env.PGSSLMODE = "require";
    expect(parseConnectionUrl("postgresql://user:pw@host/db").tlsMode).toBe("require");
    expect(parseConnectionUrl("postgresql://user:pw@host/db?sslmode=disable").tlsMode).toBe("disable");
    expect(parseConnectionUrl("postgresql:///db?host=/tmp&user=me").tlsMode).toBe("disable");
    delete process.env.PGSSLMODE;
  });

  it("checks certificates only in the modes that say so", () => {
    const options = (mode: string) => parseConnectionUrl(`postgresql://u@h/d?sslmode=${mode}`).tlsOptions();
    expect(options("require")).toEqual({ rejectUnauthorized: false });
    expect(options("verify-full")).toEqual({ rejectUnauthorized: true });
    expect(options("verify-ca")).toMatchObject({ rejectUnauthorized: true, checkServerIdentity: expect.any(Function) });
  });

  it("goes to the driver without what the driver reads otherwise", () => {
    const { driverUrl } = parseConnectionUrl("postgresql://u:p%2Fw@h/d?sslmode=require&application_name=x");
    expect(driverUrl).toBe("postgresql://u:p%2Fw@h/d?application_name=x");
  });

  it.each([
    ["", "it is empty"],
    ["host=localhost dbname=x", "it is a list of keywords"],
    ["mysql://u:canary@h/d", "it does not begin with postgresql://"],
    ["postgresql://u:can/ary@h/d", "does not parse"],
    ["postgresql://u:can@ary@h/d", "does not parse"],
    ["postgresql://u:can%ary@h/d", "does not parse"],
    ["postgresql://u:canary@h:99999/d", "does not parse"],
    ["postgresql://u:canary@h", "the database name is missing"],
    ["postgresql://h/d", "the user is missing"],
    ["postgresql:///d?user=u", "the host is missing"],
    ["postgresql://u:canary@h/d?sslmode=maybe", "sslmode is none of"],
  ])("that is malformed (%j) is explained and not shown", (url, reason) => {
    const fault = connectionUrlFault(url);
    expect(fault).toContain(reason);
    expect(fault).not.toMatch(/canary|can[@/%]ary/);
  });
});

describe("a connection error", () => {
  const target = parseConnectionUrl("postgresql://user:canary@host/db");

  it.each([
    [{ code: "28P01" }, 'rejects the password of role "user"'],
    [{ code: "3D000" }, 'has no database "db"'],
    [{ code: "28000", message: 'role "user" does not exist' }, 'has no role "user"'],
    [{ code: "28000", message: "no pg_hba.conf entry for host, no encryption" }, "demands TLS: use sslmode=require"],
    [{ code: "53300" }, "too many connections"],
    [{ code: "ETIMEDOUT" }, "not reachable"],
    [{ code: "ENOTFOUND" }, "cannot be resolved"],
    [{ code: "SELF_SIGNED_CERT_IN_CHAIN" }, "certificate is not accepted"],
    [{ message: "timeout expired" }, "did not answer within 10 seconds"],
    [{ message: "The server does not support SSL connections" }, "does not offer TLS"],
  ])("%j is explained", (parts, text) => {
    const described = describeConnectionError(Object.assign(new Error("message"), parts), target);
    expect(described).toBeInstanceOf(UserError);
    expect(String(described)).toContain(`cannot connect to user@host:5432/db: `);
    expect(String(described)).toContain(text);
    expect(String(described)).not.toContain("canary");
  });

  it("of several addresses is explained by the first", () => {
    const refused = Object.assign(new Error("a"), { code: "ECONNREFUSED" });
    expect(String(describeConnectionError(new AggregateError([refused]), target))).toContain(
      "nothing accepts connections",
    );
  });

  it("that nobody knows stays as it is", () => {
    const error = new TypeError("a defect");
    expect(describeConnectionError(error, target)).toBe(error);
  });
});

describe("an error of the database", () => {
  function databaseError(parts: Partial<pg.DatabaseError>): pg.DatabaseError {
    return Object.assign(
      new pg.DatabaseError("the message", 0, "error"),
      { detail: "Failing row contains (canary)" },
      parts,
    );
  }

  it.each([
    [{ code: "42501", message: "permission denied for schema platform" }, "GRANT USAGE ON SCHEMA"],
    [{ code: "42501", message: "must be owner of table users" }, "Connect as the owner of the object"],
    [{ code: "55P03" }, "lockTimeoutMs"],
    [{ code: "57014" }, "statementTimeoutMs"],
    [
      { code: "23505", constraint: "users_email_key", schema: "a", table: "users" },
      '"users_email_key" of table a.users',
    ],
    [{ code: "23503", constraint: "fk" }, 'foreign key "fk"'],
    [{ code: "23514", constraint: "ck" }, 'check constraint "ck"'],
    [{ code: "23502", column: "name" }, 'column "name"'],
    [{ code: "42P01", message: 'relation "x" does not exist' }, "create the layer first"],
    [{ code: "25006" }, "read-only"],
    [{ code: "57014", message: "canceling statement due to user request" }, "an administrator cancelled"],
    [{ code: "57P01" }, "connection to the database was lost: the server is shutting down, or an administrator"],
    [{ code: "57P02" }, "another process of the server crashed"],
    [{ code: "P0001", message: "raised" }, "the database reports: raised (SQLSTATE P0001)"],
  ])("%j says what to do, and never its detail", (parts, text) => {
    const described = describeDatabaseError(databaseError(parts));
    expect(described?.message).toContain(text);
    expect(described?.message).not.toContain("canary");
  });

  it.each([
    { code: "ECONNRESET" },
    { code: "EPIPE" },
    { message: "Connection terminated unexpectedly" },
    { message: "Client has encountered a connection error and is not queryable" },
  ])("that is the loss of the connection says that nothing is half done: %j", (parts) => {
    const described = describeDatabaseError(Object.assign(new Error("message"), parts));
    expect(described?.message).toContain(
      "connection to the database was lost: the network, a proxy in between or the server broke it",
    );
    expect(described?.message).toContain("nothing is left half done");
    expect(described?.message).toContain("Run `pulumi up` again");
  });

  it("is no other error", () => {
    expect(describeDatabaseError(new Error("a defect"))).toBeUndefined();
  });
});
