const BAR_CELLS = 24;

/** A line on a terminal that is written over as things go on; nothing anywhere else. */
export class ProgressLine {
  readonly #stream: NodeJS.WriteStream;
  readonly #isShown: boolean;
  #length = 0;

  constructor(stream: NodeJS.WriteStream, isWanted: boolean) {
    this.#stream = stream;
    this.#isShown = isWanted && stream.isTTY === true;
  }

  /** @param of the end, or 0 when nobody knows it */
  show(what: string, at: number, of: number): void {
    if (!this.#isShown) return;
    const share = of === 0 ? 0 : Math.min(1, at / of);
    const full = Math.round(share * BAR_CELLS);
    const bar = `[${'#'.repeat(full)}${'.'.repeat(BAR_CELLS - full)}] ${Math.floor(100 * share)} %`;
    const text = of === 0 ? `${what} ${at}` : `${what} ${at} of ${of} ${bar}`;
    const fitting = text.slice(0, Math.max(0, (this.#stream.columns ?? 80) - 1));
    this.#stream.write(`\r${fitting.padEnd(this.#length)}`);
    this.#length = fitting.length;
  }

  /** Leaves an empty line to write on. */
  clear(): void {
    if (this.#length > 0) this.#stream.write(`\r${' '.repeat(this.#length)}\r`);
    this.#length = 0;
  }
}
