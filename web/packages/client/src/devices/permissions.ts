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

/**
 * Calls `onGranted` each time that a permission is given, as in the browser's own settings, until
 * `signal` aborts.
 */
export async function watchPermissions(
  permissions: Permissions | undefined,
  onGranted: (kind: InputKind) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const kind of ["microphone", "camera"] as const) {
    try {
      const status = await permissions?.query({ name: kind as PermissionName });
      const onChange = () => {
        if (status?.state === "granted") onGranted(kind);
      };
      status?.addEventListener?.("change", onChange, { signal });
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
