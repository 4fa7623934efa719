/** The major version of Postgres that the tests run on: `PGSTRATA_TEST_MAJOR`, default 18. */
export const majorVersion: number = Number(process.env.PGSTRATA_TEST_MAJOR ?? 18);
