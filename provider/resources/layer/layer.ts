/** Which file answers which call about a layer. */
import type { ResourceType } from "../../core/resourceType.ts";
import type { Session } from "../session.ts";
import { check } from "./check.ts";
import { removeLayer } from "./delete.ts";
import { diff } from "./diff.ts";
import { put } from "./put.ts";
import { read } from "./read.ts";
import { LayerRuntime } from "./runtime.ts";

/**
 * `pgstrata:index:Layer`: a set of SQL files held as desired state. See the package schema for its
 * properties.
 *
 * @param projectDirectory where relative paths start and where the project-local home lies.
 */
export function createLayer(session: Session, projectDirectory = process.cwd()): ResourceType {
  const runtime = new LayerRuntime(session, projectDirectory);
  session.onClose(() => runtime.close());
  const explained = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw runtime.explainFailure(error);
    });
  return {
    token: "pgstrata:index:Layer",
    check: (context, olds, news) => explained(check(runtime, context, olds, news)),
    diff: (context, state, news) => explained(diff(runtime, context, state, news)),
    create: async (context, news) => ({
      id: typeof news.name === "string" ? news.name : "",
      outputs: await explained(put(runtime, context, news)),
    }),
    read: (context, state) => explained(read(runtime, context, state)),
    update: (context, state, news) => explained(put(runtime, context, news, state)),
    delete: (context, state) => explained(removeLayer(runtime, context, state)),
  };
}
