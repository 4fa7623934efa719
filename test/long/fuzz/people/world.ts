import type { Draw } from "../draw.ts";
import { type Item, needsOf } from "./items.ts";
import { objectName } from "./names.ts";
import type { Column, Relation, Routine, Scope } from "./scope.ts";
import type { Field, SqlType } from "./types.ts";

export interface Table extends Relation {
  /** May be renewed by triggers of each row, and have foreign keys. */
  isPartitioned: boolean;
}

/** What a schema has so far. */
export class World {
  readonly items: Item[] = [];
  readonly types: SqlType[] = [];
  readonly tables: Table[] = [];
  readonly relations: Relation[] = [];
  readonly routines: Routine[] = [];
  readonly major: number;
  private keys = 0;
  private aliases = 0;

  constructor(major: number) {
    this.major = major;
  }

  add(kind: string, sql: string, more: Partial<Item> = {}): Item {
    const item: Item = { key: this.keys++, kind, sql, name: "", needs: needsOf(sql, this.items), ...more };
    const { again } = more;
    const [relations, routines, types] = [this.relations.length, this.routines.length, this.types.length];
    if (again !== undefined) item.again = (draw) => this.asOf({ relations, routines, types }, () => again(draw));
    this.items.push(item);
    return item;
  }

  /** Does something while only what was there at a time is known. */
  private asOf<T>(counts: { relations: number; routines: number; types: number }, work: () => T): T {
    const later = [
      this.relations.splice(counts.relations),
      this.routines.splice(counts.routines),
      this.types.splice(counts.types),
    ] as const;
    const made = work();
    this.relations.push(...later[0]);
    this.routines.push(...later[1]);
    this.types.push(...later[2]);
    return made;
  }

  /** A name in one of the schemas. */
  name(draw: Draw, prefix: string): string {
    return `${draw.chance(80) ? "app" : '"Odd Schema"'}.${objectName(draw, prefix, this.keys)}`;
  }

  /** A name of what hangs on a table. */
  plainName(draw: Draw, prefix: string): string {
    return objectName(draw, prefix, this.keys);
  }

  /** Where an expression about these columns stands. */
  scope(draw: Draw, columns: readonly Column[], more: Partial<Scope> = {}): Scope {
    const { relations, routines, types, major } = this;
    const alias = (): string => `q${++this.aliases}`;
    return { draw, columns, relations, routines, types, rows: [], immutable: false, major, alias, ...more };
  }
}

export const bare = (fields: readonly Field[]): Column[] => fields.map(({ name, type }) => ({ ref: name, type }));

export const prefixed = (prefix: string, fields: readonly Field[]): Column[] =>
  fields.map(({ name, type }) => ({ ref: `${prefix}.${name}`, type }));
