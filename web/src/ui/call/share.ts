/** Copying and sharing the room's link. */
import { useCopy } from "../invite/use-copy.ts";
import { roomLink } from "../router.ts";

/** Copies the room's link, or another one. */
export function useCopyLink(room: string, link = roomLink(room)) {
  return useCopy(link);
}

/** Opens the system's share sheet. Dismissing it is not an error. */
export async function shareLink(room: string): Promise<void> {
  try {
    await navigator.share({ title: room, url: roomLink(room) });
  } catch {
    // Dismissed.
  }
}
