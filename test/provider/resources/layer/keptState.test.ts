import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { ResourceState } from "../../../../provider/core/resourceType.ts";
import { freshDatabases } from "../../../support/freshDatabases.ts";
import { destroy, inRun, preview, upAll } from "../../../support/layerHarness.ts";
import { majorVersion } from "../../../support/majorVersion.ts";

/** For each version, the layers' files and the states of a stack that it made of them. */
const STATES = join(import.meta.dirname, "..", "..", "..", "fixtures", "states");
const LAYERS = ["shop", "rls"];

/** What a server shows in another form than version 18, which made the states: it qualifies columns. */
const otherForms = majorVersion < 16 ? [{ of: "shop", name: "materialized view shop.totals" }] : [];

const freshDatabase = freshDatabases();

for (const version of readdirSync(STATES)) {
  const folder = join(STATES, version);
  const states: ResourceState[] = JSON.parse(
    readFileSync(join(folder, "states.json"), "utf8").replaceAll("FIXTURE", folder),
  );

  test(`a stack that version ${version} made needs no change, and is updated and destroyed like any other`, async () => {
    const { url, query } = await freshDatabase();
    for (const layer of LAYERS)
      for (const file of readdirSync(join(folder, layer)).sort())
        await query(readFileSync(join(folder, layer, file), "utf8"));
    await inRun(url, async ({ layer, context }) => {
      for (const state of states) {
        const { inputs } = await layer.check(context(true), state.inputs, state.inputs);
        expect(inputs).toEqual(state.inputs);
        expect(await layer.diff(context(true), state, inputs)).toEqual({ changed: false, detailed: {} });
        const drift = otherForms.filter(({ of }) => of === state.inputs.name).map(({ name }) => name);
        expect((await layer.read(context(true), state))?.outputs.drift).toEqual(drift);
      }
    });

    await query("drop policy everybody on shop.customers");
    const repairs = await preview(
      url,
      states.map(({ inputs }) => inputs),
      states,
    );
    expect(repairs.map((plan) => plan.map(({ name }) => name))).toEqual([[], ["1 policy everybody on shop.customers"]]);
    const repaired = await upAll(
      url,
      states.map(({ inputs }) => inputs),
      states,
    );

    await inRun(url, async ({ layer, context }) => {
      for (const state of repaired) expect((await layer.read(context(true), state))?.outputs.drift).toEqual([]);
    });

    // What it made is still its own.
    for (const state of [...repaired].reverse()) await destroy(url, state);
    expect(await query("select 1 from pg_namespace where nspname = 'shop'")).toEqual([]);
  });
}
