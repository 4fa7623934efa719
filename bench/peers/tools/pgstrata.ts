import { createStackWorkspace } from "../../../test/support/cli.ts";
import { projectRoot } from "../../../tools/lib/paths.ts";
import { makeBundles } from "../../../tools/setup/bundles.ts";
import { ensurePulumi } from "../../../tools/setup/index.ts";
import type { Outcome } from "../command.ts";
import type { Tool } from "../tool.ts";
import type { SqlLayer, Workload } from "../workload.ts";

/** This project: the layers alone, as one Pulumi program, by the CLI. */
export const pgstrata: Tool = {
  name: "pgstrata",
  takes: "desired state",
  prepare: async () => {
    const log = (line: string) => console.error(line);
    await ensurePulumi({ root: projectRoot, log });
    await makeBundles(projectRoot, log);
    return "this checkout";
  },
  open: async (target, workload) => {
    const workspace = await createStackWorkspace({
      program: programOf(workload),
      config: { "pgstrata:databaseUrl": { secret: target.url(target.database) } },
    });
    const run = async (...args: string[]): Promise<Outcome> => {
      const started = performance.now();
      const { exitCode, output } = await workspace.run(...args);
      return { exitCode, output, wallMs: performance.now() - started };
    };
    return {
      describe: async (steps) => {
        for (const layer of steps.at(-1)?.after ?? workload.initial)
          for (const { name, text } of layer.files) await workspace.write(`${directoryOf(layer)}/${name}`, text);
      },
      apply: () => run("up", "--yes", "--skip-preview"),
      check: () => run("preview", "--expect-no-changes"),
      close: workspace.remove,
    };
  },
};

function programOf({ initial, roles }: Workload): string {
  const sources = initial.map((layer) => ({ name: layer.name, files: [directoryOf(layer)] }));
  return `import * as pulumi from "@pulumi/pulumi";
import { Layer } from "./components/resources/Layer.ts";
import { Provider } from "./components/resources/Provider.ts";

const provider = new Provider("target", { url: new pulumi.Config("pgstrata").requireSecret("databaseUrl") });
const sources = ${JSON.stringify(sources)};
const roles = ${JSON.stringify(roles)};
const below: Layer[] = [];
for (const [n, source] of sources.entries())
  below.push(new Layer(source.name, { ...source, roles, base: sources.slice(0, n) }, { provider, dependsOn: [...below] }));
`;
}

function directoryOf({ name }: SqlLayer): string {
  return `desired/${name}`;
}
