import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { AccessRoles } from "../../../components/platform/AccessRoles.ts";
import { DatabasesTable } from "../../../components/platform/DatabasesTable.ts";
import { PlatformSchema } from "../../../components/platform/PlatformSchema.ts";
import { RailwayDatabases } from "../../../components/registry/RailwayDatabases.ts";
import { RegisteredDatabase } from "../../../components/registry/RegisteredDatabase.ts";
import { Provider } from "../../../components/resources/Provider.ts";
import { mockPulumi, resolved, secretInput } from "../../support/pulumiMocks.ts";

const ROW = "pgstrata:index:Row";

function registry() {
  const providers = [new Provider("target", { url: "postgresql://u:p@h/db" })];
  const access = new AccessRoles("access", { manage: false }, { providers });
  const platform = new PlatformSchema("platform", { access }, { providers });
  return { databases: new DatabasesTable("databases", { platform }, { providers }), providers };
}

const MONGODB_CONFIG = {
  authSource: "admin",
  replicaSet: null,
  minPoolSize: 2,
  maxPoolSize: 10,
  serverSelectionTimeoutMS: 5000,
  retryWrites: true,
  directConnection: true,
};
const REDIS_CONFIG = {
  db: 0,
  keyPrefix: "studio:",
  connectTimeout: 10000,
  commandTimeout: 5000,
  retryStrategy: { maxAttempts: 3, delay: 1000 },
  enableReadyCheck: true,
  lazyConnect: false,
};

describe("RegisteredDatabase", () => {
  it("derives the parts from the connection string and shows them, but keeps the string secret", async () => {
    const program = await mockPulumi();
    const { databases, providers } = registry();
    const database = new RegisteredDatabase(
      "main",
      {
        databases,
        project: "a-project",
        type: "postgresql",
        databaseName: "Main",
        connectionString: "postgresql://me:hunter2@db.example:6543/shop?sslmode=require",
        config: { maxPoolSize: 5 },
        metadata: { provider: "elsewhere" },
      },
      { providers },
    );
    await program.settle(database);

    const { secretValues, ...shown } = program.find(ROW, "main").inputs;
    expect(secretInput(secretValues)).toEqual({
      connection_string: "postgresql://me:hunter2@db.example:6543/shop?sslmode=require",
    });
    expect(shown).toEqual({
      table: "platform.databases",
      key: { project_id: "a-project", type: "postgresql", name: "Main" },
      values: {
        host: "db.example",
        port: 6543,
        username: "me",
        database: "shop",
        ssl_enabled: true,
        config: { maxPoolSize: 5 },
        metadata: { provider: "elsewhere", endpoint: "db.example:6543", network: "public" },
        status: "active",
      },
      compareWith: { connection_string: "platform_private.connection_string_of(id)" },
      accepts: {
        connection_string: "platform_private.rotation_note(id, {connection_string})",
        username: "platform_private.rotation_note(id, {connection_string})",
      },
      initialValues: { health_check_status: "unknown" },
      returning: ["id"],
    });
  });

  it("gives out the masked form in the clear", async () => {
    await mockPulumi();
    const { databases } = registry();
    const connectionString = "rediss://default:hunter2@cache:6379";
    const args = { databases, project: "p", type: "redis", databaseName: "Cache", connectionString } as const;
    const { maskedConnectionString } = new RegisteredDatabase("cache", args);
    expect(await resolved(maskedConnectionString)).toBe("redis://cache:6379");
    expect(await pulumi.isSecret(maskedConnectionString)).toBe(false);
  });

  it("stops the program at a contradiction, before the row is registered, and shows no secret", async () => {
    const root = join(import.meta.dirname, "../../..");
    const file = join(root, "test/fixtures/programs/contradictory-registration.ts");
    const { exitCode, stdout, stderr } = await execa("node", [file], {
      reject: false,
      preferLocal: true,
      localDir: root,
    });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('host: "other" was given, but the connection string says "h"');
    expect(stderr).toContain("tls: true was given, but the connection string says no TLS");
    expect(stderr + stdout).not.toContain("hunter2");
    expect(stdout).toContain(`${ROW} databases-salt`);
    expect(stdout).not.toContain(`${ROW} cache`);
  });
});

describe("the probe of a registration", () => {
  const PROBE = "pgstrata:index:Probe";
  const args = { environment: "production", redisConnectionString: "redis://default:hunter2@cache:6379" };

  it("comes before its row, with the string as a secret, and warns unless more is asked for", async () => {
    const program = await mockPulumi();
    const { databases, providers } = registry();
    const railway = new RailwayDatabases("railway", { databases, project: "p", ...args }, { providers });
    await program.settle(railway);
    const { connectionString, ...shown } = program.find(PROBE, "railway-redis").inputs;
    expect(secretInput(connectionString)).toBe(args.redisConnectionString);
    const registration = { project: "p", name: "Railway Redis" };
    expect(shown).toMatchObject({ type: "redis", mode: "warn", config: REDIS_CONFIG, registration });
  });

  it("is as the program says, and never one of a placeholder", async () => {
    const program = await mockPulumi();
    const { databases, providers } = registry();
    const common = { databases, project: "p", ...args };
    const strict = new RailwayDatabases("strict", { ...common, probe: "require" }, { providers });
    const silent = new RailwayDatabases("silent", { ...common, probe: "off" }, { providers });
    await program.settle(strict, silent);
    expect(program.names(PROBE)).toEqual(["strict-redis"]);
    expect(program.find(PROBE, "strict-redis").inputs.mode).toBe("require");
  });
});

describe("RailwayDatabases", () => {
  it("registers both services with all their settings", async () => {
    const program = await mockPulumi();
    const { databases, providers } = registry();
    const railway = new RailwayDatabases(
      "railway",
      {
        databases,
        project: "p",
        environment: "production",
        region: "us-west1",
        mongodbConnectionString: "mongodb://mongo:pw@mongodb.railway.internal:27017",
        redisConnectionString: "redis://default:pw@redis.railway.internal:6379",
      },
      { providers },
    );
    await program.settle(railway);

    const common = { provider: "railway", environment: "production", region: "us-west1", network: "private" };
    expect(program.find(ROW, "railway-mongodb").inputs).toMatchObject({
      key: { project_id: "p", type: "mongodb", name: "Railway MongoDB" },
      values: {
        host: "mongodb.railway.internal",
        port: 27017,
        database: "admin",
        username: "mongo",
        ssl_enabled: false,
        status: "active",
        config: MONGODB_CONFIG,
        metadata: { ...common, endpoint: "mongodb.railway.internal:27017" },
      },
    });
    expect(program.find(ROW, "railway-redis").inputs).toMatchObject({
      key: { project_id: "p", type: "redis", name: "Railway Redis" },
      values: {
        host: "redis.railway.internal",
        port: 6379,
        database: "0",
        username: "default",
        ssl_enabled: false,
        status: "active",
        config: REDIS_CONFIG,
        metadata: { ...common, endpoint: "redis.railway.internal:6379" },
      },
    });
    expect(program.names("random:index/randomPassword:RandomPassword")).toEqual([
      "databases-salt",
      "platform-context-key",
    ]);
  });

  it("registers a generated placeholder as inactive and marks it, where there is no connection string", async () => {
    const program = await mockPulumi();
    const { databases, providers } = registry();
    const railway = new RailwayDatabases(
      "railway",
      { databases, project: "p", environment: "production" },
      { providers },
    );
    await program.settle(railway);

    const { inputs } = program.find(ROW, "railway-redis");
    expect(inputs.values).toMatchObject({ status: "inactive", metadata: { placeholder: true } });
    expect(secretInput(inputs.secretValues)).toEqual({
      connection_string: "redis://default:generated-for-redis-placeholder@redis.railway.internal:6379",
    });
    expect(program.find(ROW, "railway-mongodb").inputs.values).toMatchObject({ status: "inactive", database: "admin" });
  });

  it("shows a placeholder's host and port in the first preview, before its password is known", async () => {
    await mockPulumi({ preview: true });
    const { databases, providers } = registry();
    const args = { databases, project: "p", environment: "production" };
    const railway = new RailwayDatabases("railway", args, { providers });
    expect(await resolved(railway.mongodb.maskedConnectionString)).toBe("mongodb://mongodb.railway.internal:27017");
  });
});
