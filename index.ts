/**
 * The entry of all stacks. A stack is of one part, as its setting `part` says, and each part has its program
 * in `programs/`: its resources and outputs are those of the stack.
 */
import { getStack, log, runtime } from "@pulumi/pulumi";
import { keepDebugLogBack } from "./components/program/debugLog.ts";
import { keepTree } from "./components/program/keptTree.ts";
import { readPart } from "./components/program/stackConfig.ts";

const PROGRAMS = {
  platform: () => import("./programs/platform.ts"),
  audit: () => import("./programs/auditTrail.ts"),
};

keepDebugLogBack();
if (!runtime.isDryRun()) {
  keepTree(getStack()).catch((error) => log.warn(`the files of this update are not kept for a rollback: ${error}`));
}

/** Run by Pulumi, which takes what it gives for the outputs of the stack. */
export default async () => ({ ...(await PROGRAMS[readPart()]()) });
