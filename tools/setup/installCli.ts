// Installs the Pulumi CLI of the SDK's version into the folder that is given. It is a program of its own, so
// that its caller can put an end to it: the installer below has no time-out.
import { PulumiCommand } from "@pulumi/pulumi/automation/index.js";

const folder = process.argv[2];
if (folder === undefined) {
  throw new Error("usage: installCli.ts <folder>");
}
try {
  await PulumiCommand.install({ root: folder });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
