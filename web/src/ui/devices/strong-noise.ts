/**
 * Strong suppression of noise: RNNoise in an AudioWorklet. Its script and WebAssembly are files of
 * the page; this module is loaded when it is used.
 */
import { loadRnnoise, RnnoiseWorkletNode } from "@sapphi-red/web-noise-suppressor";
import url from "@sapphi-red/web-noise-suppressor/rnnoise.wasm?url";
import simdUrl from "@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm?url";
import workletUrl from "@sapphi-red/web-noise-suppressor/rnnoiseWorklet.js?url";
import type { TrackFilter } from "moim-client";

/** Hertz: the rate for which RNNoise is trained. */
const SAMPLE_RATE = 48_000;

export const strongNoiseFilter: TrackFilter = async (input) => {
  const context = new AudioContext({ sampleRate: SAMPLE_RATE });
  try {
    const [wasmBinary] = await Promise.all([
      loadRnnoise({ url, simdUrl }),
      context.audioWorklet.addModule(workletUrl),
    ]);
    const source = context.createMediaStreamSource(new MediaStream([input]));
    const suppressor = new RnnoiseWorkletNode(context, { maxChannels: 1, wasmBinary });
    const destination = context.createMediaStreamDestination();
    source.connect(suppressor).connect(destination);
    // Suspended until a gesture, where the page has had none: sound without the filter is better.
    await context.resume();
    const [track] = destination.stream.getAudioTracks();
    if (!track) throw new Error("the filter has no output");
    // A phone call interrupts the context, which stays suspended afterwards.
    const resume = () => {
      if (context.state !== "running") void context.resume().catch(() => {});
    };
    context.addEventListener("statechange", resume);
    return {
      track,
      stop: () => {
        context.removeEventListener("statechange", resume);
        track.stop();
        suppressor.destroy();
        void context.close().catch(() => {});
      },
    };
  } catch (error) {
    void context.close().catch(() => {});
    throw error;
  }
};
