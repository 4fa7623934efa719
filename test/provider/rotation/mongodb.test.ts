import { MongoClient } from "mongodb";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { RotationStep } from "../../../provider/rotation/records.ts";
import { mongodb } from "../../../provider/services/mongodb.ts";
import { type FerretDb, findFerretDb, startFerretDb } from "../../support/ferretDb.ts";
import { createStudioDatabase, type StudioDatabase, seedStudio } from "../../support/studio.ts";
import { Registry } from "./rotationTrial.ts";

const PASSWORD = "pa55-canary-of-mongodb";
const ADMIN = { username: "root", password: "pa55-canary-of-root" };

/** By `npm run test:services` alone. */
const executable = process.env.PGSTRATA_SERVICES === "all" ? findFerretDb() : undefined;

// FerretDB has users without roles: what a user may do, and who is connected, it does not tell.
describe.runIf(executable !== undefined)("a rotation of a user of MongoDB's protocol", () => {
  let server: FerretDb;
  let studio: StudioDatabase;
  let registry: Registry;
  let admin: MongoClient;

  const urlFor = (user: string, password: string): string =>
    `mongodb://${user}:${password}@127.0.0.1:${server.port}/shop?authSource=admin&directConnection=true`;

  async function use(connectionString: string): Promise<void> {
    const client = new MongoClient(connectionString, { serverSelectionTimeoutMS: 3000 });
    try {
      const orders = client.db("shop").collection("orders");
      await orders.insertOne({ at: new Date() });
      await orders.findOne({});
    } finally {
      await client.close(true);
    }
  }

  async function users(): Promise<string[]> {
    const { users: found } = await admin.db("admin").command({ usersInfo: 1 });
    return Array.isArray(found) ? found.map(({ user }) => String(user)).toSorted() : [];
  }

  beforeAll(async () => {
    server = await startFerretDb(executable ?? "", ADMIN);
    admin = await new MongoClient(urlFor(ADMIN.username, ADMIN.password)).connect();
    studio = await createStudioDatabase();
    const { projects } = await seedStudio(studio);
    registry = new Registry(studio, projects[0]);
    const { users: open } = mongodb;
    vi.spyOn(mongodb, "users").mockImplementation(async (...targets) => {
      if (open === undefined) throw new Error("MongoDB has users");
      const found = await open(...targets);
      return { ...found, lacking: async () => undefined, clientsOf: async () => [] };
    });
  });
  beforeEach(async () => {
    for (const user of await users()) {
      if (user !== ADMIN.username) await admin.db("admin").command({ dropUser: user });
    }
    await admin.db("admin").command({ createUser: "shop", pwd: PASSWORD, roles: [] });
    registry.defaults = { adminConnectionString: urlFor(ADMIN.username, ADMIN.password) };
    await registry.register("mongodb", urlFor("shop", PASSWORD));
  });
  afterAll(async () => {
    vi.restoreAllMocks();
    await admin?.close(true);
    await server?.stop();
    await studio?.drop();
  });

  test("lets a client that asks the registry every 10 ms go on, and ends the old credentials", async () => {
    const clients = registry.useEvery10Ms(use);
    expect(await registry.rotate({ graceMs: 500 })).toMatchObject({ step: "switched", user: "shop_a" });
    await expect.poll(async () => (await registry.rotate({ begins: false })).step).toBe("ended");
    const first = await registry.registered();
    await registry.rotate({ graceMs: 500 });
    await expect.poll(async () => (await registry.rotate({ begins: false })).step).toBe("ended");
    const { uses, faults } = await clients.stop();
    expect(faults).toEqual([]);
    expect(uses).toBeGreaterThan(10);
    // The first user stays, with a password that no one knows; the one that a rotation made is gone.
    expect(await users()).toEqual([ADMIN.username, "shop", "shop_b"]);
    for (const old of [urlFor("shop", PASSWORD), first]) await expect(use(old)).rejects.toMatchObject({ code: 18 });
    await use(await registry.registered());
  });

  test("killed after any step is ended by the next run with the same password", async () => {
    const steps: RotationStep[] = ["intended", "made", "proven", "switched", "disabled"];
    for (const step of steps) {
      await registry.killed(step);
      const [before] = (await registry.rotations()).slice(-1);
      expect(await registry.rotate()).toMatchObject({ step: "ended", user: before?.new_username });
      expect(await registry.registered()).toBe(before?.successor);
      await use(await registry.registered());
    }
  });

  test("begins nothing where the admin is refused", async () => {
    const fault = await registry.fault({ adminConnectionString: urlFor(ADMIN.username, "wrong-canary") });
    expect(fault).toMatchObject({ code: "PS873", message: expect.stringContaining("Nothing was changed") });
    expect(await registry.rotations()).toEqual([]);
    expect(await users()).toEqual([ADMIN.username, "shop"]);
  });

  test("of a service that does not tell what its user may do begins nothing", async () => {
    vi.restoreAllMocks();
    expect(await registry.fault()).toMatchObject({
      code: "PS873",
      message: expect.stringContaining("it lacks the actions createUser, changePassword, dropUser"),
    });
    expect(await registry.rotations()).toEqual([]);
  });
});
