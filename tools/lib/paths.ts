import { dirname } from "node:path";

/** The checkout that these tools belong to. */
export const projectRoot = dirname(dirname(import.meta.dirname));
