import { expect, it } from "vitest";
import { formatDrift } from "../../../tools/lib/driftText.ts";
import { parseStackState } from "../../../tools/lib/stackState.ts";

const PROVIDER = "urn:pulumi:dev::p::pulumi:providers:pgstrata::target";
const secret = (text: string) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(text),
});

function exported(...resources: object[]): string {
  return JSON.stringify({ version: 3, deployment: { resources } });
}

const provider = {
  urn: PROVIDER,
  type: "pulumi:providers:pgstrata",
  id: "7",
  inputs: { url: secret("postgresql://h/d") },
};
const layer = {
  urn: "urn:pulumi:dev::p::pgstrata:index:Layer::notes",
  type: "pgstrata:index:Layer",
  id: "notes",
  provider: `${PROVIDER}::7`,
  inputs: { name: "notes", files: ["a.sql"] },
  outputs: { contribution: "1:x" },
};

it("takes the layers, rows and sets of rows of each provider out of a state, secrets in plain text", () => {
  const row = {
    ...layer,
    type: "pgstrata:index:Row",
    id: "t/id=1",
    inputs: { table: "t", secretValues: { word: secret("hidden") } },
    outputs: {},
  };
  const set = { ...row, type: "pgstrata:index:Rows", id: "t/id", inputs: { table: "t", file: "t.csv" } };
  expect(parseStackState(exported(provider, layer, row, set))).toEqual([
    {
      provider: { url: "postgresql://h/d" },
      layers: [{ id: "notes", inputs: layer.inputs, outputs: layer.outputs }],
      rows: [{ id: "t/id=1", inputs: { table: "t", secretValues: { word: "hidden" } }, outputs: {} }],
      sets: [{ id: "t/id", inputs: { table: "t", file: "t.csv" }, outputs: {} }],
    },
  ]);
});

it("leaves out what is about to be deleted, what belongs to other providers, and providers without anything", () => {
  const old = { ...layer, delete: true };
  const other = { ...layer, provider: `${PROVIDER}::8` };
  expect(parseStackState(exported(provider, old, other))).toEqual([]);
  expect(parseStackState(exported())).toEqual([]);
});

it("refuses a state of another form", () => {
  expect(() => parseStackState(JSON.stringify({ checkpoint: {} }))).toThrow("a state of a form");
});

it("prints a line for each layer, and one below it for each difference", () => {
  const none = { differs: [], missing: [], notOurs: [] };
  const report = {
    database: "me@host:5432/d",
    layers: [
      { layer: "platform", differs: ["view s.v"], missing: ["index s.i"], notOurs: ["column s.t.c"] },
      { layer: "rls", ...none },
    ],
    notOurs: ["table public.t"],
    kept: ["table k.item, kept for layer rls until 2026-12-28"],
    rows: [
      { row: "s.t/id=1", missing: true, differs: [] },
      { row: "s.t/id=2", missing: false, differs: ["values.a", "values.b"] },
    ],
    outdated: ["database d was recorded with version 1"],
  };
  expect(formatDrift([report])).toBe(
    [
      "me@host:5432/d",
      "  layer platform",
      "    differs   view s.v",
      "    missing   index s.i",
      "    not ours  column s.t.c",
      "  layer rls: as the last update left it",
      "  in the same schemas",
      "    not ours  table public.t",
      "  dropped with rows",
      "    kept      table k.item, kept for layer rls until 2026-12-28",
      "  collations",
      "    outdated  database d was recorded with version 1",
      "  rows",
      "    missing   s.t/id=1",
      "    differs   s.t/id=2: values.a, values.b",
    ].join("\n"),
  );
});

it("shows control characters of names that others have given", () => {
  const name = "table s.\u001b[2J\nlayer x: as the last update left it";
  const layers = [{ layer: "a", differs: [name], missing: [], notOurs: [] }];
  const report = { database: "d", layers, notOurs: [], kept: [], rows: [], outdated: [] };
  expect(formatDrift([report])).toContain("    differs   table s.\\u001b[2J\\nlayer x: as");
});
