/**
 * Where the project is published, as its `package.json` says, and how a message links to the pages of its
 * codes. The codes are in `provider/core/errorCodes.ts` and `components/program/errorCodes.ts`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The lines of `package.json` that matter here. */
export interface Publication {
  version?: string;
  /** Where defects are reported. */
  bugs?: string;
  /** As npm writes it, such as `git+https://example.org/team/pgstrata.git`. */
  repository?: string;
}

/** A file of the project: a link where it is published, else its path. */
export function linkTo(path: string, { repository } = publication()): string {
  const url = repository?.replace(/^git\+/, "").replace(/\.git$/, "");
  return url?.startsWith("https://") ? `${url}/blob/main/${path}` : path;
}

/** The page of a code, from the root of the project. */
export const pageOf = (code: string): string => `docs/errors/${code}.md`;

/** A message with one line more for each of its codes, which says where to read on. */
export function withPages(message: string, codes: Iterable<string>): string {
  const lines = [...new Set(codes)].map((code) => `${code} · ${linkTo(pageOf(code))}`);
  return [message, ...lines].join("\n");
}

/** Who hears of a defect. */
export const reportTo = ({ bugs } = publication()): string => bugs ?? "the maintainers of pgstrata";

let found: Publication | undefined;

export function publication(): Publication {
  if (found !== undefined) return found;
  const text = readFileSync(join(import.meta.dirname, "package.json"), "utf8");
  const parsed: Record<string, unknown> = JSON.parse(text);
  found = {};
  for (const key of ["version", "bugs", "repository"] as const) {
    const value = urlOf(parsed[key]);
    if (value !== undefined) found[key] = value;
  }
  return found;
}

/** npm takes a text, or an object that holds it as `url`. */
function urlOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "object" && value !== null && "url" in value ? urlOf(value.url) : undefined;
}
