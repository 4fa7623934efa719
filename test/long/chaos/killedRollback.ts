/** Kills a rollback of the registry at a boundary, and says what was not as it must be afterwards. */
import { ask } from "../../support/database.ts";
import { createProcedureCrash, type ProcedureCrash, type StageBoundary } from "../../support/procedureCrash.ts";
import { ROLLBACK } from "./stageBoundaries.ts";

export type RollbackBoundary = keyof typeof ROLLBACK;

const REGISTRATIONS = `
  select id, name, status, created_at::text, platform.decrypt_database_connection_string(id) as secret
    from platform.databases order by name`;
const BY_HAND = `
  insert into platform.databases (project_id, name, type, host, port, connection_string, status)
  select id, 'By hand', 'redis', 'other.railway.internal', 6379, 'redis://other:canary@other.railway.internal:6379', 'maintenance' from platform.projects`;

/** The platform with a registration that the program does not know. */
export async function createRegistry(server: string): Promise<ProcedureCrash> {
  const crash = await createProcedureCrash({
    server,
    config: { "pgstrata:allowPlaceholders": "true", "pgstrata:backupFolder": "backups" },
  });
  await crash.stack.succeed("up", "--yes", "--skip-preview");
  await ask(crash.url, BY_HAND);
  await crash.keep();
  return crash;
}

/** @param next what comes after the kill: the same rollback and its undo, or an undo alone. */
export async function killRollbackAt(
  crash: ProcedureCrash,
  name: RollbackBoundary,
  next: "rollback" | "undo",
): Promise<string[]> {
  const boundary: StageBoundary = ROLLBACK[name];
  const before = JSON.stringify(await ask(crash.url, REGISTRATIONS));
  await crash.killAt(["rollback", "databases", "--yes"], boundary);
  const problems: string[] = [];
  const output: string[] = [];
  const must = async (...command: string[]): Promise<void> => {
    const ended = await crash.recover(command);
    output.push(ended.output);
    if (ended.exitCode !== 0) problems.push(`${command.join(" ")} failed:\n${ended.output}`);
  };
  if (next === "rollback") await must("rollback", "databases", "--yes");
  await must("rollback", "undo", "--yes");
  const isArchived = !name.startsWith("before");
  const says = next === "undo" ? /3 registrations are in the archive/ : /3 registrations of a rollback before this one/;
  if (isArchived && !says.test(output.join("\n")))
    problems.push(`it does not say what it found:\n${output.join("\n")}`);
  if (problems.length === 0) {
    const after = JSON.stringify(await ask(crash.url, REGISTRATIONS));
    if (after !== before) problems.push(`registrations are not as they were:\n${before}\n${after}`);
    const preview = await crash.stack.run("preview", "--expect-no-changes");
    if (preview.exitCode !== 0) problems.push(`something is left to do:\n${preview.output}`);
    problems.push(...(await crash.backupProblems()));
  }
  return problems.map((each) => `${name}, then ${next}: ${each}`);
}
