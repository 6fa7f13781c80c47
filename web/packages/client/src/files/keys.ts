import type { ParticipantId } from "../protocol.ts";

/** In the tab's session storage: transfers that outlive a reload of the page. */
export const KEPT_TRANSFERS = "moim.transfers";

/** Key in `FilesState.withdrawn`: nobody takes back what another one offers. */
export function withdrawnKey(from: ParticipantId, file: string): string {
  return `${from} ${file}`;
}
