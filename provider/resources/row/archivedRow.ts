/**
 * A registration that a rollback of the registry has archived, and that a program makes again: it comes back
 * as it was. What that means is left to `provider/registry/`.
 */
import type { ClientBase } from "pg";
import type { Reporter } from "../../core/resourceType.ts";
import { type Archive, archivedUnder, archiveOf, keyOf, parseArchive } from "../../registry/archive.ts";
import { isRegistrations } from "../../registry/registrations.ts";
import { noteRows } from "../../verification/runWrites.ts";
import type { Session } from "../session.ts";
import type { RowInputs } from "./inputs.ts";

const KEY = ["project_id", "type", "name"];

export class ArchivedRow {
  private readonly urn: string;
  private readonly key: string;
  private readonly name: string;
  private readonly rotatedAway: { given: string; registered: string } | undefined;

  /** Whether it is one that the program had not made itself. */
  private readonly isAdopted: boolean;
  private rotations = 0;

  private constructor(urn: string, key: string, entries: Archive, inputs: RowInputs) {
    this.urn = urn;
    this.key = key;
    const { row, replaced, isAdopted } = archivedUnder(key, entries) ?? { row: {}, replaced: [], isAdopted: false };
    this.isAdopted = isAdopted;
    this.name = String(row.name);
    const given = inputs.values.get("username");
    const registered = row.username ?? "default";
    this.rotatedAway =
      typeof given === "string" && typeof registered === "string" && given !== registered && replaced.includes(given)
        ? { given, registered }
        : undefined;
  }

  /** Undefined for any row that is not in the archive of its stack. */
  static async find(session: Session, inputs: RowInputs, urn: string): Promise<ArchivedRow | undefined> {
    const { database } = session;
    const { table, key } = inputs;
    if (database === undefined || !isRegistrations(table)) return undefined;
    if (key.size !== KEY.length || KEY.some((name) => typeof key.get(name) !== "string")) return undefined;
    const entries = parseArchive(await archiveOf(urn).read(await database.pool()));
    const wanted = keyOf(Object.fromEntries(KEY.map((name) => [name, String(key.get(name))])));
    return archivedUnder(wanted, entries) && new ArchivedRow(urn, wanted, entries, inputs);
  }

  /** For a preview, which has neither the registry nor what opens the archive. */
  foretell({ info }: Pick<Reporter, "info">): void {
    info(`${this.name} is in the archive of a rollback, and comes back with its ID.${this.replacement()}`);
  }

  /**
   * To be called in the transaction that has inserted the row as it was given.
   *
   * @returns whether a destroy leaves it.
   */
  async takeBack(client: ClientBase, report: Pick<Reporter, "info" | "warn">): Promise<{ isAdopted: boolean }> {
    const { putBack } = await import("../../registry/putBack.ts");
    const back = await putBack(client, archiveOf(this.urn), undefined, this.key);
    this.rotations = back.rotations;
    const [refused] = back.refused;
    if (refused !== undefined) {
      report.warn(
        `${this.name} stays in the archive of a rollback, and is registered as it is given: ${refused.reason}`,
      );
      return { isAdopted: false };
    }
    if (back.notOpened.length === 0) {
      this.foretell(report);
      return { isAdopted: this.isAdopted };
    }
    report.warn(
      `${this.name} is in the archive of a rollback, which the salt of the registry does not open: it is registered as it is given.${
        this.rotatedAway === undefined
          ? ""
          : ` The connection string of "${this.rotatedAway.given}" was rotated away before that, and applications may be refused with it.`
      } Run \`npm run rollback -- undo\`, which opens the archive with the password of the state.`,
    );
    return { isAdopted: false };
  }

  /** To be called when that transaction has been committed. */
  noteRows({ record }: Session): void {
    noteRows(record, { schema: "platform_private", name: "credential_rotations" }, this.rotations);
  }

  private replacement(): string {
    if (this.rotatedAway === undefined) return "";
    const { given, registered } = this.rotatedAway;
    return ` The connection string of "${given}" was rotated away: where it is the one that is given, that of "${registered}" takes its place.`;
  }
}
