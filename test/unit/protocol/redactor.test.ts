import { describe, expect, it } from "vitest";
import { createRedactor } from "../../../provider/protocol/redactor.ts";

describe("the redactor", () => {
  it("takes out a secret in every form in which a text may hold it", () => {
    const redactor = createRedactor();
    redactor.add(`it's "50%"\n`);
    const text = [`it's "50%"\n`, `it's \\"50%\\"\\n`, `it''s "50%"\n`, "it's%20%2250%25%22%0A"].join("|");
    expect(redactor.redact(text)).toBe("[secret]|[secret]|[secret]|[secret]");
  });

  it.each([
    ["postgresql://user:p%40ssword@host/db", ["p%40ssword", "p@ssword"]],
    ["mongodb://mongo:p@ss@host:27017", ["p@ss"]],
    ["postgresql://host/db?user=u&password=query%20pass", ["query%20pass", "query pass"]],
    ["redis://default:half%zz@host", ["half%zz"]],
  ])("learns the password within the URL %s", (url, passwords) => {
    const redactor = createRedactor();
    redactor.add(url);
    for (const password of [url, ...passwords]) expect(redactor.redact(`<${password}>`)).toBe("<[secret]>");
  });

  it("prefers the longest secret, so that no rest of it stays", () => {
    const redactor = createRedactor();
    redactor.add("inner");
    redactor.add("outer-inner-outer");
    expect(redactor.redact("outer-inner-outer inner")).toBe("[secret] [secret]");
  });

  it("leaves strings of less than four characters and texts without secrets alone", () => {
    const redactor = createRedactor();
    redactor.add("abc");
    expect(redactor.redact("abc")).toBe("abc");
    expect(createRedactor().redact("password")).toBe("password");
  });
});
