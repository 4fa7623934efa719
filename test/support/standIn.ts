import { projectRoot } from "../../tools/lib/paths.ts";
import { layoutOf } from "../../tools/setup/layout.ts";
import { readRecord } from "../../tools/setup/record.ts";

/**
 * Whether the plugin `postgresql` is the stand-in of closed networks. Asked while the tests are collected,
 * when the set-up of the run has been made.
 */
export function isStandIn(): boolean {
  return readRecord(layoutOf(projectRoot)).some(({ name, source }) => name === "postgresql" && source === "built");
}
