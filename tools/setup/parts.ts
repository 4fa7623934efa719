/** Which executables a closed network builds, and what each is built from. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { shortDigest, versions } from "./layout.ts";

/** One executable that closed networks build from the Go module proxy; its module is `offline/<name>`. */
export interface Part {
  readonly name: "cli" | "language-nodejs" | "random" | "postgresql";
  /** What a progress line calls it. */
  readonly title: string;
  readonly version: string;
  readonly executable: string;
  /** The Go package to build, seen from the part's module. */
  readonly goPackage: string;
  readonly linkerFlags: string;
}

const stripped = "-s -w";

export const cliPart: Part = {
  name: "cli",
  title: `Pulumi CLI ${versions.pulumi}`,
  version: versions.pulumi,
  executable: "pulumi",
  goPackage: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  linkerFlags: `${stripped} -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${versions.pulumi}`,
};

export const languageHostPart: Part = {
  name: "language-nodejs",
  title: `Node language host ${versions.languageHost}`,
  version: versions.languageHost,
  executable: "pulumi-language-nodejs",
  goPackage: "github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs",
  linkerFlags: stripped,
};

/** The resource plugins; the version is the one of the npm package, by which the CLI looks for them. */
export const pluginParts: readonly Part[] = [
  {
    name: "random",
    title: `plugin random ${versions.random}`,
    version: versions.random,
    executable: "pulumi-resource-random",
    goPackage: ".",
    linkerFlags: stripped,
  },
  {
    name: "postgresql",
    title: `plugin postgresql ${versions.postgresql} (stand-in for the official one)`,
    version: versions.postgresql,
    executable: "pulumi-resource-postgresql",
    goPackage: ".",
    linkerFlags: stripped,
  },
];

const sourceFile = /\.(go|mod|sum|json)$/;

/** @returns a digest of all that a part is built from, its build flags included. */
export function partDigest(root: string, part: Part): string {
  const folder = join(root, "offline", part.name);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => sourceFile.test(file))
    .sort();
  return shortDigest([
    part.goPackage,
    part.linkerFlags,
    ...files.flatMap((file) => [file, readFileSync(join(folder, file))]),
  ]);
}
