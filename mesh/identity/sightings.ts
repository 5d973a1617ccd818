import type { Clock } from '#kit';

/** Entries kept at most: some 64 KB. */
const MAX_ENTRIES = 256;
/** How long an entry keeps its place in a full table once it is not seen any more. */
const KEEP_MS = 600_000;

/** Something that was seen, how often, and when; times in milliseconds since the epoch. */
export interface Sighting<T> {
  readonly what: T;
  readonly count: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

export interface SightingsRead<T> {
  /** Seen last first; 256 at most. */
  readonly listed: readonly Sighting<T>[];
  /** How often something was seen that is not listed. */
  readonly others: number;
}

/** A bounded table of what was seen. */
export interface Sightings<T> {
  note(key: string, what: T): void;
  read(): SightingsRead<T>;
}

/**
 * Full, it lets something new in only for an entry that was not seen for ten minutes: a peer that comes under ever new
 * addresses pushes nobody out of the report, and stands there as a number.
 */
export function createSightings<T>(clock: Clock): Sightings<T> {
  /** What was seen longest ago is in front. */
  const entries = new Map<string, Sighting<T>>();
  let others = 0;

  function hasRoom(nowMs: number): boolean {
    if (entries.size < MAX_ENTRIES) return true;
    const [oldest] = entries;
    if (!oldest || nowMs - oldest[1].lastMs < KEEP_MS) return false;
    entries.delete(oldest[0]);
    others += oldest[1].count;
    return true;
  }

  return {
    note(key, what) {
      const nowMs = clock.now();
      const known = entries.get(key);
      if (known) {
        entries.delete(key);
        entries.set(key, { what, count: known.count + 1, firstMs: known.firstMs, lastMs: nowMs });
      } else if (hasRoom(nowMs)) {
        entries.set(key, { what, count: 1, firstMs: nowMs, lastMs: nowMs });
      } else {
        others += 1;
      }
    },
    read: () => ({ listed: [...entries.values()].reverse(), others }),
  };
}
