/** What the types of a database are made of: relations, columns, functions, as the catalog has them. */

/** One column, attribute or argument. */
export interface Column {
  name: string;
  /** Of `pg_type`. */
  type: number;
  isNullable: boolean;
  /** Whether a row may be inserted without it. */
  hasDefault: boolean;
  /** Whether no statement may give it a value: generated, or `GENERATED ALWAYS AS IDENTITY`. */
  isFixed: boolean;
  /** The values that its checks allow; undefined where they name none. */
  values: string[] | undefined;
  comment: string | undefined;
}

export interface Relation {
  schema: string;
  name: string;
  isTable: boolean;
  comment: string | undefined;
  columns: Column[];
}

export interface DatabaseFunction {
  schema: string;
  name: string;
  comment: string | undefined;
  /** Input arguments; those without a name have an empty one. */
  args: Column[];
  /** The columns of a result that is a row; undefined for a single value. */
  columns: Column[] | undefined;
  /** Of `pg_type`; of a single value. */
  type: number;
  returnsSet: boolean;
  isProcedure: boolean;
}

/** A row of `pg_type`. */
export interface CatalogType {
  oid: number;
  schema: string;
  name: string;
  kind: string;
  /** Of an array; 0 for any other type. */
  element: number;
  /** Of a domain; 0 for any other type. */
  base: number;
  /** Of an enum, in their order. */
  labels: string[];
  /** The values that a domain's checks allow. */
  values: string[] | undefined;
}

export interface DatabaseModel {
  relations: Relation[];
  functions: DatabaseFunction[];
  types: ReadonlyMap<number, CatalogType>;
}
