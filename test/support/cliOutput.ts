import type { CliResult } from "./cli.ts";

/**
 * The numbers below `Resources:`, e.g. `{ created: 35 }` or `{ "to update": 4, unchanged: 33 }`; of the last
 * such block.
 */
export function countsIn({ stdout }: CliResult): Record<string, number> {
  const block = stdout.split("\nResources:\n").at(-1)?.split("\n\n")[0] ?? "";
  const counts: Record<string, number> = {};
  for (const line of block.split("\n")) {
    for (const [, number, what] of line.matchAll(/(\d+) (changes|[a-z]+(?: [a-z]+)?)/g)) {
      if (what !== undefined && what !== "changes") counts[what] = Number(number);
    }
  }
  return counts;
}

/** Names of the planned changes, in the order of the lines, e.g. `1 policy tenant on platform.invoices`. */
export function changesIn({ stdout }: CliResult): string[] {
  const lines = /pgstrata:index:Change (.+) (?:create|update|delete)$/;
  const urns = /\$pgstrata:index:Change::(.+)\]$/;
  return stdout.split("\n").flatMap((line) => {
    const name = lines.exec(line.trimEnd())?.[1] ?? urns.exec(line)?.[1];
    return name === undefined ? [] : [name];
  });
}

/** The SQL that `--diff` shows, one text a statement: layer by layer, in the order of execution. */
export function sqlIn({ stdout }: CliResult): string[] {
  const layers = new Map<string, Map<number, string[]>>();
  let layer = new Map<number, string[]>();
  let current: string[] | undefined;
  for (const line of stdout.split("\n")) {
    const path = /\[urn=(.+)\$pgstrata:index:Change::/.exec(line)?.[1];
    const position = /^\s+(\d+) *: \[$/.exec(line)?.[1];
    if (path !== undefined) {
      layer = layers.get(path) ?? new Map();
      layers.set(path, layer);
    } else if (position !== undefined) {
      current = [];
      layer.set(Number(position), current);
    } else if (/^\s+\]$/.test(line)) current = undefined;
    else if (current !== undefined) {
      const text = /^\s+\[\d+\]: (".*")$/.exec(line)?.[1];
      if (text === undefined) throw new Error(`not a line of SQL: ${line}`);
      current.push(JSON.parse(text));
    }
  }
  return [...layers.values()].flatMap((statements) =>
    [...statements].sort(([one], [other]) => one - other).map(([, lines]) => lines.join("\n")),
  );
}

/** Names of the resources that a destroy deleted, e.g. `Layer rls`; the CLI gives components no such line. */
export function deletedIn({ stdout }: CliResult): string[] {
  const lines = stdout.matchAll(/^ - {2}[\w:/-]+:(\w+) (\S+) deleted/gm);
  return [...lines].map(([, type, name]) => `${type} ${name}`).sort();
}

/** The text below `Diagnostics:`. */
export function diagnosticsIn({ stdout }: CliResult): string {
  return stdout.split("\nDiagnostics:\n").slice(1).join("\n").split("\nResources:\n")[0] ?? "";
}
