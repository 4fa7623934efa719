import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ContextError, type RequestContext, type Work, withContext } from "../../../client/index.ts";
import { createTestRole, type TestRole } from "../../support/database.ts";
import { findPgBouncer, type Pooler, startPooler } from "../../support/pgbouncer.ts";
import { createStudioDatabase, type StudioDatabase } from "../../support/studio.ts";
import { CONTEXT_KEY, seedTenants, TENANTS, USERS } from "../../support/tenants.ts";

const found = findPgBouncer();
const options = { key: `gateway:${CONTEXT_KEY}` };
const SEEN = "select id from platform.organizations order by id";
const A = [{ id: TENANTS.a.organization }];
const B = [{ id: TENANTS.b.organization }];
const MEMBER: RequestContext = { userId: USERS.member };
const OTHER: RequestContext = { userId: USERS.owner_of_b };

let studio: StudioDatabase;
let login: TestRole;
let pool: pg.Pool;
let pooler: Pooler | undefined;

beforeAll(async () => {
  studio = await createStudioDatabase("restrictive");
  await seedTenants(studio);
  login = await createTestRole();
  await studio.query(`grant studio_app to ${login.name}`);
  pool = poolOf({ max: 2 });
  if (found !== undefined)
    pooler = await startPooler(found, studio.urlFor(login), { pool_mode: "transaction", default_pool_size: "3" });
});
afterAll(async () => {
  await pool.end();
  await pooler?.stop();
  found?.remove();
  await studio.drop();
  await login.drop();
});

const poolOf = (config: pg.PoolConfig): pg.Pool => {
  const made = new pg.Pool({ connectionString: studio.urlFor(login), ...config });
  made.on("error", () => {});
  return made;
};
const within = <T>(context: RequestContext, work: Work<T>, of = pool): Promise<T> =>
  withContext(of, context, work, options);
const seenBy = async (context: RequestContext, of = pool): Promise<unknown[]> =>
  (await within(context, ({ query }) => query(SEEN), of)).rows;

test("a work sees what its user may see, by parameters as well, and its result is given out", async () => {
  expect(await seenBy(MEMBER)).toEqual(A);
  expect(await seenBy(OTHER)).toEqual(B);
  expect(await seenBy({ userId: USERS.member_of_both, organizationId: TENANTS.b.organization })).toEqual(B);
  const named = await within(MEMBER, ({ query }) =>
    query<{ name: string }>("select name from platform.organizations where slug = $1", ["tenant-a"]),
  );
  expect(named.rows[0]?.name).toBe("a");
});

test("a named query is prepared once a connection, and sees each time what its own user may see", async () => {
  const single = poolOf({ max: 1 });
  const named = async (context: RequestContext): Promise<unknown[]> => {
    const text = "select id from platform.organizations where slug like $1 order by id";
    const work: Work<pg.QueryResult> = ({ query }) => query({ name: "organizations", text, values: ["tenant-%"] });
    return (await within(context, work, single)).rows;
  };
  expect(await named(MEMBER)).toEqual(A);
  expect(await named(OTHER)).toEqual(B);
  expect(await named({ userId: USERS.outsider })).toEqual([]);
  expect((await single.query("select name from pg_prepared_statements")).rows).toEqual([{ name: "organizations" }]);
  await single.end();
});

test("what a work writes is there after it, and nothing of it where the work fails", async () => {
  const rename = (name: string, fails: boolean): Promise<void> =>
    within({ userId: USERS.owner }, async ({ query }) => {
      await query("update platform.organizations set billing_email = $1", [name]);
      if (fails) throw new Error("the work fails");
    });
  await rename("one@example.org", false);
  await expect(rename("two@example.org", true)).rejects.toThrow("the work fails");
  expect(await studio.query("select billing_email from platform.organizations where slug = 'tenant-a'")).toEqual([
    { billing_email: "one@example.org" },
  ]);
});

test("an identity or a key that is none is refused before anything is sent, and neither is quoted", async () => {
  for (const userId of ["", "nobody", `${USERS.member}' or true`, `${USERS.member}:x`])
    await expect(async () => within({ userId }, async () => {})).rejects.toThrow(new ContextError("userId is no UUID"));
  await expect(async () => within({ ...MEMBER, organizationId: "x" }, async () => {})).rejects.toThrow(
    "organizationId",
  );
  const key = "a-key-without-a-name";
  const keyless = withContext(pool, MEMBER, async () => {}, { key });
  await expect(keyless).rejects.toThrow("PLATFORM_CONTEXT_KEY");
  await expect(keyless).rejects.not.toThrow(key);
  const wrong = withContext(pool, MEMBER, ({ query }) => query(SEEN), { key: "gateway:another-key" });
  await expect(wrong).rejects.toMatchObject({ code: "28000" });
});

describe("a work that is written carelessly", () => {
  test("leaves no query of its own to the next user: what it forgets to await is awaited", async () => {
    const single = poolOf({ max: 1 });
    let forgotten: Promise<pg.QueryResult> | undefined;
    await within(
      MEMBER,
      async ({ query }) => {
        forgotten = query(`${SEEN}, pg_sleep(0.05)`.replace("order by id, pg_sleep(0.05)", "limit 5"));
      },
      single,
    );
    expect(await seenBy(OTHER, single)).toEqual(B);
    expect((await forgotten)?.rows).toEqual(A);
    await single.end();
  });

  test("is told where a query comes after its end", async () => {
    let late: Promise<unknown> | undefined;
    await within(MEMBER, async ({ query }) => {
      late = sleep(30).then(() => query(SEEN));
      late.catch(() => {});
    });
    await expect(late).rejects.toThrow("a query comes after the end of its work");
  });

  test("is told where a query failed and nothing was committed", async () => {
    const swallowed = within(MEMBER, async ({ query }) => {
      await query("select 1 / 0").catch(() => {});
      return "done";
    });
    await expect(swallowed).rejects.toThrow("the transaction was rolled back");
    expect(await seenBy(MEMBER)).toEqual(A);
  });
});

/** What a work leaves on its connection, and how the next one of that connection would notice. */
const LEFT: Record<string, { leaves: string[]; finds: string; expected: unknown }> = {
  "row security off": { leaves: ["set row_security = off"], finds: "show row_security", expected: "on" },
  "a setting of the context": {
    leaves: ["select set_config('app.context', 'junk', false)"],
    finds: "select 'seen' from platform.organizations",
    expected: "seen",
  },
  "another role": { leaves: ["set role studio_app"], finds: "select current_user <> 'studio_app'", expected: true },
  "a table that hides another, and a path to it": {
    leaves: [
      "create temp table organizations as select 'theirs' as name from platform.organizations",
      "set search_path = pg_temp",
    ],
    finds: "select current_setting('search_path') || coalesce(to_regclass('pg_temp.organizations')::text, '')",
    expected: '"$user", public',
  },
  "a cursor with rows": {
    leaves: ["declare c cursor with hold for select name from platform.organizations", "fetch 0 from c"],
    finds: "select count(*)::int from pg_cursors",
    expected: 0,
  },
  "a lock for the session": {
    leaves: ["select pg_advisory_lock(7)"],
    finds: "select count(*)::int from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    expected: 0,
  },
};

describe("what SQL does to the session", () => {
  const leave = (of: pg.Pool, sql: string[], fails = false): Promise<void> =>
    within(
      MEMBER,
      async ({ query }) => {
        for (const each of sql) await query(each);
        if (fails) throw new Error("the work fails");
      },
      of,
    );
  const find = async (of: pg.Pool, sql: string): Promise<unknown> => {
    const { rows } = await within(OTHER, ({ query }) => query(sql), of);
    return Object.values(rows[0] ?? {})[0];
  };
  const poolers = [undefined, ...(found === undefined ? [] : ["behind PgBouncer"])];

  describe.each(poolers)("%s", (isPooled) => {
    const single = (config: pg.PoolConfig = {}): pg.Pool =>
      poolOf({
        max: 1,
        ...(isPooled === undefined ? {} : { connectionString: pooler?.url(studio.urlFor(login)) }),
        ...config,
      });

    test.each(Object.entries(LEFT))("does not reach the next user: %s", async (_, { leaves, finds, expected }) => {
      const own = single();
      await leave(own, leaves);
      expect(await find(own, finds)).toBe(expected);
      await expect(leave(own, [...leaves, "commit"], true)).rejects.toThrow("the work fails");
      expect(await find(own, finds)).toBe(expected);
      await own.end();
    });

    test("leaves alone what the application has set on connect", async () => {
      const own = single({ application_name: "the application" });
      const set = (await own.connect()).release;
      set();
      const names = ["application_name", "TimeZone"];
      await own.query("set time zone 'Asia/Tokyo'");
      await leave(own, ["set time zone 'UTC'", "set application_name = 'another'"]);
      const { rows } = await own.query(`select ${names.map((name) => `current_setting('${name}') as "${name}"`)}`);
      expect(rows).toEqual([{ application_name: "the application", TimeZone: "Asia/Tokyo" }]);
      await own.end();
    });

    test.each([
      ["commit", ["commit"]],
      ["another transaction", ["commit", "begin"]],
      ["a rollback", ["rollback", "begin"]],
      ["a chain", ["commit and chain"]],
    ])("is an error where it ends the transaction: %s", async (_, sql) => {
      const own = single();
      await expect(leave(own, sql)).rejects.toThrow("the work has ended its transaction");
      expect(await seenBy(OTHER, own)).toEqual(B);
      await own.end();
    });

    test("is an error where a prepared statement is left, which could stand in for another one", async () => {
      const own = single();
      const pid = "select pg_backend_pid() as pid";
      const before = await find(own, pid);
      await expect(leave(own, [`prepare mine as ${SEEN}`])).rejects.toThrow("leaves a prepared statement");
      expect(await find(own, "select count(*)::int from pg_prepared_statements")).toBe(0);
      if (isPooled === undefined) expect(await find(own, pid)).not.toBe(before);
      await leave(own, [`prepare mine as ${SEEN}`, "execute mine", "deallocate mine"]);
      await own.end();
    });

    test("is undone where the work fails, on the same connection", async () => {
      const own = single();
      const before = await find(own, "select pg_backend_pid()");
      await expect(leave(own, ["select 1 / 0"])).rejects.toThrow("division by zero");
      if (isPooled === undefined) expect(await find(own, "select pg_backend_pid()")).toBe(before);
      await own.end();
    });
  });
});

describe("a work within a work", () => {
  test("of the same user goes on in its transaction; a failure that is caught undoes the inner one alone", async () => {
    const single = poolOf({ max: 1 });
    const owner = { userId: USERS.owner };
    const set = (email: string): Promise<unknown> =>
      within(owner, ({ query }) => query("update platform.organizations set billing_email = $1", [email]), single);
    await within(
      owner,
      async ({ query }) => {
        await set("outer@example.org");
        const failing = within(
          owner,
          async () => {
            await set("inner@example.org");
            throw new Error("the inner work fails");
          },
          single,
        );
        await expect(failing).rejects.toThrow("the inner work fails");
        const { rows } = await query("select billing_email from platform.organizations");
        expect(rows).toEqual([{ billing_email: "outer@example.org" }]);
      },
      single,
    );
    await single.end();
  });

  test("of another user is refused at once, where it would wait for a connection for ever", async () => {
    const single = poolOf({ max: 1 });
    const nested = within(MEMBER, () => seenBy(OTHER, single), single);
    await expect(nested).rejects.toThrow("withContext is called for another context within a work on the same pool");
    expect(await seenBy(OTHER, single)).toEqual(B);
    await single.end();
  });
});

test("a connection that is lost in a work is an error of that work, and the next one has another", async () => {
  const single = poolOf({ max: 1 });
  const cut = within(
    MEMBER,
    async ({ query }) => {
      const { rows } = await query<{ pid: number }>("select pg_backend_pid() as pid");
      await studio.query("select pg_terminate_backend($1)", [rows[0]?.pid]);
      await sleep(30);
      return query(SEEN);
    },
    single,
  );
  await expect(cut).rejects.toThrow();
  expect(await seenBy(OTHER, single)).toEqual(B);
  expect(single.totalCount).toBe(1);
  await single.end();
});

test("a pool without a free connection is an error after its own time, and nothing stays behind", async () => {
  const single = poolOf({ max: 1, connectionTimeoutMillis: 500 });
  await within(MEMBER, async () => {
    // Outside of the work's own context, as another request is.
    const other = await new Promise<unknown>((resolve) => {
      setImmediate(() => single.connect().then(resolve, resolve));
    });
    expect(other).not.toBeInstanceOf(Error);
    if (other instanceof Error || typeof other !== "object" || other === null || !("release" in other)) return;
    await expect(seenBy(OTHER, single)).rejects.toThrow("timeout");
    if (typeof other.release === "function") other.release();
  });
  expect(await seenBy(OTHER, single)).toEqual(B);
  await single.end();
});

test.skipIf(found === undefined)(
  "behind a PgBouncer in transaction mode, eight clients with other contexts side by side each see their own rows alone",
  async () => {
    const url = pooler?.url(studio.urlFor(login)) ?? "";
    const clients = Array.from({ length: 8 }, (_, n) => ({
      pool: new pg.Pool({ connectionString: url, max: 1 }),
      context: [MEMBER, OTHER, { userId: USERS.member_of_both }, { userId: USERS.outsider }][n % 4] ?? MEMBER,
      expected: [A, B, [...A, ...B], []][n % 4],
    }));
    const end = Date.now() + 1500;
    const rounds = await Promise.all(
      clients.map(async ({ pool: own, context, expected }) => {
        let done = 0;
        for (; Date.now() < end; done += 1) {
          const result = await within(
            context,
            async ({ query }) => {
              const first = await query(SEEN);
              if (done % 7 === 3) throw new Error("on purpose");
              return { first: first.rows, second: (await query(SEEN)).rows };
            },
            own,
          ).catch((error: Error) => error.message);
          expect(result).toEqual(done % 7 === 3 ? "on purpose" : { first: expected, second: expected });
          // Without a context nothing of the user before is left on the server's connection.
          if (done % 5 === 0) expect((await own.query(SEEN)).rows).toEqual([]);
        }
        return done;
      }),
    );
    expect(Math.min(...rounds)).toBeGreaterThan(2);
    await Promise.all(clients.map((each) => each.pool.end()));
  },
);
