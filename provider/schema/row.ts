/**
 * The properties of `Row` in the package schema. The program's own class, with longer docs, is
 * `components/resources/Row.ts`.
 */
import { anyMap, flag, type ResourceSpec, text, textMap, texts } from "./property.ts";

export const row: ResourceSpec = {
  description:
    "One row held as desired state. It is found by its key: a row that exists is adopted, and only the columns that differ are set. Secrets are bind parameters, are compared inside the database and are never read out. Columns that are not named are left alone. Deleting the resource deletes the row, unless it was adopted; it refuses while other rows that are not part of the program refer to it.\n\nImport takes an id such as `platform.organizations/slug=lancio` and takes over table and key only; name the columns to be held in the program.",
  properties: {
    table: {
      type: text,
      required: true,
      replaces: true,
      description: "Schema and name of the table, such as `platform.organizations`. A change of it replaces the row.",
    },
    key: {
      type: anyMap,
      required: true,
      replaces: true,
      description:
        'Columns and values that identify the row, such as `{ slug: "lancio" }`; at most one row may have them. A change of it replaces the row.',
    },
    values: {
      type: anyMap,
      description:
        "Columns and their values. Objects and lists go to json and jsonb columns, lists also to array columns; whole numbers beyond 2^53 are given as strings. A column that is taken out again keeps its value in the database. Not for secrets: previews show them. Default none.",
    },
    secretValues: {
      type: textMap,
      secret: true,
      description: "Columns and their secret values. Default none.",
    },
    compareWith: {
      type: textMap,
      description:
        'For a secret that is stored in another form: an SQL expression on the row that gives the plain form, such as `{ connection_string: "platform.decrypt_database_connection_string(id)" }`. It is evaluated inside the database, with `search_path` = pg_catalog. Default: the column itself.',
    },
    accepts: {
      type: textMap,
      description:
        "What is accepted in the place of a given value, because others may change it: column name to an SQL expression on the row. In it, `{column}` stands for the value that values or secretValues give. Where it gives a text, the column stays as the database has it, and the text is shown; null refuses. Default: nothing.",
    },
    initialValues: {
      type: anyMap,
      description:
        "Columns that are set when the row is created and left alone afterwards. A later change does nothing. Default none.",
    },
    initialSecretValues: {
      type: textMap,
      secret: true,
      description: "Like `initialValues`, for secrets. Default none.",
    },
    returning: {
      type: texts,
      description:
        "Columns to give out in `columns`, such as a generated id. Not for columns that hold secrets. Default none.",
    },
    columns: {
      type: anyMap,
      role: "output",
      description:
        "The columns of `returning`: numbers, booleans, lists and JSON as such, everything else (uuid, timestamps, bigint, numeric) as text.",
    },
    adopted: {
      type: flag,
      role: "output",
      description: "True when the row existed before the resource; a deletion leaves it.",
    },
    drift: { type: texts, role: "output", description: "Inputs that differed in the database at the last refresh." },
  },
};
