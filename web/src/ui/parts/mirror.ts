/**
 * True if one's own picture is shown as in a mirror: as people know themselves, but not through the
 * camera at the back of a phone, which shows what others read.
 */
export function isMirrored(own: Pick<MediaStream, "getVideoTracks">, mirror?: string): boolean {
  const facing = own.getVideoTracks()[0]?.getSettings?.().facingMode;
  return mirror !== "off" && facing !== "environment";
}
