import { DataSettings } from "./data-settings.tsx";
import { PictureSettings } from "./picture-settings.tsx";
import { SoundSettings } from "./sound-settings.tsx";

/** All settings of sound and picture before a call. */
export default function MediaSettings() {
  return (
    <>
      <SoundSettings />
      <PictureSettings />
      <DataSettings />
    </>
  );
}
