import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { createTestRole, type TestRole } from "../../../support/database.ts";
import { failureOfCall, startProvider } from "../../../support/providerClient.ts";
import { ServerLog } from "../../../support/serverLog.ts";
import { ROW, type RowFixture, startRowFixture } from "./rowFixture.ts";

const serverLog = new ServerLog();
let fixture: RowFixture;
let owner: TestRole;

beforeAll(async () => {
  fixture = await startRowFixture();
  owner = await createTestRole();
  await fixture.database.query(`GRANT USAGE ON SCHEMA app TO ${owner.name}`);
  await fixture.database.query(`GRANT ALL ON ALL TABLES IN SCHEMA app TO ${owner.name}`);
});
afterAll(async () => {
  await fixture.stop();
  await owner.drop();
});
beforeEach(async () => {
  await fixture.database.query("TRUNCATE app.databases");
  fixture.provider.logs.length = 0;
  fixture.provider.steps.length = 0;
});

function canary(): string {
  return `canary-${randomBytes(8).toString("hex")}`;
}

function registration(secret: string, more: Record<string, string> = {}) {
  return {
    table: "app.databases",
    key: { name: "Railway MongoDB" },
    values: { type: "mongodb" },
    secretValues: { connection_string: `mongodb://mongo:${secret}@mongodb.railway.internal:27017` },
    compareWith: { connection_string: "app.decrypt(id)" },
    returning: ["id", "connection_string_encrypted"].slice(0, 1),
    ...more,
  };
}

async function ciphertext(): Promise<string | undefined> {
  const [row] = await fixture.database.query<{ text: string }>(
    "SELECT connection_string_encrypted::text AS text FROM app.databases",
  );
  return row?.text;
}

describe("secrets that are stored in another form", () => {
  it("are compared inside the database and not written again while they match", async () => {
    const inputs = registration(canary());
    const state = await fixture.provider.create(ROW, "d", inputs);
    const before = await ciphertext();
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
    const news = { ...inputs, values: { type: "redis" } };
    expect((await fixture.provider.diff(state, news)).detailed).toEqual({ "values.type": "UPDATE" });
    await fixture.provider.update(state, news);
    expect(await ciphertext()).toBe(before);
  });

  it("are written when they change in the program, and when they drift in the database", async () => {
    const inputs = registration("first");
    const state = await fixture.provider.create(ROW, "d", inputs);
    const rotated = registration("second");
    expect((await fixture.provider.diff(state, rotated)).detailed).toEqual({
      "secretValues.connection_string": "UPDATE",
    });
    const updated = await fixture.provider.update(state, rotated);
    await fixture.database.query("UPDATE app.databases SET connection_string = 'mongodb://other'");
    expect((await fixture.provider.read(updated))?.outputs.drift).toEqual(["secretValues.connection_string"]);
    expect((await fixture.provider.diff(updated, rotated)).detailed).toEqual({
      "secretValues.connection_string": "UPDATE",
    });
    await fixture.provider.update(updated, rotated);
    const [row] = await fixture.database.query<{ text: string }>("SELECT app.decrypt(id) AS text FROM app.databases");
    expect(row?.text).toBe(rotated.secretValues.connection_string);
  });

  it("are mended when they cannot be decrypted any more", async () => {
    const inputs = registration("first");
    const state = await fixture.provider.create(ROW, "d", inputs);
    await fixture.database.query(
      "UPDATE app.databases SET connection_string_encrypted = pgp_sym_encrypt('x', 'another key')",
    );
    expect((await fixture.provider.diff(state, inputs)).detailed).toEqual({
      "secretValues.connection_string": "UPDATE",
    });
    await fixture.provider.update(state, inputs);
    expect((await fixture.provider.diff(state, inputs)).changed).toBe(false);
  });

  it("show as planned while the function that compares them does not exist yet", async () => {
    await fixture.provider.create(ROW, "d", registration("first"));
    const inputs = { ...registration("first"), compareWith: { connection_string: "app.later(id)" } };
    await fixture.provider.create(ROW, "d", inputs, { preview: true });
    expect(fixture.provider.steps).toMatchObject([
      { op: "update", details: { columns: { connection_string: "[secret]" } } },
    ]);
    const { details } = await failureOfCall(fixture.provider.create(ROW, "d", inputs));
    expect(details).toContain("function app.later(uuid) does not exist");
  });
});

describe("a canary in every secret", () => {
  it("appears in no log, error, view step or other output, nor in the server's log", async () => {
    const [first, second, initial] = [canary(), canary(), canary()];
    const stderr = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
    const seen: unknown[] = [];
    const inputs = { ...registration(first), initialSecretValues: { password: initial } };
    try {
      await fixture.provider.create(ROW, "d", inputs, { preview: true });
      const state = await fixture.provider.create(ROW, "d", inputs);
      const [row] = await fixture.database.query<{ text: string; password: string }>(
        "SELECT app.decrypt(id) AS text, password FROM app.databases",
      );
      expect(row).toEqual({ text: inputs.secretValues.connection_string, password: initial });
      seen.push({ ...state, inputs: {}, outputs: { ...state.outputs, secretValues: {}, initialSecretValues: {} } });

      const rotated = registration(second);
      seen.push(await fixture.provider.diff(state, rotated));
      const updated = await fixture.provider.update(state, rotated);
      seen.push((await fixture.provider.read(updated))?.outputs.drift);

      // Errors whose text or detail would hold the secret.
      const bad = { ...registration(first), key: { name: "bad" } };
      seen.push(await failureOfCall(fixture.provider.create(ROW, "d", { ...bad, values: { type: "oracle" } })));
      const intoNumber = { table: "app.organizations", key: { slug: "x" }, secretValues: { seats: first } };
      seen.push(await failureOfCall(fixture.provider.create(ROW, "o", intoNumber)));
      const intoCheck = {
        table: "app.databases",
        key: { name: "c" },
        secretValues: { type: second, connection_string: first },
      };
      seen.push(await failureOfCall(fixture.provider.create(ROW, "d", intoCheck)));
      seen.push((await fixture.provider.check(ROW, { ...inputs, table: first })).failures);
    } finally {
      seen.push(stderr.mock.calls);
      stderr.mockRestore();
    }
    const told = JSON.stringify([seen, fixture.provider.logs, fixture.provider.steps]);
    const failures = JSON.stringify(seen.filter((item) => item instanceof Error).map(String));
    expect(told).toContain('found \\"[secret]\\", expected schema.table');
    const logged = serverLog.read();
    expect(logged).toContain('INSERT INTO "app"."databases"');
    for (const secret of [first, second, initial]) {
      expect(told).not.toContain(secret);
      expect(failures).not.toContain(secret);
      expect(logged.includes(secret), "the server's log holds a secret").toBe(false);
    }
    expect(failures).toContain('column \\"seats\\" is of type integer, expected text');
  });

  it("brings a warning where the server logs it and the role may not prevent that", async () => {
    const secret = canary();
    const provider = await startProvider();
    await fixture.database.query(`ALTER DATABASE ${fixture.database.name} SET log_parameter_max_length = -1`);
    try {
      await provider.configure({ url: fixture.database.urlFor(owner) });
      const inputs = { table: "app.plain", key: { name: "w" }, secretValues: { value: secret } };
      await provider.create(ROW, "p", inputs);
      expect(provider.logs).toContainEqual(
        expect.objectContaining({ severity: "warning", text: expect.stringContaining("log_parameter_max_length = 0") }),
      );
      expect(serverLog.read()).toContain(secret);
    } finally {
      await provider.stop();
    }
  });

  it("stays out of the server's log, without a warning, once the role may prevent it", async () => {
    const secret = canary();
    const provider = await startProvider();
    await fixture.database.query(
      `GRANT SET ON PARAMETER log_parameter_max_length, log_error_verbosity TO ${owner.name}`,
    );
    try {
      await provider.configure({ url: fixture.database.urlFor(owner) });
      const inputs = { table: "app.plain", key: { name: "q" }, secretValues: { value: secret } };
      await provider.create(ROW, "p", inputs);
      expect(provider.logs.filter(({ severity }) => severity === "warning")).toEqual([]);
      expect(serverLog.read()).not.toContain(secret);
    } finally {
      await provider.stop();
      await fixture.database.query(
        `REVOKE SET ON PARAMETER log_parameter_max_length, log_error_verbosity FROM ${owner.name}`,
      );
    }
  });
});

describe("roles without the needed rights", () => {
  it("get told which right is missing", async () => {
    const provider = await startProvider();
    await fixture.database.query(`REVOKE INSERT ON app.plain FROM ${owner.name}`);
    try {
      await provider.configure({ url: fixture.database.urlFor(owner) });
      const { details } = await failureOfCall(provider.create(ROW, "p", { table: "app.plain", key: { name: "r" } }));
      expect(details).toContain("permission denied for table plain");
      expect(details).toContain("GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE");
    } finally {
      await provider.stop();
    }
  });

  it("cannot delete a row while policies may hide rows that refer to it", async () => {
    const provider = await startProvider();
    const inputs = { table: "app.organizations", key: { slug: "hidden" } };
    await fixture.database.query("ALTER TABLE app.projects ENABLE ROW LEVEL SECURITY");
    try {
      await provider.configure({ url: fixture.database.urlFor(owner) });
      const state = await provider.create(ROW, "o", inputs);
      const { details } = await failureOfCall(provider.delete(state));
      expect(details).toContain("Rows may be hidden from this role");
    } finally {
      await provider.stop();
      await fixture.database.query("ALTER TABLE app.projects DISABLE ROW LEVEL SECURITY");
    }
  });
});
