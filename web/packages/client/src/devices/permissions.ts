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

/** Calls `onGranted` each time that a permission is given, as in the browser's own settings. */
export async function watchPermissions(
  permissions: Permissions | undefined,
  onGranted: (kind: InputKind) => void,
): Promise<void> {
  for (const kind of ["microphone", "camera"] as const) {
    try {
      const status = await permissions?.query({ name: kind as PermissionName });
      status?.addEventListener?.("change", () => {
        if (status.state === "granted") onGranted(kind);
      });
    } catch {
      // The browser does not report it: a press tries again.
    }
  }
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
