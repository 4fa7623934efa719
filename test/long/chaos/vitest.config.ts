import { join } from "node:path";
import { defineConfig } from "vitest/config";

/** The long run: each file kills for minutes. Two at a time are as many as two cores take. */
export default defineConfig({
  test: {
    root: join(import.meta.dirname, "..", "..", ".."),
    include: ["test/long/chaos/**/*.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    globalSetup: ["test/support/testServer.ts", "test/support/pulumiSetup.ts", "test/long/chaos/report.ts"],
    testTimeout: 3_600_000,
    hookTimeout: 180_000,
    disableConsoleIntercept: true,
  },
});
