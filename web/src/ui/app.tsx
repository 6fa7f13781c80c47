import type { Client } from "../client/index.ts";
import { Announcer } from "./announcer.tsx";
import { ClientContext } from "./client-context.ts";
import { Home } from "./home/home.tsx";
import { SpeechProvider } from "./i18n/context.tsx";
import { Lost } from "./lost.tsx";
import { Room } from "./room/room.tsx";
import { parseRoute, useAddress } from "./router.ts";
import "./style/tokens.css";
import "./style/base.css";

/** The page, over a client. */
export function App({ client }: { client: Client }) {
  return (
    <ClientContext value={client}>
      <SpeechProvider>
        <Announcer>
          <View />
        </Announcer>
      </SpeechProvider>
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
    case "lost":
      return <Lost />;
  }
}
