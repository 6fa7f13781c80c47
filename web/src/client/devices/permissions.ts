// Permissions for microphone and camera (https://www.w3.org/TR/permissions/).
import type { InputKind } from "./devices.ts";

/** Permission by kind; null if the browser does not report it. */
export type InputPermissions = Readonly<Record<InputKind, PermissionState | null>>;

export async function inputPermissions(
  permissions: Permissions | undefined,
): Promise<InputPermissions> {
  const [microphone, camera] = await Promise.all([
    permissionOf(permissions, "microphone"),
    permissionOf(permissions, "camera"),
  ]);
  return { microphone, camera };
}

async function permissionOf(
  permissions: Permissions | undefined,
  kind: InputKind,
): Promise<PermissionState | null> {
  try {
    const name = kind as PermissionName; // unknown to TypeScript and to some browsers
    return (await permissions?.query({ name }))?.state ?? null;
  } catch {
    return null;
  }
}
