/**
 * Which safe but doubtful definitions of a layer deserve a warning. What is refused is decided in
 * `shadow/unmanaged.ts` and `plan/hazards.ts`.
 */
import { describe } from "../catalog/objectNames.ts";
import { encodeId, type Fact, type StableId } from "../catalog/pgDelta.ts";
import type { ErrorCode } from "../core/errorCodes.ts";
import { PINNED_SEARCH_PATH } from "../core/searchPath.ts";
import type { Contribution } from "./contribution.ts";

/** A thing that works but that a careful reader would object to. */
export interface Finding {
  code: Extract<ErrorCode, "PS101" | "PS102">;
  message: string;
}

/** A printed path whose one `pg_temp` is its last: the server looks there first where it is not named. */
const TEMPORARY_LAST = /^(?!.*'pg_temp'.*,)(?:.*, )?'pg_temp'$/;

/** What is worth a warning in what a layer adds. */
export function lint({ added, linked }: Contribution): Finding[] {
  const members = new Set(
    linked.filter((edge) => edge.kind === "memberOfExtension").map((edge) => encodeId(edge.from)),
  );
  const publicly = new Set(added.filter(isExecutableByAll).map((fact) => encodeId(targetOf(fact.id))));
  return added
    .filter((fact) => isDefinerFunction(fact) && !members.has(encodeId(fact.id)))
    .flatMap((fact) => {
      const name = describe(fact.id);
      const findings: Finding[] = [];
      const path = /^\s*SET search_path TO (.*)$/m.exec(String(fact.payload.def))?.[1];
      if (path === undefined || !TEMPORARY_LAST.test(path)) {
        const why =
          path === undefined
            ? "does not pin search_path: the caller's search_path decides what its names mean"
            : "does not name pg_temp as the last of its search_path: what is not named comes first for types and tables, so a caller's own type takes the place of one of the body";
        findings.push({
          code: "PS101",
          message: `${name} runs with its owner's rights and ${why}. Add \`set search_path = ${PINNED_SEARCH_PATH}\` and qualify the names.`,
        });
      }
      if (publicly.has(encodeId(fact.id))) {
        findings.push({
          code: "PS102",
          message: `${name} runs with its owner's rights and everyone may call it. Add \`revoke execute on function … from public\` and grant it to those who need it.`,
        });
      }
      return findings;
    });
}

function isDefinerFunction({ id, payload }: Fact): boolean {
  return (
    (id.kind === "function" || id.kind === "procedure") && /^\s*(.* )?SECURITY DEFINER\b/m.test(String(payload.def))
  );
}

function isExecutableByAll({ id, payload }: Fact): boolean {
  return (
    id.kind === "acl" &&
    id.grantee === "PUBLIC" &&
    Array.isArray(payload.privileges) &&
    payload.privileges.includes("EXECUTE")
  );
}

function targetOf(id: StableId): StableId {
  return id.kind === "acl" ? id.target : id;
}
