/** All kinds of objects that the library has no facts for, by name. */

import type { StableId } from "../pgDelta.ts";
import { columnSettings } from "./columnSettings.ts";
import { asObject, type Base, type ObjectKind } from "./kind.ts";
import { operators } from "./operators.ts";
import { rarer } from "./rarer.ts";
import { statistics } from "./statistics.ts";
import { tableSettings } from "./tableSettings.ts";
import { textSearch } from "./textSearch.ts";
import { unvalidatedNotNull } from "./unvalidatedNotNull.ts";
import { viewColumns } from "./viewColumns.ts";

export const OBJECT_KINDS: ReadonlyMap<string, ObjectKind> = new Map(
  [
    statistics,
    ...columnSettings,
    unvalidatedNotNull,
    ...viewColumns,
    ...tableSettings,
    ...textSearch,
    ...operators,
    ...rarer,
  ].map((kind) => [kind.name, kind]),
);

/** The kind of an id that is one of these. */
export const objectKind = (id: StableId | undefined): ObjectKind | undefined => {
  const object = asObject(id);
  return object === undefined ? undefined : OBJECT_KINDS.get(object.intentKind);
};

/** What a part of another object hangs on; undefined for an object of its own. */
export const baseOf = (id: StableId): Base | undefined => objectKind(id)?.base;
