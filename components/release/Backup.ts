/**
 * The backup before each change, as the last part of a program. The provider takes it; which mode, folder and
 * proof it uses are arguments of `resources/Provider.ts`.
 */
import * as pulumi from "@pulumi/pulumi";
import { Backup as BackupRecord } from "../resources/Backup.ts";

export interface BackupArgs {
  /** All that changes the database, so that the record is of the whole run. */
  after: pulumi.Resource[];
}

/**
 * Keeps in the state what is known of the last backup.
 *
 * ```ts
 * const backup = new Backup("backup", { after: [platform, tenant] }, { providers: [target] });
 * ```
 *
 * A run that changes nothing takes none, and this stays as it is. Removing it removes no backup, and no run
 * gets around its own: that is a setting of the provider.
 */
export class Backup extends pulumi.ComponentResource {
  readonly record: BackupRecord;

  constructor(name: string, { after }: BackupArgs, opts: pulumi.ComponentResourceOptions = {}) {
    super("pgstrata:components:Backup", name, {}, opts);
    this.record = new BackupRecord(name, { parent: this, dependsOn: after });
    this.registerOutputs({ takenAt: this.record.takenAt });
  }
}
