import { readFileSync } from "node:fs";
import { createClient } from "redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Properties } from "../../../provider/core/resourceType.ts";
import { freePort } from "../../../provider/embedded/server.ts";
import type { GuardStep } from "../../../provider/guard/guard.ts";
import { createCredential } from "../../../provider/resources/credential/credential.ts";
import { parseConfig } from "../../../provider/resources/provider/inputs.ts";
import { createSession } from "../../../provider/resources/session.ts";
import { type Unpacked, unpackPackages } from "../../support/debianPackages.ts";
import { REDIS_PACKAGES, type RedisServer, startRedis } from "../../support/redisServer.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";
import { Registry, startDoor } from "./rotationTrial.ts";

const PASSWORD = "pa55-canary-of-redis";
const RULES = "~studio:* &studio:* -@all +@read +@write +@connection -flushall (~own:* +get)";

const packages: Unpacked | undefined = unpackPackages(...REDIS_PACKAGES);
let redis: RedisServer;
let studio: StudioDatabase;
let registry: Registry;

const url = (user: string, password = PASSWORD): string => `redis://${user}:${password}@127.0.0.1:${redis.port}`;

async function use<T>(
  connectionString: string,
  work: (send: (...command: string[]) => Promise<unknown>) => Promise<T>,
) {
  const client = createClient({ url: connectionString, socket: { reconnectStrategy: false } }).on("error", () => {});
  await client.connect();
  try {
    return await work((...command) => client.sendCommand(command));
  } finally {
    client.destroy();
  }
}

const admin = (...command: string[]) => use(url("default"), (send) => send(...command));

/** Users with their rules, without what says how they sign in. */
const users = async (): Promise<Record<string, string>> =>
  Object.fromEntries(
    String(await admin("ACL", "LIST"))
      .split(",user ")
      .map((line) => line.replace(/^user /, "").replace(/#\w+ /g, ""))
      .map((line) => [line.split(" ", 1)[0] ?? "", line.slice(line.indexOf(" ") + 1)]),
  );

beforeAll(async () => {
  studio = await createStudioDatabase();
  registry = new Registry(studio, (await seedStudio(studio)).projects[0]);
  if (packages === undefined) return;
  redis = await startRedis(packages, { lines: [`user default on >${PASSWORD} ~* &* +@all`] });
});
beforeEach(async () => {
  if (packages === undefined) return;
  await admin("ACL", "DELUSER", "studio", "studio_a", "studio_b", "default_a", "default_b", "manager");
  await admin("ACL", "SETUSER", "studio", "reset", "on", `>${PASSWORD}`, ...RULES.split(/ (?![^(]*\))/));
  registry.defaults = { adminConnectionString: url("default") };
  await registry.register("redis", url("studio"), { keyPrefix: "studio:" });
});
afterAll(async () => {
  await redis?.stop();
  await studio.drop();
  packages?.remove();
});

describe.runIf(packages !== undefined)("a rotation of a user of Redis", () => {
  test("lets a client that asks the registry every 10 ms go on, with the same rules, through two rotations", async () => {
    const before = (await users()).studio;
    const clients = registry.useEvery10Ms((connectionString) =>
      use(connectionString, async (send) => {
        await send("SET", "studio:key", "1");
        await send("GET", "studio:key");
      }),
    );
    expect(await registry.rotate({ graceMs: 500 })).toMatchObject({ step: "switched", user: "studio_a" });
    expect((await users()).studio_a).toBe(before);
    await expect.poll(async () => (await registry.rotate({ begins: false })).step).toBe("ended");
    expect((await users()).studio).toMatch(/^off /);
    await registry.rotate({ graceMs: 500 });
    await expect.poll(async () => (await registry.rotate({ begins: false })).step).toBe("ended");
    const { uses, faults } = await clients.stop();
    expect(faults).toEqual([]);
    expect(uses).toBeGreaterThan(30);
    expect(Object.keys(await users()).sort()).toEqual(["default", "studio", "studio_b"]);
    expect((await users()).studio_b).toBe(before);
    registry.said.warnings.splice(0);
    // What is in memory alone would be gone with the next start.
    expect(readFileSync(redis.file, "utf8")).toMatch(/^user studio_b on .*#/m);
  });

  test("ends what a killed run began, after each step, with the same password", async () => {
    for (const step of ["made", "switched", "disabled"] as const) {
      await registry.killed(step);
      const [before] = (await registry.rotations()).slice(-1);
      expect(await registry.rotate()).toMatchObject({ step: "ended" });
      expect(await registry.registered()).toBe(before?.successor);
      await use(await registry.registered(), (send) => send("SET", "studio:key", "2"));
    }
  });

  test("stops in time where the service is frozen, and goes on once it is not", async () => {
    const door = await startDoor(redis.port);
    const through = (user: string) => url(user).replace(String(redis.port), String(door.port));
    registry.defaults = { adminConnectionString: through("default") };
    await registry.register("redis", through("studio"), { keyPrefix: "studio:" });
    for (const step of ["intended", "made", "switched"] as const) {
      await registry.killed(step);
      door.freeze(true);
      expect(await registry.fault({ timeoutMs: 500 })).toMatchObject({
        code: "PS872",
        message: expect.stringMatching(new RegExp(`no answer in time.*after the step "${step}"`)),
      });
      door.freeze(false);
      expect(await registry.rotate()).toMatchObject({ step: "ended" });
    }
    await door.stop();
  });

  test("has the grace time that a person gives later; a run without one keeps what was noted", async () => {
    expect(await registry.rotate({ graceMs: 86_400_000 })).toMatchObject({ step: "switched" });
    expect(await registry.rotate({ graceMs: 0 })).toMatchObject({ step: "switched", hasChanged: false });
    expect(await registry.rotate({ graceMs: 60_000, isGraceGiven: true })).toMatchObject({
      step: "switched",
      hasChanged: true,
    });
    expect(await registry.rotate({ graceMs: 0, isGraceGiven: true })).toMatchObject({ step: "ended" });
  });

  test("does not switch to a user that may do less", async () => {
    await registry.killed("made");
    await admin("ACL", "SETUSER", "studio_a", "-set");
    expect(await registry.fault()).toMatchObject({ code: "PS875" });
    await registry.killed("made");
    await admin("ACL", "SETUSER", "studio_a", "-getex");
    expect((await registry.fault()).message).toContain("the rule");
    expect(await registry.registered()).toBe(url("studio"));
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
  });

  test("names the clients that hold the old credential beyond its grace time, and drops it once they are gone", async () => {
    await registry.rotate();
    const held = createClient({
      url: await registry.registered(),
      name: "billing",
      socket: { reconnectStrategy: false },
    });
    await held.on("error", () => {}).connect();
    expect(await registry.rotate()).toMatchObject({ step: "disabled", user: "studio_b" });
    const [over, kept] = registry.said.warnings.splice(0);
    expect(over).toContain(`"studio_a" is over, and it is still in use: 1 connection of "billing" from 127.0.0.1`);
    expect(kept).toContain('"studio_a" is disabled, and not dropped');
    await held.get("studio:key");
    held.destroy();
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
    expect(Object.keys(await users())).not.toContain("studio_a");
  });

  test("is made by the registered user itself where it may; the user default is turned off and stays", async () => {
    await registry.register("redis", `redis://:${PASSWORD}@127.0.0.1:${redis.port}`);
    expect(await registry.rotate({ adminConnectionString: undefined })).toMatchObject({
      step: "ended",
      user: "default_a",
    });
    const now = await registry.registered();
    const list = String(await use(now, (send) => send("ACL", "LIST")));
    expect(list).toContain("user default off");
    await use(now, (send) => send("ACL", "SETUSER", "default", "on"));
  });

  test("begins nothing without the command ACL, and switches to none that the service would forget", async () => {
    expect(await registry.fault({ adminConnectionString: undefined })).toMatchObject({
      code: "PS873",
      message: expect.stringContaining("it lacks the command ACL"),
    });
    expect(await registry.rotations()).toEqual([]);
    await admin("ACL", "SETUSER", "manager", "on", `>${PASSWORD}`, "~*", "&*", "+@all", "-config", "-acl|save");
    expect(await registry.fault({ adminConnectionString: url("manager") })).toMatchObject({ code: "PS876" });
    expect(await registry.registered()).toBe(url("studio"));
    expect(await registry.rotate()).toMatchObject({ step: "ended" });
  });

  test("shows no password", async () => {
    const shown = JSON.stringify(registry.said);
    const stored = await studio.query<{ text: string }>(
      "select string_agg(r::text, '') as text from platform_private.credential_rotations as r",
    );
    for (const text of [shown, stored[0]?.text, redis.output()]) expect(text).not.toContain("canary");
  });
});

describe("a credential as a resource", () => {
  const refusing: GuardStep = {
    name: "no",
    isNeeded: () => true,
    run: async () => {
      throw new Error("the guard says no");
    },
  };

  async function run<T>(
    work: (
      resource: ReturnType<typeof createCredential>,
      context: Parameters<ReturnType<typeof createCredential>["create"]>[0],
    ) => Promise<T>,
    { preview = false, steps = [] }: { preview?: boolean; steps?: GuardStep[] } = {},
  ): Promise<{ result: T; infos: string[]; planned: number }> {
    const session = createSession(parseConfig({ url: studio.url }).config, { steps });
    const infos: string[] = [];
    const report = {
      info: (text: string) => void infos.push(text),
      warn: () => {},
      status: () => {},
      plan: async () => {},
    };
    const context = { urn: "", preview, signal: new AbortController().signal, report };
    try {
      return { result: await work(createCredential(session), context), infos, planned: session.guard.changes.planned };
    } finally {
      await session.close();
    }
  }

  test("to which nothing is due connects to no service", async () => {
    await registry.register("redis", `redis://studio:${PASSWORD}@127.0.0.1:${await freePort()}`);
    const news: Properties = { registration: registry.registrationId, rotateEvery: "30d" };
    const { result } = await run((resource, context) => resource.create(context, news));
    expect(result.outputs).toMatchObject({ user: "studio", rotatedAt: "" });
    const state = { id: "credential", inputs: news, outputs: result.outputs };
    expect((await run((resource, context) => resource.diff(context, state, news))).result).toEqual({
      changed: false,
      detailed: {},
    });
  });

  test("refuses spans that are none, and never repeats a value", async () => {
    const { result } = await run((resource, context) =>
      resource.check(
        context,
        {},
        { registration: "id", rotateEvery: "monthly", grace: "1w", adminConnectionString: "" },
      ),
    );
    expect(result.failures.map(({ property }) => property).sort()).toEqual([
      "adminConnectionString",
      "grace",
      "rotateEvery",
    ]);
  });

  test.runIf(packages !== undefined)(
    "is rotated by an update when it is due; a preview shows that; the guard comes first",
    async () => {
      const news: Properties = {
        registration: registry.registrationId,
        rotateEvery: "30d",
        grace: "1h",
        adminConnectionString: url("default"),
      };
      await studio.query("update platform.databases set created_at = now() - interval '31 days' where id = $1", [
        registry.registrationId,
      ]);
      const state = { id: "credential", inputs: news, outputs: { ...news, user: "studio", rotatedAt: "" } };
      const diff = async () => (await run((resource, context) => resource.diff(context, state, news))).result;
      expect(await diff()).toEqual({ changed: true, detailed: { rotatedAt: { kind: "update", inputDiff: false } } });
      const shown = await run((resource, context) => resource.update(context, state, news), { preview: true });
      expect(shown).toMatchObject({ infos: [expect.stringContaining("is due")], planned: 1 });
      await expect(
        run((resource, context) => resource.update(context, state, news), { steps: [refusing] }),
      ).rejects.toThrow("says no");
      expect(await registry.rotations()).toEqual([]);
      const { result } = await run((resource, context) => resource.update(context, state, news));
      expect(result).toMatchObject({ user: "studio_a", rotatedAt: expect.stringMatching(/^20\d\d-/) });
      expect(await diff()).toEqual({ changed: false, detailed: {} });
      await studio.query("update platform_private.credential_rotations set grace = '0' where database_id = $1", [
        registry.registrationId,
      ]);
      expect((await diff()).changed).toBe(true);
      await run((resource, context) => resource.update(context, state, news));
      expect(await registry.lastStep()).toBe("ended");
      expect((await diff()).changed).toBe(false);
    },
  );
});
