/** Times and sizes as people write them. */
const DURATION = /^([0-9]{1,12})(ms|s|m|h)$/;
const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** Milliseconds of a time with its unit, such as `"250ms"`, `"5s"`, `"2m"` or `"1h"`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit = ''] = DURATION.exec(text) ?? [];
  const factor = DURATION_MS[unit];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** The shortest text that `parseDuration` reads as `durationMs`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    const factor = DURATION_MS[unit] ?? 1;
    if (durationMs >= factor && durationMs % factor === 0) return `${durationMs / factor}${unit}`;
  }
  return `${durationMs}ms`;
}

const SIZE = /^([0-9]{1,12})(B|KiB|MiB|GiB)$/;
const SIZE_BYTES: Readonly<Record<string, number>> = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 };

/** Bytes of a size with its unit, such as `"64KiB"` or `"1MiB"`; undefined for anything else. */
export function parseSize(text: string): number | undefined {
  const [, digits, unit = ''] = SIZE.exec(text) ?? [];
  const factor = SIZE_BYTES[unit];
  return digits === undefined || factor === undefined ? undefined : Number(digits) * factor;
}

/** The shortest text that `parseSize` reads as `bytes`. */
export function formatSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const factor = SIZE_BYTES[unit] ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}
