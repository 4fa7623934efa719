/**
 * The properties of `Rows` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Rows.ts`.
 */
import { anyMaps, flag, type ResourceSpec, text, textMap, texts, whole } from "./property.ts";

export const rows: ResourceSpec = {
  description:
    "A set of rows of one table held as desired state, given in the program or as a CSV or JSON file. Each is found by its key: rows that are missing are inserted, those that differ are updated, and, where the set is exclusive, rows that it does not have are deleted. All of it is one transaction. The database compares, in the types of the columns. Columns that are not named are left alone. Deleting the resource deletes the rows that it made, and leaves those that were there before; it refuses while rows that are not part of the program refer to them.\n\nImport takes an id such as `app.countries/code`, table and columns of the key, and takes over no row: the program names the rows, and those that are there are adopted.",
  properties: {
    table: {
      type: text,
      required: true,
      replaces: true,
      description: "Schema and name of the table, such as `app.countries`. A change of it replaces the set.",
    },
    key: {
      type: texts,
      required: true,
      description:
        'The columns that identify a row, such as `["code"]`. A unique constraint or index holds on them, or on some of them. A change of it changes no row.',
    },
    rows: {
      type: anyMaps,
      description:
        "The rows, each an object of column names and values, all with the same columns. Values are as those of a `Row`. Either this or `file`.",
    },
    file: {
      type: text,
      description:
        "Path of a file with the rows, from the project directory; it is streamed. `.csv`: the first line names the columns, fields are as COPY reads them, JSON and arrays as PostgreSQL writes them. `.json`: a list of objects. `.ndjson`, `.jsonl`: one object a line. In UTF-8. The state keeps a digest of it, not its rows.",
    },
    nullText: {
      type: text,
      default: "",
      description: "What stands for NULL in a CSV file, where it is not in quotes. Default: the empty field.",
    },
    exclusive: {
      type: flag,
      default: false,
      description:
        "Deletes the rows of the table that are not in the set, also those it did not make. Without it, an update deletes nothing: a row that leaves the set stays, and a deletion of the resource deletes it if the resource made it. Default false.",
    },
    secretColumns: {
      type: texts,
      description:
        "Columns that hold secrets: their values are text, are bind parameters, are compared inside the database, and are never read out or shown. Default none.",
    },
    compareWith: {
      type: textMap,
      description:
        'For a secret column that is stored in another form: an SQL expression on the row that gives the plain form, such as `{ token: "app.decrypt(id)" }`, as for a `Row`. Default: the column itself.',
    },
    initialColumns: {
      type: texts,
      description: "Columns that are set when a row is inserted and left alone afterwards. Default none.",
    },
    rowCount: { type: whole, role: "output", description: "Number of rows in the set." },
    adopted: {
      type: whole,
      role: "output",
      description: "Number of rows in the set that existed before the resource; a deletion leaves them.",
    },
    made: {
      type: text,
      role: "output",
      description: "Keys of the rows that the resource has made, packed: those that a deletion deletes.",
    },
    digest: { type: text, role: "output", description: "SHA-256 of the file at the last update." },
    drift: {
      type: texts,
      role: "output",
      description: "Keys of the first rows that differed in the database at the last refresh, with their columns.",
    },
  },
};
