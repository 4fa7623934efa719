import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

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

/**
 * The rooms of the provider, from the bottom: a file imports of its own folder and of those before it.
 * `database` and `embedded` stand beside the ones in the middle, which know nothing of them.
 */
const ROOMS = [
  "core",
  "services",
  "database",
  "embedded",
  "catalog",
  "contribution",
  "plan",
  "report",
  "pull",
  "shadow",
  "apply",
  "gate",
  "backup",
  "lint",
  "verification",
  "rotation",
  "registry",
  "guard",
  "resources",
  "schema",
  "protocol",
  "bundle.ts",
  "main.ts",
];
const CONNECTED = new Set(["database", "embedded"]);
const UNCONNECTED = new Set(["catalog", "contribution", "plan", "report", "pull"]);

/** The room of a file of the provider. */
const roomOf = (path: string): string => path.split(sep)[1] ?? "";

const provider = sourcesIn("provider").map((path) => ({
  path,
  imports: importsOf(path, readFileSync(join(ROOT, path), "utf8")),
}));
const isOwn = (name: string): boolean => name.startsWith(`provider${sep}`);

const isPulumi = (name: string): boolean => name.startsWith("@pulumi/");
const isGrpc = (name: string): boolean =>
  name.startsWith("@grpc/") || name === "google-protobuf" || name.startsWith("google-protobuf/");
const isPgDelta = (name: string): boolean => name.startsWith("@supabase/pg-delta");

/** Groups of files that import one another, each group sorted. */
function circles(files: readonly { path: string; imports: readonly string[] }[]): string[][] {
  const imports = new Map(files.map((file) => [file.path, file.imports]));
  const reached = new Map(
    files.map(({ path }) => {
      const found = new Set<string>();
      const open = [...(imports.get(path) ?? [])];
      for (let next = open.pop(); next !== undefined; next = open.pop()) {
        if (found.has(next)) continue;
        found.add(next);
        open.push(...(imports.get(next) ?? []));
      }
      return [path, found] as const;
    }),
  );
  const groups = [...reached].flatMap(([path, found]) =>
    found.has(path) ? [[...found].filter((other) => reached.get(other)?.has(path)).sort()] : [],
  );
  return [...new Map(groups.map((group) => [group.join(" "), group])).values()];
}

/** Imports that lead to a room above, or from one that needs no connection to one that is about it. */
function upwards(files: readonly { path: string; imports: readonly string[] }[]): string[] {
  return files.flatMap(({ path, imports }) =>
    imports.filter(isOwn).flatMap((imported) => {
      const [from, to] = [roomOf(path), roomOf(imported)];
      const isUp = ROOMS.indexOf(to) > ROOMS.indexOf(from) || !ROOMS.includes(to);
      return isUp || (UNCONNECTED.has(from) && CONNECTED.has(to)) ? [`${path} imports ${imported}`] : [];
    }),
  );
}

describe("the parts know only what they should", () => {
  test("no files of the provider import one another in a circle, types included", () => {
    expect(circles(provider)).toEqual([]);
  });

  test("the rooms of the provider import only downwards", () => {
    expect([...new Set(provider.map(({ path }) => roomOf(path)))].filter((room) => !ROOMS.includes(room))).toEqual([]);
    expect(upwards(provider)).toEqual([]);
  });

  test("both checks see what they look for", () => {
    const [a, b, c] = ["plan/a.ts", "plan/b.ts", "apply/c.ts"].map((path) => join("provider", path));
    const files = [
      { path: a ?? "", imports: [b ?? "", "pg"] },
      { path: b ?? "", imports: [c ?? "", join("provider", "database", "pool.ts")] },
      { path: c ?? "", imports: [a ?? ""] },
    ];
    expect(circles(files)).toEqual([[c, a, b].sort()]);
    expect(upwards(files)).toEqual([`${b} imports ${c}`, `${b} imports ${join("provider", "database", "pool.ts")}`]);
  });

  test("one module alone touches the engine's library", () => {
    const found = breaches(["provider", "components", "programs", "index.ts", "project.ts", "tools"], isPgDelta);
    expect(new Set(found.map((breach) => breach.split(" ")[0]))).toEqual(
      new Set([join("provider", "catalog", "pgDelta.ts")]),
    );
  });

  test("only the protocol knows of gRPC, and nothing of the provider of Pulumi's SDK", () => {
    const users = provider.filter(({ imports }) => imports.some(isGrpc)).map(({ path }) => roomOf(path));
    expect(new Set(users)).toEqual(new Set(["protocol"]));
    expect(
      breaches(["provider"], isPulumi).filter((breach) => !breach.startsWith(join("provider", "protocol"))),
    ).toEqual([]);
  });

  test("components know nothing of the protocol, and of the provider only types of service, where bundles lie and what they are of", () => {
    const open = [
      join("provider", "services"),
      join("provider", "bundle.ts"),
      join("provider", "core", "bundledStack.ts"),
    ];
    const isInside = (name: string) => name.startsWith("provider") && !open.some((part) => name.startsWith(part));
    expect(breaches(["components"], (name) => isGrpc(name) || isInside(name))).toEqual([]);
  });
});

test("comments end before column 110", () => {
  const long = sourcesIn(
    "provider",
    "components",
    "tools",
    "test",
    "bench",
    "programs",
    "index.ts",
    "project.ts",
  ).flatMap((path) =>
    readFileSync(join(ROOT, path), "utf8")
      .split("\n")
      .flatMap((line, n) =>
        /^\s*(\/\/|\*|\/\*\*?) /.test(line) && [...line].length > 110 ? [`${path}:${n + 1}`] : [],
      ),
  );
  expect(long).toEqual([]);
});

/** Text lines of the comment that a file opens with; 0 where it has none that stands for itself. */
function linesOfHead(text: string): number {
  const [head = ""] = /^(?:\/\*\*.*?\*\/\n|(?:\/\/[^\n]*\n)+)(?=\n|import\b|export (?:type )?[{*])/s.exec(text) ?? [];
  return head.split("\n").filter((line) => /\w/.test(line)).length;
}

test("each file opens with one to three lines on what it answers", () => {
  const breaches = sourcesIn("provider", "components", "programs", "tools", "index.ts", "project.ts").filter((path) => {
    const lines = linesOfHead(readFileSync(join(ROOT, path), "utf8"));
    return lines < 1 || lines > 3;
  });
  expect(breaches).toEqual([]);
});

test("the check of heads sees none, one of a declaration, and a long one", () => {
  const imports = 'import x from "x";\n';
  expect(linesOfHead(imports)).toBe(0);
  expect(linesOfHead("/** Of the function below. */\nexport function f() {}\n")).toBe(0);
  expect(linesOfHead(`/** One. */\n${imports}`)).toBe(1);
  expect(linesOfHead(`/**\n * One\n * two.\n */\n${imports}`)).toBe(2);
  expect(linesOfHead(`// One\n// two\n// three\n// four.\n\n${imports}`)).toBe(4);
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
  const folders = ["catalog", "contribution", "plan", "shadow", "apply", "resources/layer"].map((room) =>
    join("provider", room),
  );
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
