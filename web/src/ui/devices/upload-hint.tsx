import { type Call, isUploadWeak } from "moim-client";
import { useEffect, useState } from "react";
import { useClient, useReadable } from "../client-context.ts";
import { useI18n } from "../i18n/context.tsx";
import { toggleCamera } from "../parts/media-toggles.tsx";
import { usePreference } from "../use-preference.ts";
import { Hint } from "./hint.tsx";
import { NO_UPLOAD_HINT, reduceUploadHint } from "./upload-hint-state.ts";

/** Says that the own upload is too weak for the camera, and offers to send less. */
export function UploadHint({ call }: { call: Call }) {
  const { t } = useI18n();
  const { media } = useClient();
  const { camera } = useReadable(media);
  const [uploadHint, setUploadHint] = usePreference("uploadHint");
  const [send, setSend] = usePreference("send");
  const [state, setState] = useState(NO_UPLOAD_HINT);
  const isWanted = uploadHint !== "off";
  useEffect(() => {
    if (!isWanted) return;
    return call.statistics.subscribe(() => {
      const isWeak = isUploadWeak(call.callFacts);
      setState((before) => reduceUploadHint(before, { now: performance.now(), isWeak }));
    });
  }, [call, isWanted]);
  if (!isWanted || !state.isShown || !camera.on) return null;
  const hide = () => setState((before) => ({ ...before, isShown: false }));
  const help =
    send === "saver"
      ? { label: t.controls.cameraOff, run: () => toggleCamera(media) }
      : { label: t.sound.sendLess, run: () => setSend(send === "low" ? "saver" : "low") };
  return (
    <Hint
      icon="alert"
      title={t.sound.weakUpload}
      text={t.sound.weakUploadHint}
      action={{
        label: help.label,
        run: () => {
          help.run();
          hide();
        },
      }}
      testId="upload-hint"
      onDismiss={hide}
      onNeverAgain={() => setUploadHint("off")}
    />
  );
}
