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

/** Names of the planned statements, in the order of the lines, e.g. `1 update table platform.invoices`. */
export function statementsIn({ stdout }: CliResult): string[] {
  const lines = /pgstrata:index:Statement (.+) (?:create|update|delete)$/;
  const urns = /\$pgstrata:index:Statement::(.+)\]$/;
  return stdout.split("\n").flatMap((line) => {
    const name = lines.exec(line.trimEnd())?.[1] ?? urns.exec(line)?.[1];
    return name === undefined ? [] : [name];
  });
}

/** The SQL that `--diff` shows, one text a statement. */
export function sqlIn({ stdout }: CliResult): string[] {
  const statements: string[] = [];
  let current: string[] | undefined;
  for (const line of stdout.split("\n")) {
    if (/^\s+sql *: \[$/.test(line)) current = [];
    else if (current !== undefined && /^\s+\]$/.test(line)) {
      statements.push(current.join("\n"));
      current = undefined;
    } else if (current !== undefined) {
      const text = /^\s+\[\d+\]: (".*")$/.exec(line)?.[1];
      if (text === undefined) throw new Error(`not a line of SQL: ${line}`);
      current.push(JSON.parse(text));
    }
  }
  return statements;
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
