import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, it } from "vitest";
import { readAuditConfig, readPart, readPlatformConfig } from "../../../components/program/stackConfig.ts";
import { rolesProviderArgs } from "../../../components/program/targetProviders.ts";
import { mockPulumi, resolved } from "../../support/pulumiMocks.ts";

const complete = {
  databaseUrl: "postgresql://u:hunter2@h/db",
  mongodbConnectionString: "mongodb://u:hunter2@h",
  redisConnectionString: "redis://:hunter2@h",
};
const encrypted = Object.keys(complete).map((key) => `pgstrata:${key}`);

beforeEach(async () => {
  await mockPulumi({ stack: "prod" });
});

/** Reads the configuration of a stack that has these settings. */
function read(settings: Record<string, string>, secretKeys: string[] | undefined = encrypted) {
  pulumi.runtime.setAllConfig(
    Object.fromEntries(Object.entries(settings).map(([key, value]) => [`pgstrata:${key}`, value])),
  );
  return readPlatformConfig(new pulumi.Config(), secretKeys);
}

function refusal(settings: Record<string, string>, secretKeys?: string[]): string {
  try {
    read(settings, secretKeys);
  } catch (error) {
    if (pulumi.RunError.isInstance(error)) return error.message;
    throw error;
  }
  throw new Error("the configuration was accepted");
}

describe("readPlatformConfig", () => {
  it("tells a stack without its secrets every line to run", () => {
    expect(refusal({})).toBe(
      [
        'the configuration of stack "prod" has 3 faults:',
        "  - databaseUrl: is not set; run  pulumi config set --secret databaseUrl --stack prod  and enter postgresql://user:password@host:port/database",
        "  - mongodbConnectionString: is not set; run  pulumi config set --secret mongodbConnectionString --stack prod  and enter mongodb://user:password@host:port",
        "  - redisConnectionString: is not set; run  pulumi config set --secret redisConnectionString --stack prod  and enter redis://user:password@host:port",
        "PS611 · docs/errors/PS611.md",
      ].join("\n"),
    );
  });

  it("does without connection strings only where placeholders are allowed explicitly", () => {
    const { databaseUrl } = complete;
    expect(read({ databaseUrl, allowPlaceholders: "true" }).redisConnectionString).toBeUndefined();
    expect(refusal({ databaseUrl, allowPlaceholders: "false" })).toContain("redisConnectionString: is not set");
  });

  it("does without a database URL only where the local database is chosen explicitly", () => {
    const { databaseUrl, ...rest } = complete;
    expect(read({ ...rest, localDatabase: "true" }).databaseUrl).toBeUndefined();
    expect(refusal({ ...rest })).toContain("databaseUrl: is not set");
    expect(refusal({ ...rest, databaseUrl: "redis://h" })).toContain('type "redis"; expected one of type "postgresql"');
  });

  it("is that of the part audit where a stack says so, which has fewer settings and wants no other secret", () => {
    const { databaseUrl } = complete;
    const set = (settings: Record<string, string>) => {
      const named = Object.entries({ part: "audit", ...settings }).map(([key, value]) => [`pgstrata:${key}`, value]);
      pulumi.runtime.setAllConfig(Object.fromEntries(named));
      return new pulumi.Config();
    };
    expect(readPart(set({}))).toBe("audit");
    expect(readAuditConfig(set({ databaseUrl }), encrypted).plain).toMatchObject({
      part: "audit",
      forceDestroy: false,
    });
    expect(() => readAuditConfig(set({}), encrypted)).toThrow(/has 1 fault:\n {2}- databaseUrl: is not set/);
    const others = { redisConnectionString: "redis://h", project: "{}", windo: "x" };
    expect(() => readAuditConfig(set({ databaseUrl, ...others }), encrypted)).toThrow(
      [
        'the configuration of stack "prod" has 3 faults:',
        "  - redisConnectionString: is a setting of the part platform, and this one is audit; remove it: pulumi config rm redisConnectionString --stack prod",
        "  - project: is a setting of the part platform, and this one is audit; remove it: pulumi config rm project --stack prod",
        "  - windo: is not a setting; remove it: pulumi config rm windo --stack prod",
      ].join("\n"),
    );
  });

  it("is that of the platform where a stack says no part, or one that is none, which is a fault", () => {
    expect(read(complete).plain.part).toBe("platform");
    expect(refusal({ ...complete, part: "adit" })).toContain("  - part: expected platform or audit");
    expect(readPart(new pulumi.Config())).toBe("platform");
    expect(refusal({ ...complete, forceDestroy: "true" })).toContain("forceDestroy: is a setting of the part audit");
  });

  it("gives out secrets as secrets", async () => {
    const { databaseUrl, redisConnectionString } = read(complete);
    if (!databaseUrl || !redisConnectionString) throw new Error("a secret is missing");
    expect(await pulumi.isSecret(databaseUrl)).toBe(true);
    expect(await pulumi.isSecret(redisConnectionString)).toBe(true);
    expect(await resolved(databaseUrl)).toBe(complete.databaseUrl);
  });

  it("refuses a connection string or a URL that is stored in plain text", () => {
    const message = refusal(complete, ["pgstrata:databaseUrl", "pgstrata:mongodbConnectionString"]);
    expect(message).toContain("redisConnectionString: is stored in plain text");
    expect(message).toContain("pulumi config set --secret redisConnectionString --stack prod");
    expect(message).toMatch(/\nPS614 · docs\/errors\/PS614\.md$/);
    expect(refusal({ ...complete, shadow: "postgresql://u:hunter2@h" })).toContain("shadow: is stored in plain text");
  });

  it("names an unreadable connection string without quoting it", () => {
    const message = refusal({ ...complete, redisConnectionString: "redis://default:hunter2/x@h" });
    expect(message).toContain("redisConnectionString: it has a raw");
    expect(message).toMatch(/\nPS615 · docs\/errors\/PS615\.md$/);
    expect(message).toContain("pulumi config set --secret redisConnectionString --stack prod");
    expect(message).not.toContain("hunter2");
  });

  it("reports every fault of the plain settings at once", () => {
    const message = refusal({
      ...complete,
      manageRoles: "maybe",
      decryptors: "studio_app",
      lockTimeoutMs: "0",
      project: '{"slug":"Bad Slug","databasePort":0,"colour":"red"}',
      mongodbConnectionstring: "x",
    });
    for (const property of ["manageRoles", "decryptors", "lockTimeoutMs", "project.slug", "project.databasePort"]) {
      expect(message).toContain(`  - ${property}: `);
    }
    expect(message).toContain('Unrecognized key: "colour"');
    expect(message).toContain("mongodbConnectionstring: is not a setting");
    expect(message).toMatch(/\nPS613 · docs\/errors\/PS613\.md\nPS612 · docs\/errors\/PS612\.md$/);
  });

  it("has a default for every plain setting", () => {
    expect(read(complete).plain).toMatchObject({
      localDatabase: false,
      allowPlaceholders: false,
      manageRoles: true,
      decryptors: [],
      railwayEnvironment: "production",
      organization: { slug: "lancio", name: "Lancio" },
      project: { slug: "lancio-studio", name: "Lancio Studio", databasePort: 5432 },
    });
  });

  it("reads lists, objects, numbers and switches", () => {
    const { plain } = read({
      ...complete,
      manageRoles: "false",
      decryptors: '["health_checker"]',
      lockRetries: "0",
      saltRotateEvery: "90d",
      project: '{"slug":"other"}',
    });
    expect(plain).toMatchObject({
      manageRoles: false,
      decryptors: ["health_checker"],
      lockRetries: 0,
      saltRotateEvery: "90d",
      project: { slug: "other" },
    });
  });
});

describe("rolesProviderArgs", () => {
  it("takes the connection out of the URL and keeps only the password secret", async () => {
    const args = rolesProviderArgs("postgresql://me:p%40ss@db.example:6543/shop?sslmode=verify-full");
    const { host, port, username, database, sslmode, password } = args;
    expect(await resolved(pulumi.output({ host, port, username, database, sslmode, password }))).toEqual({
      host: "db.example",
      port: 6543,
      username: "me",
      database: "shop",
      sslmode: "verify-full",
      password: "p@ss",
    });
    expect(await pulumi.isSecret(pulumi.output(password))).toBe(true);
    expect(await pulumi.isSecret(pulumi.output({ host, port, username, database, sslmode }))).toBe(false);
  });

  it.each([
    ["", "disable"],
    ["?sslmode=prefer", "disable"],
    ["?sslmode=require", "require"],
    ["?ssl=true", "require"],
  ])("connects with %j as %s", async (query, mode) => {
    expect(await resolved(pulumi.output(rolesProviderArgs(`postgresql://h/db${query}`).sslmode))).toBe(mode);
  });
});
