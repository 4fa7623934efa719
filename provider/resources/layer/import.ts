/** How existing objects become a layer: the import id, and everything that is there as adopted. */
import { NOTHING_KEPT } from "../../catalog/kept.ts";
import { named } from "../../catalog/objectNames.ts";
import { encodeId } from "../../catalog/pgDelta.ts";
import { undeclaredPublicGrants } from "../../contribution/publicGrants.ts";
import { present } from "../../contribution/record.ts";
import { UserError } from "../../core/errors.ts";
import type { CallContext, Properties, ResourceState } from "../../core/resourceType.ts";
import { planStatements } from "../../plan/planStatements.ts";
import { checkInputs } from "./inputs.ts";
import { layerOutputs } from "./outputs.ts";
import type { LayerRuntime } from "./runtime.ts";
import { resolveTransition } from "./transition.ts";

/**
 * `pulumi import pgstrata:index:Layer rls
 * 'rls?files=sql/rls/permissive&base=platform:sql/platform&roles=studio_app'`: what the files declare and the
 * database has becomes adopted.
 */
export async function importLayer(
  runtime: LayerRuntime,
  context: CallContext,
  id: string,
): Promise<ResourceState | undefined> {
  const inputs = fromImportId(id);
  const checked = checkInputs(inputs);
  if ("failures" in checked) throw malformed(id);
  const layer = checked.inputs;
  const sources = await runtime.sources(layer);
  const contribution = await runtime.contribution(layer, sources);
  const { facts, serverVersion } = await runtime.live.get();
  const meaning = { inputs: layer, sources, contribution, earlier: undefined, ledger: undefined };
  const database = { facts, kept: NOTHING_KEPT };
  const { live, desired, renames, record } = await resolveTransition(runtime, meaning, database, context.report.warn);
  if (Object.keys(record.added).length > 0 && present(live, record).length === 0) return undefined;
  const missing = renames.length + planStatements(live, desired).statements.length;
  if (missing > 0) context.report.info(`${missing} statements are needed to complete it; \`pulumi up\` runs them`);
  const open = undeclaredPublicGrants(live, (key) => key in record.added, new Set(Object.keys(record.added)));
  if (open.length > 0) {
    const names = named(open.map(({ id }) => encodeId(id))).join(", ");
    context.report.warn(
      `PUBLIC has privileges that the files do not grant, and an import leaves them in place: ${names}. Revoke them by hand if they are not intended; an update that adopts the objects would revoke them.`,
    );
  }
  const news = { ...inputs, digest: sources.digest, baseDigest: sources.baseDigest };
  const outputs = {
    ...layerOutputs(news, contribution, record, { statements: 0, elapsedMs: 0, serverVersion }, []),
    drift: named(Object.keys(record.added).filter((key) => facts.getByEncoded(key) === undefined)),
  };
  return { id: layer.name, inputs: news, outputs };
}

function malformed(id: string): UserError {
  return new UserError(
    "PS601",
    `Found the import id "${id}", expected "<name>?files=<path>" with, where the layer has them, "&base=<name>:<path>", "&assumes=<path>" and "&roles=<role>", such as ` +
      '"rls?files=sql/rls/permissive&base=platform:sql/platform".',
  );
}

/** The parts of an import id; each may be given more than once. */
function fromImportId(id: string): Properties {
  const [name = "", query = ""] = id.split("?", 2);
  const parts = new URLSearchParams(query);
  const base = parts.getAll("base").map((text) => {
    const [layer, ...path] = text.split(":");
    return { name: layer ?? "", files: [path.join(":")] };
  });
  return {
    name,
    files: parts.getAll("files"),
    ...(base.length === 0 ? {} : { base }),
    ...(parts.has("assumes") ? { assumes: parts.getAll("assumes") } : {}),
    ...(parts.has("roles") ? { roles: parts.getAll("roles") } : {}),
  };
}
