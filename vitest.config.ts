import { defineConfig } from "vitest/config";

/** Tests that start servers and the CLI: two files at a time are as many as two cores take. */
const MAX_WORKERS = 2;

export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: MAX_WORKERS,
    projects: [
      {
        extends: true,
        test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        extends: true,
        test: {
          name: "provider",
          include: ["test/provider/**/*.test.ts"],
          globalSetup: ["test/support/testServer.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["test/support/testServer.ts", "test/support/pulumiSetup.ts"],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
