/** The API with the session of whoever is signed in. */
import { createContext, use } from "react";
import type { AdminApi } from "../../admin/admin-api.ts";

export const AdminContext = createContext<AdminApi | null>(null);

export function useAdminApi(): AdminApi {
  const api = use(AdminContext);
  if (!api) throw new Error("useAdminApi needs an AdminContext above it");
  return api;
}
