// Digests of a file's blocks, and the root of them.

export type Digest = Uint8Array<ArrayBuffer>;

const DIGEST_BYTES = 32;

export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<Digest> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

/** SHA-256 over the digests, in hex. */
export async function rootOf(digests: readonly Digest[]): Promise<string> {
  const all = new Uint8Array(digests.length * DIGEST_BYTES);
  digests.forEach((digest, i) => {
    all.set(digest, i * DIGEST_BYTES);
  });
  return hex(await digestOf(all));
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
