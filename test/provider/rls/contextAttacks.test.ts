import { createHmac } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withContext, withSignIn } from "../../../client/index.ts";
import { createTestRole, type TestRole } from "../../support/database.ts";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { CONTEXT_KEY, seedTenants, TENANTS, USERS } from "../../support/tenants.ts";

/** A login of the application, as an attacker has it who can send SQL and knows no key. */
let studio: StudioDatabase;
let login: TestRole;
let pool: pg.Pool;
const options = { key: `gateway:${CONTEXT_KEY}` };

beforeAll(async () => {
  studio = await createStudioDatabase("restrictive");
  await seedTenants(studio);
  login = await createTestRole();
  await studio.query(`grant studio_app to ${login.name}`);
  pool = new pg.Pool({ connectionString: studio.urlFor(login), max: 3 });
});
afterAll(async () => {
  await pool.end();
  await studio.drop();
  await login.drop();
});

const SEEN = "select id from platform.organizations";
const NOT_SIGNED = { code: "28000", message: "app.context is not signed for this transaction" };
const asMember = { userId: USERS.member };

/** Statements of one session without a context that the application has signed, one after another. */
async function inject(...statements: string[]): Promise<Record<string, unknown>[]> {
  const client = await pool.connect();
  try {
    let rows: Record<string, unknown>[] = [];
    for (const sql of statements) {
      const result: pg.QueryResult | pg.QueryResult[] = await client.query(sql);
      ({ rows } = Array.isArray(result) ? (result.at(-1) ?? { rows: [] }) : result);
    }
    return rows;
  } finally {
    client.release(true);
  }
}

describe("a session that has only SQL", () => {
  const forged = `gateway:user:${USERS.owner_of_b}::00`;

  test("sees no row of a tenant", async () => {
    expect(await inject(SEEN)).toEqual([]);
  });

  test.each([
    ["a context that is set by hand", `begin; select set_config('app.context', '${forged}', true); ${SEEN}`],
    ["one that is set for the session", `set app.context = '${forged}'; ${SEEN}`],
    ["one by a key that is not there", `set app.context = 'other:user:${USERS.owner_of_b}::00'; ${SEEN}`],
    ["one without a user that is a UUID", `set app.context = 'gateway:user:nobody::00'; ${SEEN}`],
    ["one of another form", `set app.context = 'x'; ${SEEN}`],
    ["one that is long", `select set_config('app.context', repeat(':', 100000), false); ${SEEN}`],
  ])("is refused with %s", async (_, sql) => {
    await expect(inject(sql)).rejects.toMatchObject(NOT_SIGNED);
  });

  test("gains nothing by the settings of the original helpers, and nothing by a reset", async () => {
    const settings = `set app.current_user_id = '${USERS.owner_of_b}'; set app.is_system_user = 'true'`;
    expect(await inject(`${settings}; ${SEEN}`)).toEqual([]);
    expect(await inject("reset app.context", SEEN)).toEqual([]);
    expect(await inject("discard all", SEEN)).toEqual([]);
  });

  test.each(["studio_system", "studio_decrypt", "postgres"])("does not become %s", async (role) => {
    await expect(inject(`set role ${role}`)).rejects.toMatchObject({ code: "42501" });
  });

  test("reads no key, signs nothing, and switches nothing off", async () => {
    for (const sql of [
      "select key from platform_access.context_keys",
      `select platform_access.signed_context('${USERS.owner_of_b}')`,
      "select * from platform_access.test_context()",
      "alter table platform.organizations disable row level security",
      `begin; set local row_security = off; ${SEEN}`,
      "create policy mine on platform.organizations using (true)",
      "delete from platform_access.administered_projects",
      "create or replace view platform_access.administered_projects as select id from platform.projects",
      "create function platform_access.user_id() returns uuid language sql as 'select null::uuid'",
    ])
      await expect(inject(sql)).rejects.toMatchObject({ code: "42501" });
  });

  test("asks none of the functions that work before a user is known", async () => {
    for (const call of [
      "find_user('owner@example.org')",
      "find_session('session of owner')",
      "find_api_key('x')",
      "sign_up('new@example.org', 'hash')",
      `start_session('${USERS.owner}', 'token', now() + interval '1 day')`,
      "create_organization('New', 'new-one')",
      "accept_invitation('member-token-a')",
    ])
      await expect(inject(`select * from platform_access.${call}`)).rejects.toMatchObject({ code: "42501" });
  });

  test("puts no type or table of its own into functions that run with the owner's rights", async () => {
    const spy = `create function pg_temp.spy(shown pg_catalog.text) returns boolean language plpgsql as $$ begin
        if current_user <> session_user then raise exception 'ran as the owner'; end if; return true; end $$;
      ${["text", "uuid", "bytea", "timestamptz", "jsonb", "inet"].map((type) => `create domain pg_temp.${type} as pg_catalog.${type} check (pg_temp.spy(value::pg_catalog.text));`).join(" ")}
      create temp table pg_roles (rolname pg_catalog.name, rolsuper boolean, oid pg_catalog.oid);
      grant select on pg_temp.pg_roles to public`;
    await inject(spy, `${SEEN}`);
    for (const call of [
      "select platform_access.verified_context()",
      "select platform_access.challenge()",
      "select platform.log_audit_event(null, 'organization', 'x', 'forged')",
      "select * from platform.get_project_databases(gen_random_uuid())",
      "select platform_access.organizations('member')",
    ]) {
      const message = await inject(spy, call).then(
        () => "",
        (error: Error) => error.message,
      );
      expect(message, call).not.toContain("ran as the owner");
    }
    const [{ entries } = { entries: undefined }] = await studio.query(
      "select count(*)::int as entries from platform.audit_logs where event_type = 'forged'",
    );
    expect(entries).toBe(0);
  });

  test("reads no row through a function or operator that it puts before a policy", async () => {
    const leak = `create function pg_temp.leak(text) returns boolean language plpgsql cost 0.0001 as $$ begin raise exception 'leaked %', $1; end $$;
      select id from platform.organizations where pg_temp.leak(name)`;
    expect(await inject(leak)).toEqual([]);
  });
});

describe("SQL that is smuggled into the transaction of a user", () => {
  test("reaches what the user reaches, and not the functions of a sign-in", async () => {
    await withContext(
      pool,
      asMember,
      async ({ query }) => {
        expect((await query(SEEN)).rows).toEqual([{ id: TENANTS.a.organization }]);
        const find = query("select * from platform_access.find_user('owner@example.org')");
        await expect(find).rejects.toMatchObject({ code: "42501" });
      },
      options,
    ).catch((error: Error) => expect(error.message).toContain("rolled back"));
  });

  test("cannot change the user, the organization or the scope of the context", async () => {
    const change = (from: string, to: string): string =>
      `select set_config('app.context', replace(current_setting('app.context'), '${from}', '${to}'), true)`;
    for (const sql of [
      change(USERS.member, USERS.owner_of_b),
      change(`${USERS.member}:`, `${USERS.member}:${TENANTS.b.organization}`),
      change(`user:${USERS.member}:`, "sign_in::"),
    ]) {
      const tried = withContext(
        pool,
        asMember,
        async ({ query }) => {
          await query(sql);
          return query(SEEN);
        },
        options,
      );
      await expect(tried).rejects.toMatchObject(NOT_SIGNED);
    }
  });

  test("cannot use what was signed for another user, at the same moment or later", async () => {
    let stolen = "";
    const steal = withContext(
      pool,
      { userId: USERS.owner_of_b },
      async ({ query }) => {
        const { rows } = await query<{ context: string }>("select current_setting('app.context') as context");
        stolen = rows[0]?.context ?? "";
        await expect(replay()).rejects.toMatchObject(NOT_SIGNED);
      },
      options,
    );
    const replay = (): Promise<unknown> =>
      inject(`begin; select set_config('app.context', '${stolen}', true); ${SEEN}`);
    await steal;
    await expect(replay()).rejects.toMatchObject(NOT_SIGNED);
  });

  test("has no user after it has ended the transaction, and leaves none to the next user of the connection", async () => {
    const single = new pg.Pool({ connectionString: studio.urlFor(login), max: 1 });
    try {
      const ended = withContext(
        single,
        asMember,
        async ({ query }) => {
          await query("select set_config('app.context', current_setting('app.context'), false)");
          await query("commit");
          await query("begin");
          return query(SEEN);
        },
        options,
      );
      await expect(ended).rejects.toMatchObject(NOT_SIGNED);
      expect((await single.query(SEEN)).rows).toEqual([]);
      const next = await withContext(single, { userId: USERS.owner_of_b }, ({ query }) => query(SEEN), options);
      expect(next.rows).toEqual([{ id: TENANTS.b.organization }]);
    } finally {
      await single.end();
    }
  });

  test("cannot keep a plan or a cursor for the next user", async () => {
    const client = await pool.connect();
    try {
      const sign = async (user: string): Promise<void> => {
        const { rows } = await client.query<{ c: string }>("select platform_access.challenge() as c");
        const claims = `user:${user}:`;
        const signature = createHmac("sha256", CONTEXT_KEY)
          .update(`platform context 1:${claims}:${rows[0]?.c}`)
          .digest("hex");
        await client.query("select set_config('app.context', $1, true)", [`gateway:${claims}:${signature}`]);
      };
      await client.query(`prepare mine as ${SEEN}`);
      for (const [user, id] of [
        [USERS.member, TENANTS.a.organization],
        [USERS.owner_of_b, TENANTS.b.organization],
        [USERS.member, TENANTS.a.organization],
      ] as const) {
        await client.query("begin");
        await sign(user);
        expect((await client.query("execute mine")).rows).toEqual([{ id }]);
        await client.query("commit");
      }
      expect((await client.query("execute mine")).rows).toEqual([]);
    } finally {
      client.release(true);
    }
  });
});

describe("before a user is known", () => {
  test("an account is made, found by its address, and gets a session that is found by its token", async () => {
    const found = await withSignIn(
      pool,
      async ({ query }) => {
        const value = async (sql: string, values: unknown[]): Promise<Record<string, unknown> | undefined> =>
          (await query(sql, values)).rows[0];
        const made = await value("select platform_access.sign_up($1, $2, $3) as id", [
          "new@example.org",
          "hash",
          "new",
        ]);
        const again = await value("select platform_access.sign_up($1, $2) as id", ["new@example.org", "other"]);
        const user = await value("select * from platform_access.find_user($1)", ["new@example.org"]);
        const started = await value("select platform_access.start_session($1, $2, now() + interval '1 hour') as id", [
          made?.id,
          "token",
        ]);
        const session = await value("select * from platform_access.find_session($1)", ["token"]);
        return { made, again, user, started, session };
      },
      options,
    );
    expect(found.again).toEqual({ id: null });
    expect(found.user).toMatchObject({ user_id: found.made?.id, password_hash: "hash" });
    expect(found.session).toMatchObject({ session_id: found.started?.id, user_id: found.made?.id });
  });

  test("no row of a table is seen, and who may not sign in gets no session", async () => {
    await studio.query("update platform.users set banned_until = now() + interval '1 day' where id = $1", [
      USERS.developer,
    ]);
    await withSignIn(
      pool,
      async ({ query }) => {
        expect((await query("select id from platform.users")).rows).toEqual([]);
        const started = await query("select platform_access.start_session($1, 't', now() + interval '1 hour') as id", [
          USERS.developer,
        ]);
        expect(started.rows).toEqual([{ id: null }]);
        expect((await query("select * from platform_access.find_session('session of developer')")).rows).toEqual([]);
      },
      options,
    );
  });

  test("a user creates an organization, and is its first owner; a name that is taken is the database's own error", async () => {
    const create = (slug: string): Promise<pg.QueryResult> =>
      withContext(
        pool,
        { userId: USERS.outsider },
        async ({ query }) => {
          const { rows } = await query("select platform_access.create_organization('New', $1) as id", [slug]);
          return query("select m.role from platform.organization_members m where m.organization_id = $1", [
            rows[0]?.id,
          ]);
        },
        options,
      );
    expect((await create("new-one")).rows).toEqual([{ role: "owner" }]);
    await expect(create("new-one")).rejects.toMatchObject({ code: "23505" });
  });

  test("an invitation is accepted by its address alone, once; all others are told the same", async () => {
    const accept = async (userId: string, token: string): Promise<unknown> => {
      const { rows } = await withContext(
        pool,
        { userId },
        ({ query }) => query("select platform_access.accept_invitation($1) as id", [token]),
        options,
      );
      return rows[0]?.id;
    };
    expect(await accept(USERS.member, "member-token-b")).toBe(null);
    expect(await accept(USERS.outsider, "no such token")).toBe(null);
    expect(await accept(USERS.outsider, "member-token-b")).toBe(TENANTS.b.organization);
    expect(await accept(USERS.outsider, "member-token-b")).toBe(null);
  });
});
