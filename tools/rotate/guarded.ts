/** A run of this process that changes what a stack has: it passes the stack's gate, as an update does. */
import { UserError } from "../../provider/core/errors.ts";
import { fullReport } from "../../provider/gate/report.ts";
import type { Session } from "../../provider/resources/session.ts";
import { askGate } from "../lib/gateReport.ts";
import type { Place } from "../rollback/target.ts";

/** Declares the gate of the program, which is asked: it knows the checks and their settings. */
export function declareGate(session: Session, { folder, env, stack }: Place): void {
  session.record.gate = {
    desired: "",
    pass: async () => {
      const report = await askGate(folder, stack, env);
      if (report.verdict === "NO-GO")
        throw new UserError("PS802", `NO-GO. Nothing was changed.\n${fullReport(report)}`);
      return report.plan ?? "";
    },
  };
}
