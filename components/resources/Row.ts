/**
 * The arguments and outputs of a row as programs see them. The provider finds, compares and writes the row;
 * nothing here knows a table.
 */
import * as pulumi from "@pulumi/pulumi";
import { withReferences } from "../program/errorCodes.ts";

/** A value of a column as a program gives it. Objects and arrays go to `json` and `jsonb` columns. */
export type ColumnValue = null | boolean | number | string | JsonArray | JsonObject;
export type JsonArray = pulumi.Input<ColumnValue>[];
export interface JsonObject {
  [key: string]: pulumi.Input<ColumnValue>;
}

/** Column name to value. */
export type Columns = Record<string, pulumi.Input<ColumnValue>>;

/** Column name to secret text. */
export type SecretColumns = Record<string, pulumi.Input<string>>;

export interface RowArgs {
  /** Schema-qualified name of the table, such as `platform.organizations`. A change replaces the row. */
  table: pulumi.Input<string>;

  /**
   * Columns that identify the row; they may match one row at most. A row that exists already is adopted. A
   * change replaces the row: the old one is deleted, unless it was adopted.
   * @example key: { slug: "lancio" }
   */
  key: pulumi.Input<Columns>;

  /**
   * Columns held at these values: a difference shows in the preview and is put right by the update. A column
   * that leaves the list keeps its value.
   * @default {}
   */
  values?: pulumi.Input<Columns>;

  /**
   * Columns held at secret values. They reach the database as bind parameters, are compared inside the
   * database, and are never read out or printed.
   * @default {}
   */
  secretValues?: pulumi.Input<SecretColumns>;

  /**
   * How a secret is compared where the stored form differs: column name to an SQL expression over the row.
   * It names functions with their schema, and those have a `search_path` of their own.
   * @default the column itself
   * @example compareWith: { connection_string: "platform.decrypt_database_connection_string(id)" }
   */
  compareWith?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /**
   * What is accepted in the place of a given value, because others may change it: column name to an SQL
   * expression over the row. In it, `{column}` stands for the value that `values` or `secretValues` give.
   * Where it gives a text, the column stays as the database has it, and the text is shown, so it holds no
   * secret; null refuses.
   * @default nothing
   * @example accepts: { token: "app.rotation_note(id, {token})" }
   */
  accepts?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /**
   * Columns written when the row is created and left alone afterwards. An adopted row keeps its own values.
   * @default {}
   */
  initialValues?: pulumi.Input<Columns>;

  /**
   * Secret columns written when the row is created and left alone afterwards: a password that people may
   * change, a salt that must never change. An adopted row keeps its own values.
   * @default {}
   */
  initialSecretValues?: pulumi.Input<SecretColumns>;

  /**
   * Columns to give out in `columns`. They are not secret: never name a column that holds a secret.
   * @default []
   */
  returning?: pulumi.Input<pulumi.Input<string>[]>;
}

/**
 * One row of a table, held as desired state.
 *
 * ```ts
 * new Row("lancio", {
 *   table: "platform.organizations",
 *   key: { slug: "lancio" },
 *   initialValues: { name: "Lancio" },
 * }, { provider: target });
 * ```
 *
 * A destroy deletes the row, unless it was adopted, and is refused while that would cascade into rows that
 * are not of this stack.
 */
export class Row extends pulumi.CustomResource {
  /** The columns named in `returning`, as text or JSON. */
  declare readonly columns: pulumi.Output<Record<string, unknown>>;
  /** Whether the row existed before. */
  declare readonly adopted: pulumi.Output<boolean>;
  /** What differed at the last refresh. */
  declare readonly drift: pulumi.Output<string[]>;

  constructor(name: string, args: RowArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Row",
      name,
      {
        table: args.table,
        key: args.key,
        values: args.values,
        secretValues: args.secretValues && pulumi.secret(args.secretValues),
        compareWith: args.compareWith,
        accepts: args.accepts,
        initialValues: args.initialValues,
        initialSecretValues: args.initialSecretValues && pulumi.secret(args.initialSecretValues),
        returning: args.returning,
        columns: undefined,
        adopted: undefined,
        drift: undefined,
      },
      pulumi.mergeOptions(opts, { additionalSecretOutputs: ["secretValues", "initialSecretValues"] }),
    );
  }

  /** One of the columns named in `returning`, as text. */
  column(name: string): pulumi.Output<string> {
    return this.columns.apply((columns: Record<string, unknown> | undefined) => {
      // A destroy that runs the program, of a row that is gone: what depends on it is not made either.
      if (columns === undefined) return "";
      const value = columns[name];
      if (typeof value !== "string") {
        throw new pulumi.ResourceError(
          withReferences(`column "${name}" is not among the outputs: name it under "returning"`, ["PS617"]),
          this,
          true,
        );
      }
      return value;
    });
  }
}
