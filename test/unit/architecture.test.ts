import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const ENGINE = ["catalog", "contribution", "plan"].map((folder) => join("provider", folder));

/** The project's own TypeScript files below the folders, relative to the root. */
function sourcesIn(...folders: string[]): string[] {
  return folders.flatMap((folder) =>
    statSync(join(ROOT, folder)).isFile()
      ? [folder]
      : readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
          .filter((name) => name.endsWith(".ts"))
          .map((name) => join(folder, name)),
  );
}

/** What a file imports: packages by name, own files relative to the root. */
function importsOf(path: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g)].map(
    ([, specifier = ""]) => specifier,
  );
  return specifiers.map((specifier) =>
    specifier.startsWith(".") ? relative(ROOT, join(ROOT, dirname(path), specifier)) : specifier,
  );
}

function breaches(folders: string[], isForbidden: (imported: string) => boolean): string[] {
  return sourcesIn(...folders).flatMap((path) =>
    importsOf(path, readFileSync(join(ROOT, path), "utf8"))
      .filter(isForbidden)
      .map((imported) => `${path} imports ${imported}`),
  );
}

const isPulumi = (name: string): boolean => name.startsWith("@pulumi/");
const isGrpc = (name: string): boolean =>
  name.startsWith("@grpc/") || name === "google-protobuf" || name.startsWith("google-protobuf/");
const isPgDelta = (name: string): boolean => name.startsWith("@supabase/pg-delta");

describe("the parts know only what they should", () => {
  test("one module alone touches the engine's library", () => {
    const found = breaches(["provider", "components", "index.ts", "tools"], isPgDelta);
    expect(new Set(found.map((breach) => breach.split(" ")[0]))).toEqual(
      new Set([join("provider", "catalog", "pgDelta.ts")]),
    );
  });

  test("the engine and the shadow know nothing of Pulumi, of its protocol and of resources", () => {
    expect(
      breaches(
        ENGINE.concat(join("provider", "shadow")),
        (name) =>
          isPulumi(name) ||
          isGrpc(name) ||
          name.startsWith(join("provider", "protocol")) ||
          /^provider.resources.(?!layer.transition)/.test(name),
      ),
    ).toEqual([]);
  });

  test("the engine knows nothing of the shadow", () => {
    expect(breaches(ENGINE, (name) => name.startsWith(join("provider", "shadow")))).toEqual([]);
  });

  test("resource types know nothing of the protocol", () => {
    expect(breaches([join("provider", "resources")], (name) => isPulumi(name) || isGrpc(name))).toEqual([]);
  });

  test("components know nothing of the protocol, nor of the provider's inside", () => {
    expect(breaches(["components"], (name) => isGrpc(name) || name.startsWith("provider"))).toEqual([]);
  });

  test("the embedded Postgres knows nothing of Pulumi, of the engine and of resources", () => {
    expect(
      breaches(
        [join("provider", "embedded")],
        (name) =>
          isPulumi(name) ||
          isGrpc(name) ||
          /^provider.(catalog|contribution|plan|shadow|apply|resources|protocol)/.test(name),
      ),
    ).toEqual([]);
  });
});

test("the check sees imports of each form", () => {
  const text = `import a from "one";\nimport { b } from '../engine/two.ts';\nimport type { C } from "three/sub";\nexport { d } from "four";\nawait import("five");\nimport "six";`;
  expect(importsOf(join("provider", "shadow", "x.ts"), text)).toEqual([
    "one",
    join("provider", "engine", "two.ts"),
    "three/sub",
    "four",
    "five",
    "six",
  ]);
});

/** What the template literals interpolate that are sent as a query. */
function interpolationsInQueries(text: string): string[] {
  const queries = [...text.matchAll(/\.query(?:<(?:[^()`]|\([^()`]*\))*>)?\(\s*`([^`]*)`/g)];
  return queries.flatMap(([, sql = ""]) =>
    [...sql.matchAll(/\$\{((?:[^{}]|\{[^{}]*\})*)\}/g)].map(([, expression = ""]) => expression),
  );
}

/** Names that are quoted where they are made, and constants. */
const SAFE = /^(quoteIdent|quoteQualified|milliseconds)\(|^[A-Z][A-Z_]+$|^(table|column|quoted\w*)$/;

test("what the engine, the shadow and the layers send interpolates quoted names and constants only", () => {
  const folders = [
    ...ENGINE,
    join("provider", "shadow"),
    join("provider", "apply"),
    join("provider", "resources", "layer"),
  ];
  const found = sourcesIn(...folders, join("provider", "database", "updateLock.ts")).flatMap((path) =>
    interpolationsInQueries(readFileSync(join(ROOT, path), "utf8"))
      .filter((expression) => !SAFE.test(expression))
      .map((expression) => `${path}: \${${expression}}`),
  );
  expect(found).toEqual([]);
});

test("the check of queries sees a name that is not quoted", () => {
  const text =
    "client.query<{ id: string }>(`drop table $[userInput] cascade`); pool.query(`select $[quoteIdent(name)]`)";
  expect(interpolationsInQueries(text.replaceAll("[", "{").replaceAll("]", "}"))).toEqual([
    "userInput",
    "quoteIdent(name)",
  ]);
  expect("userInput").not.toMatch(SAFE);
});

test("no file of the provider is longer than 400 lines", () => {
  const long = sourcesIn("provider", "components").filter(
    (path) => readFileSync(join(ROOT, path), "utf8").split("\n").length > 400,
  );
  expect(long).toEqual([]);
});
