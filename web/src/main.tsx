import { createClient } from "moim-client";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./ui/app.tsx";
import { followAppearance } from "./ui/appearance.ts";
import { type Catalogue, loadInitialCatalogue } from "./ui/i18n/context.tsx";

followAppearance();
// Connects while the texts are on their way.
const client = createClient();
// No `await` here: scripts that share code with this one would wait for it.
void loadInitialCatalogue().then(render);

function render(catalogue: Catalogue): void {
  const root = document.getElementById("root");
  if (!root) return;
  createRoot(root).render(
    <StrictMode>
      <App client={client} catalogue={catalogue} />
    </StrictMode>,
  );
}
