// How the process of a program starts: what `nodeargs` in Pulumi.yaml preloads, in a process of its own.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..", "..");
const PRELOADED = ["--import", "./components/program/sdkLoading.ts"];

/** What a CommonJS program prints, with the SDK and its source maps at hand. */
function run(code: string, nodeArgs: string[]): unknown {
  const sdk = `require("@pulumi/pulumi/cmd/run/instrumentation.js"); const pulumi = require("@pulumi/pulumi");`;
  const program = `require("source-map-support/register"); ${sdk} ${code}`;
  return JSON.parse(execFileSync(process.execPath, [...nodeArgs, "-e", program], { cwd: root, encoding: "utf8" }));
}

const LOADED = `const loaded = () => ["typescript/lib/typescript.js", "@npmcli/arborist/lib/arborist/index.js"].filter((file) =>
  Object.entries(require.cache).some(([path, { exports }]) => path.endsWith(file) && Object.keys(exports).length > 0));`;

it("leaves out of the SDK what serializes functions, until one is serialized", () => {
  const serialize = `const path = require("path"); const add = (n) => n + 1;
    pulumi.runtime.serializeFunction(() => path.join("a", String(add(41)))).then(({ text }) =>
    console.log(JSON.stringify({ before, text })));`;
  const code = `${LOADED} const before = loaded(); ${serialize}`;

  const preloaded = run(code, PRELOADED);
  const plain = run(code, []);

  expect(preloaded).toEqual({ before: [], text: expect.stringContaining("path.join") });
  expect(plain).toEqual({ ...Object(preloaded), before: [expect.anything(), expect.anything()] });
});

it("maps no stack trace", () => {
  const code = `console.log(JSON.stringify(Error.prepareStackTrace.name));`;

  expect(run(code, PRELOADED)).toBe("ErrorPrepareStackTrace");
  expect(run(code, [])).toBe("prepareStackTrace");
});
