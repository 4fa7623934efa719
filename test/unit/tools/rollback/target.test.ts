import { expect, it } from "vitest";
import type { StateResource } from "../../../../tools/lib/stackState.ts";
import { adoptedRegistrations } from "../../../../tools/rollback/target.ts";

const row = (name: string, table: string, outputs: StateResource["outputs"]): StateResource => ({
  ...{ urn: `urn:${name}`, type: "pgstrata:index:Row", name, provider: "" },
  inputs: { table },
  outputs,
});

it("finds the registrations that a program has adopted, and no other row", () => {
  const resources = [
    row("made", "platform.databases", { adopted: false, columns: { id: "1" } }),
    row("adopted", "platform.databases", { adopted: true, columns: { id: "2" } }),
    row("without an id", "platform.databases", { adopted: true, columns: {} }),
    row("another table", "platform.projects", { adopted: true, columns: { id: "4" } }),
    { ...row("another type", "platform.databases", { adopted: true, columns: { id: "5" } }), type: "other" },
  ];
  expect(adoptedRegistrations(resources)).toEqual(["2"]);
});
