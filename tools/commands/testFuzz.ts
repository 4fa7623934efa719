/**
 * The command `npm run test:fuzz`: its options, and how a failure is printed. Generators and runs are in
 * `test/long/fuzz/`.
 */
import { parseArgs } from "node:util";
import { execa } from "execa";
import { UserError } from "../../provider/core/errors.ts";
import { installedMajors } from "../../provider/embedded/server.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

const USAGE =
  "npm run test:fuzz -- [--people [--settled-only] [--prints] | --broken] [--runs <number per version>] [--seed <first seed>] [--major <15 to 18, or all>] [--minimise <seconds for a failure>]";

/**
 * `npm run test:fuzz`: turns generated declarations into one another and back, through a layer on a real
 * server. A failure is printed with its seed and the smallest SQL that still fails; `--seed <seed> --runs 1`
 * repeats it. `--people`: SQL as people write it must settle, however the database was made; `--settled-only`
 * leaves out of it what a server is known to print in two forms, `--prints` tells what that is. `--broken`:
 * plans that are broken on purpose must be refused before anything is touched, or do the same all the same.
 */
await runMain(USAGE, async () => {
  const { runs, seed, minimise, majors, sample, settledOnly, prints } = options();
  const failed: number[] = [];
  for (const major of majors) {
    const { exitCode } = await execa(
      "vitest",
      ["run", "--project", "provider", "--disable-console-intercept=true", `test/provider/samples/${sample}.test.ts`],
      {
        cwd: projectRoot,
        env: {
          PGSTRATA_TEST_MAJOR: String(major),
          PGSTRATA_FUZZ_RUNS: String(runs),
          PGSTRATA_FUZZ_SEED: String(seed),
          PGSTRATA_FUZZ_MINIMISE_MS: String(minimise * 1000),
          ...(settledOnly ? { PGSTRATA_FUZZ_SETTLED_ONLY: "1" } : {}),
          ...(prints ? { PGSTRATA_FUZZ_PRINTS: "1" } : {}),
        },
        preferLocal: true,
        stdio: "inherit",
        reject: false,
      },
    );
    if (exitCode !== 0) failed.push(major);
  }
  if (failed.length > 0)
    throw new UserError("PS707", `Properties do not hold on PostgreSQL ${failed.join(", ")}; see above.`);
});

interface Options {
  runs: number;
  seed: number;
  minimise: number;
  majors: number[];
  /** Which of the tests. */
  sample: "fuzz" | "people" | "broken";
  settledOnly: boolean;
  prints: boolean;
}

function options(): Options {
  const { values } = parseArgs({
    options: {
      runs: { type: "string", default: "100" },
      seed: { type: "string", default: String(Math.floor(Math.random() * 1_000_000)) },
      major: { type: "string", default: "18" },
      minimise: { type: "string", default: "120" },
      people: { type: "boolean", default: false },
      broken: { type: "boolean", default: false },
      "settled-only": { type: "boolean", default: false },
      prints: { type: "boolean", default: false },
    },
  });
  const majors = values.major === "all" ? installedMajors() : [wholeNumber("major", values.major)];
  const missing = majors.filter((major) => !installedMajors().includes(major));
  if (missing.length > 0)
    throw new UserError(
      "PS706",
      `Found --major ${values.major}, expected one of ${installedMajors().join(", ")}, or all.`,
    );
  return {
    runs: wholeNumber("runs", values.runs),
    seed: wholeNumber("seed", values.seed),
    minimise: wholeNumber("minimise", values.minimise),
    majors,
    sample: values.people ? "people" : values.broken ? "broken" : "fuzz",
    settledOnly: values["settled-only"],
    prints: values.prints,
  };
}

function wholeNumber(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new UserError("PS706", `Found --${option} ${text}, expected a whole number.\nUsage: ${USAGE}`);
  return Number(text);
}
