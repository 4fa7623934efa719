import type { Draw } from "../draw.ts";
import type { Item } from "./items.ts";
import {
  addCheck,
  addExclusion,
  addIndex,
  addPartitioned,
  addPolicy,
  addPublication,
  addSimpleView,
  addTrigger,
  addView,
} from "./objects.ts";
import { addRoutine, addRule, addScalar, addTriggerFunction } from "./routines.ts";
import { addTable } from "./tables.ts";
import { SERVER_TYPES, typeOf } from "./types.ts";
import { addDomain, addType } from "./userTypes.ts";
import { World } from "./world.ts";

/** A schema as people write it: types, functions, tables, and an item for each further list of choices. */
export function drawSchema(lists: readonly Draw[], major: number): World {
  const world = new World(major);
  const [first, ...rest] = lists;
  if (first === undefined) return world;
  world.types.push(...SERVER_TYPES);
  world.add("schema", "create schema app");
  world.add("schema", 'create schema "Odd Schema"');
  const place = first.one(["public", "public", '"Odd Schema"']);
  if (first.chance(50)) addCitext(world, place);
  // Its hundreds of functions make each reading of a catalog slow.
  if (first.chance(30))
    world.add("extension", "create extension btree_gist with schema public", { name: "public.btree_gist" });
  const next = (): Draw => rest.shift() ?? first;
  const types = 2 + first.below(4);
  for (let n = 0; n < types; n++) addType(world, next());
  const scalars = 1 + first.below(2);
  for (let n = 0; n < scalars; n++) addScalar(world, next());
  const tables = 2 + first.below(3);
  for (let n = 0; n < tables; n++) addTable(world, next());
  const routine = addTriggerFunction(world);
  for (const draw of rest.splice(0)) addAny(world, draw, routine);
  return world;
}

/** One more thing of any kind. */
export function addAny(world: World, draw: Draw, routine: string): Item | undefined {
  const before = world.items.length;
  const table = draw.pick(world.tables);
  if (table === undefined) return undefined;
  switch (draw.below(26)) {
    case 0:
    case 1:
    case 2:
    case 3:
      addCheck(world, draw, table);
      break;
    case 4:
    case 5:
    case 6:
      addIndex(world, draw, table);
      break;
    case 7:
    case 8:
      addPolicy(world, draw, table);
      break;
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
    case 14:
    case 15:
      addView(world, draw);
      break;
    case 16:
      addSimpleView(world, draw, table);
      break;
    case 17:
      addExclusion(world, draw, table);
      break;
    case 18:
      addTrigger(world, draw, table, routine);
      break;
    case 19:
      addRule(world, draw, table);
      break;
    case 20:
    case 21:
      addRoutine(world, draw, table);
      break;
    case 22:
      addPartitioned(world, draw);
      break;
    case 23:
      addPublication(world, draw, table);
      break;
    case 24:
      addDomain(world, draw);
      break;
    default:
      addScalar(world, draw);
  }
  return world.items[before];
}

function addCitext(world: World, place: string): void {
  world.add("extension", `create extension citext with schema ${place}`, { name: `${place}.citext` });
  const citext = typeOf(`${place}.citext`, "text", ["'a'", "'b'", "'It''s'"]);
  world.types.push(citext, citext, citext);
}
