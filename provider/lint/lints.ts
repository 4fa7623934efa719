/** All lints, by their codes: 1xx row-level security, 2xx access, 3xx indexes, 4xx design, 5xx upkeep. */
import type { Lint } from "./rule.ts";
import { ACCESS } from "./rules/access.ts";
import { DESIGN } from "./rules/design.ts";
import { INDEXES } from "./rules/indexes.ts";
import { ROW_SECURITY } from "./rules/rowSecurity.ts";
import { UPKEEP } from "./rules/upkeep.ts";

export const LINTS: readonly Lint[] = [...ROW_SECURITY, ...ACCESS, ...INDEXES, ...DESIGN, ...UPKEEP];

/** What is found in exemptions themselves. */
export const EXEMPTION_LINTS = {
  unused: {
    code: "PGL901",
    name: "exemption-unused",
    level: "WARNING",
    why: "An exemption that exempts nothing hides the next fault of its kind.",
  },
  unreadable: {
    code: "PGL902",
    name: "exemption-unreadable",
    level: "WARNING",
    why: "An exemption counts where it names lints that there are, and says why.",
  },
} as const satisfies Record<string, Pick<Lint, "code" | "name" | "level" | "why">>;
