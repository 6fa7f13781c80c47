/** Lets through so many frames a second, evenly, of a camera that gives more. */
export class FramePacer {
  /** When (µs, by the frames' own clock) the next frame is due. */
  #due = Number.NEGATIVE_INFINITY;

  takes(timestamp: number, frameRate: number): boolean {
    const interval = 1_000_000 / frameRate;
    // Of a clock that jumped, or after a pause, count from here.
    const isAnew = timestamp > this.#due + interval || timestamp < this.#due - 3 * interval;
    // Frames come a little early and late: half of a camera's 30 must not become 10.
    if (!isAnew && timestamp < this.#due - interval / 4) return false;
    this.#due = (isAnew ? timestamp : this.#due) + interval;
    return true;
  }
}
