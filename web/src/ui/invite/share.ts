/** Opens the system's share sheet. Dismissing it is not an error. */
export async function shareLink(room: string, url: string): Promise<void> {
  try {
    await navigator.share({ title: room, url });
  } catch {
    // Dismissed.
  }
}
