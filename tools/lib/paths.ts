/** Where the checkout is that these tools belong to. */
import { dirname } from "node:path";

export const projectRoot = dirname(dirname(import.meta.dirname));
