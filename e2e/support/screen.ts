// Tiles of shared screens.

import type { Participant } from "./participant.ts";
import { until } from "./until.ts";

interface ScreenTile {
  owner: string;
  large: boolean;
  width: number;
  frames: number;
}

/** Waits until the viewer's page shows the owner's screen large, with frames arriving. */
export async function seesScreenOf(viewer: Participant, owner: Participant): Promise<void> {
  const screenTiles = () =>
    viewer.tab.evaluate((): ScreenTile[] =>
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
    const seen = await screenTiles();
    const screen = seen.find(({ owner: name }) => name === owner.name);
    if (screen && screen.width > 0) first ??= screen.frames;
    const isMoving = screen && first !== undefined && screen.frames > first;
    return { done: (isMoving && screen.large) || undefined, seen };
  });
}
