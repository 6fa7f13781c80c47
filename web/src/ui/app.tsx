import type { Client } from "moim-client";
import { Announcer } from "./announcer.tsx";
import { ClientContext } from "./client-context.ts";
import { MediaPreferences } from "./devices/media-preferences.tsx";
import { Home } from "./home/home.tsx";
import { type Catalogue, I18nProvider } from "./i18n/context.tsx";
import { NotFound } from "./not-found.tsx";
import { loadPart, NotLoaded } from "./parts/load-part.tsx";
import { Page } from "./parts/page.tsx";
import { Room } from "./room/room.tsx";
import { parseRoute, useAddress } from "./router.ts";
import "./style/tokens.css";
import "./style/base.css";

// Few people open these, so their scripts are files of their own.
const Doctor = loadPart(async () => (await import("./doctor/doctor.tsx")).default, ViewNotLoaded);
const Admin = loadPart(async () => (await import("./admin/admin.tsx")).default, ViewNotLoaded);

/** Root component: provides the client, translations and announcer, and picks the view. */
export function App({ client, catalogue }: { client: Client; catalogue: Catalogue }) {
  return (
    <ClientContext value={client}>
      <I18nProvider initial={catalogue}>
        <Announcer>
          {/* Before the view, which starts the devices. */}
          <MediaPreferences />
          <View />
        </Announcer>
      </I18nProvider>
    </ClientContext>
  );
}

function View() {
  useAddress();
  const route = parseRoute(location.pathname, location.search);
  switch (route.view) {
    case "home":
      return <Home givenName={route.name} />;
    case "room":
      return (
        <Room key={route.room} room={route.room} givenName={route.name} skipsPreview={route.join} />
      );
    case "doctor":
      return <Doctor seconds={route.seconds} probe={route.probe} />;
    case "admin":
      return <Admin section={route.section} />;
    case "notFound":
      return <NotFound />;
  }
}

function ViewNotLoaded() {
  return (
    <Page>
      <NotLoaded />
    </Page>
  );
}
