/** Asks the server to judge facts: it has the rules and the words. */
import type { Facts, Finding } from "./facts.ts";

/** Findings about these facts in a language. */
export async function judge(
  facts: Facts,
  language: string,
  signal: AbortSignal,
): Promise<Finding[]> {
  const response = await post(`/api/doctor/judge?lang=${language}`, facts, signal);
  return ((await response.json()) as { findings: Finding[] }).findings;
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
