import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { maskedConnectionString, parseConnectionString } from "../../../provider/services/connectionString.ts";
import { ConnectionStringError } from "../../../provider/services/connectionStringError.ts";
import type { ServiceType } from "../../../provider/services/serviceType.ts";
import { DATABASE_TYPES, SERVICE_TYPES } from "../../../provider/services/serviceTypes.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const sql = (file: string): string => readFileSync(join(ROOT, "sql", file), "utf8");
const services: readonly ServiceType[] = SERVICE_TYPES;

describe("the types of service", () => {
  const list = `(${DATABASE_TYPES.map((type) => `'${type}'`).join(", ")})`;

  test.each([
    ["databases/10-databases.sql", `constraint databases_type_check check (type in ${list}),`],
    ["databases/21-encrypted-rows.sql", `select case when p_type in ${list} then p_type else 'unknown' end`],
    ["databases/40-views.sql", `when d.type in ${list} then d.type || '://' || d.host || ':' || d.port`],
    ["checks/verify/95-health-report.sql", `and count(*) = count(*) filter (where type in ${list})`],
  ])("are those that sql/%s names", (file, line) => {
    expect(sql(file)).toContain(line);
  });

  test("each have a scheme that the check of formats accepts", () => {
    const check = sql("checks/verify/95-health-report.sql");
    const patterns = new Map(
      [...check.matchAll(/when '(\w+)' then '([^']+)'/g)].map(([, type, pattern]) => [type, pattern]),
    );
    const otherwise = /else '([^']+)'\n\s+end\n\s+\), false\)/.exec(check)?.[1] ?? "nothing";
    for (const { type, schemes } of services) {
      for (const scheme of Object.keys(schemes)) {
        expect(`${scheme}://h`, type).toMatch(new RegExp(patterns.get(type) ?? otherwise));
      }
    }
  });

  test("are named once each, and each string of theirs is read as one of them", () => {
    expect(new Set(DATABASE_TYPES).size).toBe(DATABASE_TYPES.length);
    for (const { type, schemes, defaultPort } of services) {
      for (const scheme of Object.keys(schemes)) {
        const parts = parseConnectionString(`${scheme}://user:password@h`, type);
        expect(parts).toMatchObject({ type, port: defaultPort, password: "password" });
        expect(maskedConnectionString(parts)).toBe(`${type}://h:${defaultPort}`);
      }
    }
  });
});

describe("a connection string", () => {
  const neon = "postgresql://u:p@ep-cool-1-pooler.eu.neon.example/db";

  test("of a scheme that two types share is of the type that is meant, else of the first", () => {
    expect(parseConnectionString(neon).type).toBe("postgresql");
    expect(parseConnectionString(neon, "neon")).toMatchObject({ type: "neon", tls: true });
    expect(parseConnectionString(neon, "redis").type).toBe("postgresql");
  });

  test.each([
    ["neon", `${neon}?sslmode=disable`, "without TLS"],
    ["neon", `${neon}?channel_binding=maybe`, "channel_binding is not known"],
    ["neon", `${neon}?options=-c%20log_statement%3Dall`, "endpoint="],
    ["convex", "convex://otter.convex.example", "no deploy key"],
    ["convex", "convex://deploy:k@otter.convex.example/db", "has a path"],
    ["mysql", "mysql://u:p@h/db?ssl-mode=SOMETIMES", "ssl-mode is not known"],
    ["mysql", "mysql://u:p@h/db?sslaccept=maybe", "sslaccept is not known"],
    ["mysql", 'mysql://u:p@h/db?ssl={"ca":"x"}', "none of true, false"],
  ])("of type %s refuses %s", (type, text, reason) => {
    expect(() => parseConnectionString(text, type)).toThrow(new RegExp(reason));
    expect(() => parseConnectionString(text, type)).toThrow(ConnectionStringError);
  });

  test.each([
    ["neon", `${neon}?sslmode=require&channel_binding=require&options=endpoint%3Dep-cool-1`, true],
    ["mysql", "mysql://u:p@h/db", false],
    ["mysql", 'mysql://u:p@h/db?ssl={"rejectUnauthorized":true}', true],
    ["mysql", "mysql://u:p@h/db?ssl-mode=DISABLED", false],
    ["mysql", "mysql://u:p@h/db?sslaccept=strict", true],
    ["convex", "convex://deploy:prod%3Aotter%7Ckey@otter.convex.example", true],
  ])("of type %s, %s, demands TLS: %s", (type, text, tls) => {
    expect(parseConnectionString(text, type).tls).toBe(tls);
  });
});
