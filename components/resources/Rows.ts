/**
 * The arguments and outputs of a set of rows as programs see them. The provider reads the file and writes the
 * rows; nothing here knows a table.
 */
import * as pulumi from "@pulumi/pulumi";
import type { Columns } from "./Row.ts";

interface RowsCommonArgs {
  /** Schema-qualified name of the table, such as `app.countries`. A change replaces the set. */
  table: pulumi.Input<string>;

  /**
   * Columns that identify a row, each given in all rows; a unique constraint or index holds on them, or on
   * some of them. A row that exists already is adopted. A change of the key changes no row.
   * @example key: ["code"]
   */
  key: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * Deletes the rows of the table that are not in the set, its own or not; refused while other rows refer
   * to them, and where the set is empty. Without it, an update deletes nothing.
   * @default false
   */
  exclusive?: pulumi.Input<boolean>;

  /**
   * Columns that hold secrets. Their values reach the database as bind parameters, are compared inside the
   * database, and are never read out or printed. With them, `rows` is encrypted in the state; those of a file
   * are not in it.
   * @default []
   */
  secretColumns?: pulumi.Input<pulumi.Input<string>[]>;

  /**
   * How a secret is compared where the stored form differs: column name to an SQL expression over the row, as
   * for a `Row`.
   * @default the column itself
   * @example compareWith: { token: "app.decrypt(id)" }
   */
  compareWith?: pulumi.Input<Record<string, pulumi.Input<string>>>;

  /**
   * Columns written when a row is inserted and left alone afterwards. An adopted row keeps its own values.
   * @default []
   */
  initialColumns?: pulumi.Input<pulumi.Input<string>[]>;
}

export interface GivenRowsArgs extends RowsCommonArgs {
  /** The rows, all with the same columns. They are kept in the state; a file is not. */
  rows: pulumi.Input<Columns>[];
  file?: undefined;
  nullText?: undefined;
}

export interface FileRowsArgs extends RowsCommonArgs {
  /**
   * Path of a file with the rows, from the project directory. `.csv`: the first line names the columns;
   * `.json`: a list of objects; `.ndjson` or `.jsonl`: one object a line. In UTF-8.
   * @example file: "data/countries.csv"
   */
  file: pulumi.Input<string>;

  /**
   * What stands for NULL in a CSV file, where it is not in quotes.
   * @default the empty field
   */
  nullText?: pulumi.Input<string>;
  rows?: undefined;
}

export type RowsArgs = GivenRowsArgs | FileRowsArgs;

/**
 * A set of rows of one table, held as desired state in one resource: reference data, plans, settings.
 *
 * ```ts new Rows("countries", { table: "app.countries", key: ["code"], file: "data/countries.csv", exclusive:
 * true, }, { provider: target, dependsOn: layer }); ```
 *
 * A destroy deletes the rows that the resource made and leaves those that were there before; it is refused
 * while that would cascade into rows that are not of this stack.
 */
export class Rows extends pulumi.CustomResource {
  /** Number of rows in the set. */
  declare readonly rowCount: pulumi.Output<number>;
  /** Number of rows in the set that existed before. */
  declare readonly adopted: pulumi.Output<number>;
  /** What differed at the last refresh. */
  declare readonly drift: pulumi.Output<string[]>;

  constructor(name: string, args: RowsArgs, opts: pulumi.CustomResourceOptions = {}) {
    super(
      "pgstrata:index:Rows",
      name,
      {
        table: args.table,
        key: args.key,
        rows: args.rows && args.secretColumns ? pulumi.secret(args.rows) : args.rows,
        file: args.file,
        nullText: args.nullText,
        exclusive: args.exclusive,
        secretColumns: args.secretColumns,
        compareWith: args.compareWith,
        initialColumns: args.initialColumns,
        rowCount: undefined,
        adopted: undefined,
        made: undefined,
        digest: undefined,
        drift: undefined,
      },
      opts,
    );
  }
}
