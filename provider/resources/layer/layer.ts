import type { ResourceType } from "../../core/resourceType.ts";
import type { Session } from "../session.ts";
import { check } from "./check.ts";
import { removeLayer } from "./delete.ts";
import { diff } from "./diff.ts";
import { put } from "./put.ts";
import { read } from "./read.ts";
import { LayerWorld } from "./runtime.ts";

/**
 * `pgstrata:index:Layer`: a set of SQL files held as desired state. See the package schema for its properties.
 *
 * @param projectDirectory where relative paths start and where the project-local home lies.
 */
export function createLayer(session: Session, projectDirectory = process.cwd()): ResourceType {
  const world = new LayerWorld(session, projectDirectory);
  session.onClose(() => world.close());
  const explained = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw world.explainFailure(error);
    });
  return {
    token: "pgstrata:index:Layer",
    check: (context, olds, news) => explained(check(world, context, olds, news)),
    diff: (context, state, news) => explained(diff(world, context, state, news)),
    create: async (context, news) => ({
      id: typeof news.name === "string" ? news.name : "",
      outputs: await explained(put(world, context, news)),
    }),
    read: (context, state) => explained(read(world, context, state)),
    update: (context, state, news) => explained(put(world, context, news, state)),
    delete: (context, state) => explained(removeLayer(world, context, state)),
  };
}
