import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createClient } from "./client/index.ts";
import { App } from "./ui/app.tsx";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App client={createClient()} />
    </StrictMode>,
  );
}
