import { type ComponentProps, type RefObject, type SyntheticEvent, useState } from "react";
import { usePreference } from "../use-preference.ts";
import styles from "./camera-video.module.css";
import type { FrameState } from "./frames.ts";
import { isMirrored } from "./mirror.ts";

interface Props extends Omit<ComponentProps<"video">, "className" | "ref"> {
  ref: RefObject<HTMLVideoElement | null>;
  /** `waiting` hides it. */
  frames: FrameState;
  /** One's own camera, to be shown as in a mirror. */
  own?: MediaStream | null;
  /** Shows the whole picture or fills the container; null leaves it to their shapes. */
  fit?: "contain" | "cover" | null;
}

/** A camera's picture, within a container whose aspect ratio decides how it is cropped. */
export function CameraVideo({ ref, frames, own = null, fit = null, ...rest }: Props) {
  const [mirror] = usePreference("mirror");
  const [isUpright, setUpright] = useState(false);
  const measure = ({ currentTarget: video }: SyntheticEvent<HTMLVideoElement>) =>
    setUpright(video.videoWidth > 0 && video.videoWidth <= video.videoHeight);
  const classes = [
    styles.video,
    frames === "waiting" ? "" : styles.shown,
    frames === "stalled" ? styles.stalled : "",
    own && isMirrored(own, mirror) ? styles.mirrored : "",
  ];
  return (
    <video
      {...rest}
      ref={ref}
      // Firefox leads Tab to videos, also to those without controls.
      tabIndex={-1}
      className={classes.join(" ")}
      data-fit={fit ?? undefined}
      data-upright={isUpright}
      onResize={measure}
      onLoadedMetadata={measure}
    />
  );
}
