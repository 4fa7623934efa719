import { describe, expect, it } from "vitest";
import { checkRegistration, type GivenParts, networkOf } from "../../../components/registry/registration.ts";

const nothing = { host: undefined, port: undefined, username: undefined, database: undefined, tls: undefined };
const redis: GivenParts = { type: "redis", databaseName: "Cache", ...nothing };
const mongodb: GivenParts = { type: "mongodb", databaseName: "Documents", ...nothing };

function messageOf(connectionString: string, given: GivenParts): string {
  const checked = checkRegistration(connectionString, given);
  if ("message" in checked) return checked.message;
  throw new Error("the registration was accepted");
}

describe("checkRegistration", () => {
  it("accepts arguments that agree with the string", () => {
    const given = { ...redis, host: "H.example", port: 6379, username: "default", database: "2", tls: true };
    expect(checkRegistration("rediss://:pw@h.example/2", given)).toMatchObject({
      parts: { host: "h.example", tls: true },
    });
  });

  it("names every contradiction in one message, with neither the string nor the password", () => {
    const given = { ...redis, host: "other", port: 1, username: "me", database: "5", tls: true };
    expect(messageOf("redis://default:hunter2@h:6379/0", given)).toBe(
      [
        'the registration of "Cache" has 5 faults:',
        '  - host: "other" was given, but the connection string says "h"',
        "  - port: 1 was given, but the connection string says 6379",
        '  - username: "me" was given, but the connection string says "default"',
        '  - database: "5" was given, but the connection string says "0"',
        "  - tls: true was given, but the connection string says no TLS",
        "Correct the arguments or the connection string; an argument that is left out follows the string.",
        "PS616 · docs/errors/PS616.md",
      ].join("\n"),
    );
  });

  it("refuses a string of another type", () => {
    expect(messageOf("redis://h", mongodb)).toContain(
      'type: "mongodb" was given, but the connection string is one of type "redis"',
    );
  });

  it("refuses an unknown type together with the other faults", () => {
    const message = messageOf("redis://h", { ...redis, type: "oracle", databaseName: " ", port: 70000, host: "x" });
    expect(message).toContain(
      'type: "oracle" is not a database type; expected one of mongodb, redis, postgresql, mysql, neon, convex',
    );
    expect(message).toContain("databaseName: is empty");
    expect(message).toContain("port: 70000 is not a port");
    expect(message).toContain('host: "x" was given');
  });

  it("refuses an unreadable string without quoting it", () => {
    const message = messageOf("redis://default:hunter2/x@h", redis);
    expect(message).toContain("connectionString: it has a raw");
    expect(message).toMatch(/\nPS615 · docs\/errors\/PS615\.md$/);
    expect(message).not.toContain("hunter2");
  });

  it("takes admin for the database of a MongoDB string that names none, unless another one is given", () => {
    expect(checkRegistration("mongodb://u:p@h", mongodb)).toMatchObject({ parts: { database: "admin" } });
    expect(checkRegistration("mongodb://u:p@h", { ...mongodb, database: "lancio" })).toHaveProperty("parts");
    expect(messageOf("mongodb://u:p@h/a", { ...mongodb, database: "b" })).toContain('database: "b" was given');
  });
});

describe("networkOf", () => {
  it("knows Railway's private network from the public one", () => {
    expect(networkOf("redis.Railway.internal")).toBe("private");
    expect(networkOf("redis.railway.internal.example.org")).toBe("public");
    expect(networkOf("x.proxy.rlwy.net")).toBe("public");
  });
});
