// Shared screens, as somebody's page shows them.

import type { Participant } from "./participant.ts";
import { until } from "./until.ts";

interface Seen {
  owner: string;
  large: boolean;
  width: number;
  frames: number;
}

/** Waits until the page shows the screen of that one, large and moving. */
export async function seesScreenOf(viewer: Participant, owner: Participant): Promise<void> {
  const look = () =>
    viewer.tab.evaluate((): Seen[] =>
      [...document.querySelectorAll("[data-testid=screen-tile]")].map((tile) => {
        const video = tile.querySelector("video");
        return {
          owner: tile.getAttribute("data-name") ?? "",
          large: tile.getAttribute("data-large") === "true",
          width: video?.videoWidth ?? 0,
          frames: video?.getVideoPlaybackQuality().totalVideoFrames ?? 0,
        };
      }),
    );
  let first: number | undefined;
  await until(`${viewer.name} to see ${owner.name}'s screen`, async () => {
    const seen = await look();
    const screen = seen.find(({ owner: name }) => name === owner.name);
    if (screen && screen.width > 0) first ??= screen.frames;
    const moves = screen && first !== undefined && screen.frames > first;
    return { done: (moves && screen.large) || undefined, seen };
  });
}
