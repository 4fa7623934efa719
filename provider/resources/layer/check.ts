/**
 * The Check call of a layer: parses inputs, reads the files and has the shadow execute them. What the SQL
 * means is left to `shadow/`.
 */
import { lint } from "../../contribution/lint.ts";
import { withReferences } from "../../core/errorCodes.ts";
import { UserError } from "../../core/errors.ts";
import type { CallContext, CheckFailure, Properties } from "../../core/resourceType.ts";
import { containsUnknown, equalValues } from "../../core/values.ts";
import { locatedConversions } from "../../plan/conversions.ts";
import { SqlFileError } from "../../shadow/sqlFile.ts";
import { checkInputs } from "./inputs.ts";
import { locatedRenames } from "./renames.ts";
import type { LayerRuntime } from "./runtime.ts";
import { describeSqlError } from "./sqlError.ts";

/**
 * Reads the files and, unless they are those of the last update, executes them in the shadow: what is wrong
 * in them shows here.
 */
export async function check(
  runtime: LayerRuntime,
  { report }: CallContext,
  olds: Properties,
  news: Properties,
): Promise<{ inputs: Properties; failures: CheckFailure[] }> {
  if (containsUnknown(news)) return { inputs: news, failures: [] };
  const checked = checkInputs(news);
  if ("failures" in checked) return { inputs: news, failures: checked.failures };
  try {
    const sources = await runtime.sources(checked.inputs);
    const isSame = (["digest", "baseDigest"] as const).every((key) => olds[key] === sources[key]);
    const isDeclaredAlike = (["renames", "conversions"] as const).every((key) =>
      equalValues(olds[key] ?? null, news[key] ?? null),
    );
    if (!isSame || !isDeclaredAlike) {
      const contribution = await runtime.contribution(checked.inputs, sources);
      locatedRenames(sources, contribution);
      const ids = contribution.added.map(({ id }) => id);
      const { faults } = locatedConversions(sources.conversions, ids);
      if (faults.length > 0) throw new UserError("PS113", faults.join("\n"), { property: "files" });
      for (const { code, message } of lint(contribution)) report.warn(withReferences(`${code}: ${message}`, [code]));
    }
    return { inputs: { ...news, digest: sources.digest, baseDigest: sources.baseDigest }, failures: [] };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const described = error instanceof SqlFileError ? describeSqlError(error, checked.inputs, runtime) : error;
    return { inputs: news, failures: [...described.failures()] };
  }
}
