/**
 * The calls about `Backup`: it reports what the guard has done in this run, and changes nothing. When a
 * backup is taken is left to `guard/steps.ts`, and how to `backup/`.
 */
import type { DiffResult, Properties, ResourceType } from "../../core/resourceType.ts";
import type { Session } from "../session.ts";
import { backupOutputs, NOTHING_YET, OUTPUTS, unknownOutputs } from "./outputs.ts";

const ID = "backup";

export function createBackup(session: Session): ResourceType {
  const { guard, record, config } = session;
  const current = (before: Properties): Properties => ({
    ...before,
    mode: config.backup.mode,
    ...(record.backup?.record === undefined ? {} : backupOutputs(record.backup)),
  });
  return {
    token: "pgstrata:index:Backup",

    async check(_context, _olds, news) {
      const failures = Object.keys(news)
        .filter((name) => !name.startsWith("__"))
        .map((property) => ({ code: "PS601" as const, property, reason: "unknown property; expected none" }));
      return { inputs: {}, failures };
    },

    // It comes after all that changes the database, so that this run's changes are known.
    async diff(): Promise<DiffResult> {
      const { planned, made } = guard.changes;
      if (planned + made === 0) return { changed: false, detailed: {} };
      return { changed: true, detailed: { takenAt: { kind: "update", inputDiff: false } } };
    },

    async create({ preview }) {
      return preview ? { id: "", outputs: unknownOutputs() } : { id: ID, outputs: current(NOTHING_YET) };
    },

    async read(_context, { id, inputs, outputs }) {
      return { id, inputs, outputs };
    },

    async update({ preview }, { outputs }) {
      if (preview) return unknownOutputs();
      const known = Object.entries({ ...NOTHING_YET, ...outputs }).filter(([name]) => OUTPUTS.has(name));
      return current(Object.fromEntries(known));
    },

    async delete() {},
  };
}
