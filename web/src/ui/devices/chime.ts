/** The sound of the speaker test: two notes, as a WAVE file (RIFF, 16-bit PCM, mono). */

const SAMPLE_RATE = 24_000;
/** Hertz: E5, then A5. */
const NOTES = [659.26, 880] as const;
/** Length of a note and its share that fades out, in seconds. */
const NOTE_S = 0.45;
const FADE_S = 0.3;
const ATTACK_S = 0.01;
const AMPLITUDE = 0.35;
const HEADER_BYTES = 44;

export function chime(): ArrayBuffer {
  const perNote = Math.round(SAMPLE_RATE * NOTE_S);
  const count = perNote * NOTES.length;
  const view = new DataView(new ArrayBuffer(HEADER_BYTES + 2 * count));
  writeHeader(view, 2 * count);
  NOTES.forEach((frequency, note) => {
    for (let i = 0; i < perNote; i++) {
      const time = i / SAMPLE_RATE;
      const envelope = Math.min(1, time / ATTACK_S, (NOTE_S - time) / FADE_S);
      const sample = AMPLITUDE * envelope * Math.sin(2 * Math.PI * frequency * time);
      view.setInt16(HEADER_BYTES + 2 * (note * perNote + i), Math.round(sample * 0x7fff), true);
    }
  });
  return view.buffer as ArrayBuffer;
}

function writeHeader(view: DataView, dataBytes: number): void {
  const text = (offset: number, value: string) => {
    for (let i = 0; i < value.length; i++) view.setUint8(offset + i, value.charCodeAt(i));
  };
  text(0, "RIFF");
  view.setUint32(4, HEADER_BYTES - 8 + dataBytes, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // channels
  view.setUint32(24, SAMPLE_RATE, true);
  view.setUint32(28, 2 * SAMPLE_RATE, true); // bytes per second
  view.setUint16(32, 2, true); // bytes per frame
  view.setUint16(34, 16, true); // bits per sample
  text(36, "data");
  view.setUint32(40, dataBytes, true);
}
