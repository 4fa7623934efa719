/** Tells a webhook how an update goes. A webhook that does not answer is a warning and stops nothing. */
import type { RunReport } from "./report.ts";

const TIMEOUT_MS = 5_000;

/** @returns why it was not told; never with the URL, which is a secret. */
export async function notify(
  url: string,
  event: "start" | "end" | "FAIL",
  { stack, result, digest, startedAt, elapsedMs, stages, stays, errors }: RunReport,
): Promise<string | undefined> {
  const stage = stages.findLast(({ status }) => status !== "open" && status !== "skipped")?.name ?? "";
  const text = `${stack}: ${event === "start" ? "an update begins" : `${result} at ${stage}. ${stays}`}`;
  const body = JSON.stringify({ ...{ event, stack, result, stage, digest, startedAt, elapsedMs, errors, text } });
  try {
    const { ok, status } = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
      redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return ok ? undefined : `the webhook of notifyUrl answered ${status}`;
  } catch (error) {
    const isLate = error instanceof Error && error.name === "TimeoutError";
    return `the webhook of notifyUrl ${isLate ? `did not answer in ${TIMEOUT_MS / 1000} s` : "cannot be reached"}`;
  }
}
