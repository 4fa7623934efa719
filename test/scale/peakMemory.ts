import { readdirSync, readFileSync } from "node:fs";

/** The processes of one `pulumi` command. */
export const PARTS = ["provider", "program", "CLI"] as const;
export type Part = (typeof PARTS)[number];

/** Bytes of memory, by part. */
export type Peaks = Partial<Record<Part, number>>;

const INTERVAL_MS = 50;

/**
 * The most memory that each part of a command held while `task` ran, as the kernel keeps it (`VmHWM`): a peak between two looks counts
 * as well. Empty on systems without /proc.
 */
export async function withPeaks<T>(task: () => Promise<T>): Promise<{ result: T; peaks: Peaks }> {
  const peaks: Peaks = {};
  const timer = setInterval(() => look(peaks), INTERVAL_MS);
  try {
    return { result: await task(), peaks };
  } finally {
    clearInterval(timer);
  }
}

function look(peaks: Peaks): void {
  for (const pid of descendants(process.pid)) {
    const part = partOf(read(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (part !== undefined && kilobytes !== undefined)
      peaks[part] = Math.max(peaks[part] ?? 0, Number(kilobytes) * 1024);
  }
}

function partOf(command: string): Part | undefined {
  if (/provider\/main\.ts/.test(command)) return "provider";
  if (/@pulumi\/pulumi\/cmd\/run/.test(command)) return "program";
  return /^(\S*\/)?pulumi /.test(command) ? "CLI" : undefined;
}

function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of list("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // The second field is a name in brackets, which may hold anything.
    const parent = Number(
      read(`/proc/${name}/stat`)
        .replace(/^.*\) /s, "")
        .split(" ")[1],
    );
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (let open = [root]; open.length > 0; open = open.flatMap((pid) => children.get(pid) ?? [])) found.push(...open);
  return found;
}

/** A process may end while it is looked at. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
