import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { command, type Outcome } from "../command.ts";
import { client, installed } from "../install.ts";
import type { Tool } from "../tool.ts";
import { migrationsOf } from "../workload.ts";

const PACKAGES = { alembic: "1.20.1", SQLAlchemy: "2.1.9", "psycopg[binary]": "3.3.9" };

const ENVIRONMENT = `import os
from alembic import context
from sqlalchemy import create_engine, pool

with create_engine(os.environ["PEER_URL"], poolclass=pool.NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`;

/**
 * Alembic with revisions that run SQL files. Its own operations know no policies, functions, triggers or
 * grants.
 */
export const alembic: Tool = {
  name: "Alembic",
  takes: "migrations",
  prepare: async () => {
    await install();
    return `${PACKAGES.alembic}, SQLAlchemy ${PACKAGES.SQLAlchemy}, psycopg ${PACKAGES["psycopg[binary]"]}`;
  },
  open: async (target, workload) => {
    const program = join(await install(), "venv/bin/alembic");
    const scripts = join(target.directory, "scripts");
    const versions = join(scripts, "versions");
    await mkdir(versions, { recursive: true });
    await writeFile(join(target.directory, "alembic.ini"), "[alembic]\nscript_location = scripts\n");
    await writeFile(join(scripts, "env.py"), ENVIRONMENT);
    const run = (...args: string[]): Promise<Outcome> =>
      command(program, args, {
        cwd: target.directory,
        env: { PEER_URL: target.url(target.database).replace("postgresql:", "postgresql+psycopg:") },
      });
    return {
      describe: async (steps) => {
        for (const { number, name, up, down } of migrationsOf(workload.initial, steps)) {
          const before = Number(number) - 1;
          await writeFile(join(versions, `${number}_${name}.up.sql`), up);
          await writeFile(join(versions, `${number}_${name}.down.sql`), down);
          await writeFile(join(versions, `${number}_${name}.py`), revision(number, before));
        }
      },
      apply: () => run("upgrade", "head"),
      undo: () => run("downgrade", "-1"),
    };
  },
};

function revision(number: string, before: number): string {
  return `from pathlib import Path
from alembic import op

revision = "${number}"
down_revision = ${before === 0 ? "None" : `"${String(before).padStart(3, "0")}"`}


def run(suffix):
    # Neither colons nor percent signs of the SQL are parameters.
    text = Path(__file__).with_suffix(suffix).read_text()
    op.get_bind().exec_driver_sql(text, execution_options={"no_parameters": True})


def upgrade():
    run(".up.sql")


def downgrade():
    run(".down.sql")
`;
}

function install(): Promise<string> {
  const packages = Object.entries(PACKAGES).map(([name, version]) => `${name}==${version}`);
  return installed(`alembic-${PACKAGES.alembic}`, async (directory) => {
    await client("python3", ["-m", "venv", "venv"], directory);
    await client(join(directory, "venv/bin/pip"), ["install", "--quiet", ...packages], directory);
  });
}
