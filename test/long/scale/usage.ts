import { readdirSync, readFileSync } from "node:fs";

/** The processes of one `pulumi` command. */
export const PARTS = ["provider", "program", "CLI"] as const;
export type Part = (typeof PARTS)[number];

/** What a command took. Nothing on systems without /proc. */
export interface Usage {
  /** Peak of the memory, in bytes, by part. */
  peaks: Partial<Record<Part, number>>;
  /** Processor time of all parts together, in milliseconds; the database servers' is not in it. */
  processorMs: number;
}

const INTERVAL_MS = 100;
/** In which the kernel counts processor time. */
const TICK_MS = 10;

/**
 * Runs a command and looks at its processes meanwhile. The kernel keeps each one's peak of memory (`VmHWM`),
 * so that one between two looks counts as well; of the processor time, what comes after the last look is
 * missing.
 */
export async function withUsage<T>(command: () => Promise<T>): Promise<{ result: T; usage: Usage }> {
  const peaks: Usage["peaks"] = {};
  const processor = new Map<number, number>();
  const timer = setInterval(() => look(peaks, processor), INTERVAL_MS);
  try {
    const result = await command();
    return { result, usage: { peaks, processorMs: [...processor.values()].reduce((sum, value) => sum + value, 0) } };
  } finally {
    clearInterval(timer);
  }
}

function look(peaks: Usage["peaks"], processor: Map<number, number>): void {
  for (const pid of descendants(process.pid)) {
    const part = partOf(read(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
    if (part === undefined) continue;
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/status`))?.[1];
    if (kilobytes !== undefined) peaks[part] = Math.max(peaks[part] ?? 0, Number(kilobytes) * 1024);
    const [user = 0, system = 0] = fieldsOf(pid).slice(11, 13).map(Number);
    if (user + system > 0) processor.set(pid, (user + system) * TICK_MS);
  }
}

/** Of `/proc/…/stat`, from the third on: the second is a name in brackets, which may hold anything. */
function fieldsOf(pid: number | string): string[] {
  return read(`/proc/${pid}/stat`)
    .replace(/^.*\) /s, "")
    .split(" ");
}

function partOf(command: string): Part | undefined {
  if (/provider\/main\.ts/.test(command)) return "provider";
  if (/@pulumi\/pulumi\/cmd\/run/.test(command)) return "program";
  return /^(\S*\/)?pulumi /.test(command) ? "CLI" : undefined;
}

function descendants(root: number): number[] {
  const found: number[] = [];
  for (let open = [root]; open.length > 0; open = open.flatMap(childrenOf)) found.push(...open);
  return found;
}

/** Each thread has children of its own. */
function childrenOf(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) =>
    [...read(`/proc/${pid}/task/${thread}/children`).matchAll(/\d+/g)].map(([child]) => Number(child)),
  );
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
