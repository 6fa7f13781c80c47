/** An e-mail that invites, as a `mailto:` link (RFC 6068) for the user's own mail program. */

export function mailLink(subject: string, body: string): string {
  return `mailto:?subject=${encoded(subject)}&body=${encoded(body)}`;
}

/** Line breaks are CRLF in a body (§5). */
function encoded(text: string): string {
  return encodeURIComponent(text.replace(/\r\n|\r|\n/g, "\r\n"));
}
