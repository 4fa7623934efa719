import type { Findings, Timing } from "./measure.ts";

/** The middle value; of an even number of values, the higher of the two in the middle. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * The times of all tools on one workload, as a Markdown table with a line below for each command that failed.
 */
export function timesTable(all: readonly Findings[]): string {
  const rows = all.map((findings) => {
    const { tool, takes, notToBeHad, up, noop, change, lacks } = findings;
    if (notToBeHad !== undefined) return row(tool, takes, "not to be had", "", "", notToBeHad);
    const expressed = up.failure === undefined ? lacks.join(", ") || "nothing" : "does not apply";
    return row(tool, takes, cell(up), cell(noop), cell(change), expressed);
  });
  const failures = all.flatMap(({ tool, up, noop, change }) =>
    Object.entries({ "empty → full": up, "nothing to do": noop, "one column more": change }).flatMap(
      ([what, { failure }]) => (failure === undefined ? [] : [`- ${tool}, ${what}: ${code(failure)}`]),
    ),
  );
  return [
    row("tool", "takes", "empty → full", "nothing to do", "one column more", "could not express"),
    row(...Array.from({ length: 6 }, () => "---")),
    ...rows,
    ...(failures.length > 0 ? ["", "What failed:", "", ...failures] : []),
  ].join("\n");
}

/**
 * The times of the first tool divided by those of each other one, as a Markdown table: below 1 it is the
 * faster one.
 */
export function ratiosTable([own, ...others]: readonly Findings[]): string {
  if (own === undefined) return "";
  const ratio = (of: (findings: Findings) => Timing, other: Findings): string => {
    const quotient = median(of(own).wallsMs) / median(of(other).wallsMs);
    const isKnown = [own, other].every((findings) => of(findings).failure === undefined) && !Number.isNaN(quotient);
    return isKnown ? quotient.toFixed(2) : "";
  };
  return [
    row(`${own.tool} / it`, "empty → full", "nothing to do", "one column more"),
    row(...Array.from({ length: 4 }, () => "---")),
    ...others.map((other) =>
      row(
        other.tool,
        ...[({ up }: Findings) => up, ({ noop }: Findings) => noop, ({ change }: Findings) => change].map((of) =>
          ratio(of, other),
        ),
      ),
    ),
  ].join("\n");
}

/** What the tools did in the probes, as a Markdown table. */
export function probesTable(all: readonly Findings[]): string {
  return [
    row(
      "tool",
      "version",
      "a policy dropped by hand, at the next run",
      "left behind by a change whose second part fails",
      "taking the change back",
    ),
    row(...Array.from({ length: 5 }, () => "---")),
    ...all.map(({ tool, version, notToBeHad, drift, conflict, undo }) =>
      notToBeHad === undefined
        ? row(tool, version ?? "", drift ?? "", conflict ?? "", undo ?? "")
        : row(tool, "not to be had", "", "", ""),
    ),
  ].join("\n");
}

const BEGIN = "<!-- npm run bench:peers writes from here -->";
const END = "<!-- to here -->";

/** Replaces what an earlier run wrote into a document, or adds it under a heading of its own at the end. */
export function withSection(document: string, section: string): string {
  const written = `${BEGIN}\n\n${section}\n\n${END}`;
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) return `${document.trimEnd()}\n\n## Peers\n\n${written}\n`;
  return `${document.slice(0, begin)}${written}${document.slice(end + END.length)}`;
}

function cell({ wallsMs, failure }: Timing): string {
  if (failure !== undefined || wallsMs.length === 0) return "fails";
  const seconds = (ms: number): string => (ms / 1000).toFixed(2);
  return `${seconds(median(wallsMs))} s (${seconds(Math.min(...wallsMs))} – ${seconds(Math.max(...wallsMs))})`;
}

function row(...cells: readonly string[]): string {
  return `| ${cells.map((text) => text.replaceAll("|", "\\|")).join(" | ")} |`;
}

function code(text: string): string {
  return `\`${text.replaceAll("`", "'").slice(0, 200)}\``;
}
