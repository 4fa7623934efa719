/**
 * `npm run test:matrix`: the provider's tests on each installed major version of Postgres, one after
 * another.
 */
import { execa } from "execa";
import { UserError } from "../../provider/core/errors.ts";
import { installedMajors } from "../../provider/embedded/server.ts";
import { runMain } from "../lib/main.ts";
import { projectRoot } from "../lib/paths.ts";

const USAGE = "npm run test:matrix -- [<arguments of vitest>]";

await runMain(USAGE, async () => {
  const failed: number[] = [];
  const majors = installedMajors();
  for (const major of majors) {
    console.log(`\n── PostgreSQL ${major}`);
    const { exitCode } = await execa("vitest", ["run", "--project", "provider", ...process.argv.slice(2)], {
      cwd: projectRoot,
      env: { PGSTRATA_TEST_MAJOR: String(major) },
      preferLocal: true,
      stdio: "inherit",
      reject: false,
    });
    if (exitCode !== 0) failed.push(major);
  }
  if (failed.length > 0)
    throw new UserError("PS707", `The tests failed on PostgreSQL ${failed.join(", ")}; see above.`);
  console.log(`\nThe tests passed on PostgreSQL ${majors.join(", ")}.`);
});
