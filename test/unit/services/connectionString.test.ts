import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ConnectionParts,
  maskedConnectionString,
  parseConnectionString,
} from "../../../provider/services/connectionString.ts";
import { ConnectionStringError } from "../../../provider/services/connectionStringError.ts";

const base: ConnectionParts = {
  type: "redis",
  host: "h",
  port: 6379,
  username: undefined,
  password: undefined,
  database: "0",
  tls: false,
};

describe("parseConnectionString", () => {
  it.each<[string, ConnectionParts]>([
    [
      "mongodb://mongo:pw@mongodb.railway.internal:27017",
      {
        ...base,
        type: "mongodb",
        host: "mongodb.railway.internal",
        port: 27017,
        username: "mongo",
        password: "pw",
        database: undefined,
      },
    ],
    [
      "mongodb://u:p%40ss@h/lancio?authSource=admin&replicaSet=rs0&tls=true",
      { ...base, type: "mongodb", port: 27017, username: "u", password: "p@ss", database: "lancio", tls: true },
    ],
    ["redis://:pw@h", { ...base, username: "default", password: "pw" }],
    ["redis://h:1/3", { ...base, port: 1, database: "3" }],
    ["redis://h?db=3", { ...base, database: "3" }],
    [
      "rediss://default:pw@[::1]:6380",
      { ...base, host: "::1", port: 6380, username: "default", password: "pw", tls: true },
    ],
    [
      "postgresql://u:p@h:6543/db?sslmode=require",
      { ...base, type: "postgresql", port: 6543, username: "u", password: "p", database: "db", tls: true },
    ],
    ["postgres://u@h", { ...base, type: "postgresql", port: 5432, username: "u", database: "u" }],
    ["postgres://u@h/db?sslmode=prefer", { ...base, type: "postgresql", port: 5432, username: "u", database: "db" }],
    ["REDIS://H", { ...base, host: "H" }],
  ])("reads %s", (text, parts) => {
    expect(parseConnectionString(text)).toEqual(parts);
  });

  it.each([
    ["", "does not begin with a scheme"],
    ["redis:h", "does not begin with a scheme"],
    ["oracle://h", "scheme is not known"],
    ["constructor://h", "scheme is not known"],
    ["mongodb+srv://u:p@cluster.example.org/db", "names a DNS record"],
    ["mongodb://u:p@a:1,b:2/db", "several hosts"],
    ["redis://h:6379\n", "white space"],
    ["redis://u:p@", "well-formed|no host"],
    ["redis:///0", "no host"],
    ["redis://h:0", "port is 0"],
    ["redis://h:65536", "well-formed"],
    ["redis://u:p@h/x", "database number"],
    ["redis://h/1?db=2", "different databases"],
    ["redis://u:a%zz@h", "two hex digits"],
    ["redis://u:a/b@h", "percent-encoded"],
    ["redis://u:1?b@h", "percent-encoded"],
    ["redis://u:1#b@h", "percent-encoded"],
    ["postgresql://%2Fvar%2Frun/db", "socket"],
    ["postgresql://h/db?host=/var/run", "query parameter"],
    ["postgresql://h/db?sslmode=maybe", "sslmode is not known"],
    ["postgresql://h/db?sslmode=constructor", "sslmode is not known"],
    ["postgresql://h/db?sslmode=disable&ssl=true", "different things"],
    ["mongodb://h/?tls=true&ssl=false", "different values"],
    ["mongodb://h/?tls=perhaps", "neither true nor false"],
    ["mongodb://h/a/b", "several parts"],
  ])("refuses %j", (text, reason) => {
    expect(() => parseConnectionString(text)).toThrow(new RegExp(reason));
    expect(() => parseConnectionString(text)).toThrow(ConnectionStringError);
  });

  it("reads back every part that a string is built from", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("mongodb" as const, "redis" as const, "postgresql" as const),
        fc.domain(),
        fc.integer({ min: 1, max: 65535 }),
        fc.string({ minLength: 1, unit: "grapheme" }),
        fc.string({ minLength: 1, unit: "grapheme" }),
        fc.nat(15),
        (type, host, port, username, password, number) => {
          const credentials = `${encodeURIComponent(username)}:${encodeURIComponent(password)}`;
          const found = parseConnectionString(`${type}://${credentials}@${host}:${port}/${number}`);
          expect(found).toEqual({ type, host, port, username, password, database: String(number), tls: false });
        },
      ),
    );
  });

  it("takes no piece of a badly encoded password for another part", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (password) => {
        let found: ConnectionParts;
        try {
          found = parseConnectionString(`redis://user:${password}@host.example:6379/0`);
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionStringError);
          return;
        }
        expect(found).toMatchObject({ username: "user", host: "host.example", port: 6379, database: "0" });
      }),
      { numRuns: 2000 },
    );
  });

  it("never quotes a string that it refuses", () => {
    const canary = "Zq7canaryX9";
    const garbage = fc.array(
      fc.constantFrom(canary, "@", "/", ":", "?", "#", "%", ",", "[", " ", "redis:", "mongodb://", "a", "1", "&"),
    );
    fc.assert(
      fc.property(garbage, (pieces) => {
        try {
          parseConnectionString(pieces.join(""));
        } catch (error) {
          expect(error).toBeInstanceOf(ConnectionStringError);
          expect(String(error)).not.toContain(canary);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("maskedConnectionString", () => {
  it("shows scheme, host and port only", () => {
    const parts = parseConnectionString("rediss://default:secret@[::1]:6380/4");
    expect(maskedConnectionString(parts)).toBe("redis://[::1]:6380");
    expect(maskedConnectionString(parseConnectionString("postgres://u:secret@h/db?sslmode=require"))).toBe(
      "postgresql://h:5432",
    );
  });
});
