/** Asks the server to judge facts: it has the rules and the words. */
import type { Facts, Finding } from "./facts.ts";

/**
 * Findings about these facts in a language.
 *
 * @param probe One-time id of a test that the operator follows, who is told them too.
 */
export async function judge(
  facts: Facts,
  language: string,
  signal: AbortSignal,
  probe?: string,
): Promise<Finding[]> {
  const follower = probe ? `&probe=${encodeURIComponent(probe)}` : "";
  const path = `/api/doctor/judge?lang=${language}${follower}`;
  const response = await post(path, facts, signal);
  return ((await response.json()) as { findings: Finding[] }).findings;
}

/** Sends facts to the host, who sees them for a week. */
export async function sendReport(facts: Facts, withAddresses: boolean): Promise<void> {
  await post("/api/doctor/reports", { facts, withAddresses }, AbortSignal.timeout(10_000));
}

/** Sends JSON; throws if it is not accepted. */
export async function post(path: string, body: unknown, signal: AbortSignal): Promise<Response> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    signal,
  });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}
