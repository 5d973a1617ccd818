/** Something that must not work, and what keeps it from working. */
export interface Attack {
  /** Short, for `--only`. */
  readonly name: string;
  /** What is tried, in a few words. */
  readonly attack: string;
  /** How it must be refused, with code and reason, or what must not come of it. */
  readonly must: string;
  /** What `off` takes away. */
  readonly guard: string;
  /** Tries it. */
  run(guard: 'on' | 'off'): Promise<Attempt>;
}

/** What came of an attempt. */
export interface Attempt {
  readonly state: 'refused' | 'succeeded';
  /** Code and reason, or numbers. */
  readonly facts: string;
}

export const refused = (facts: string): Attempt => ({ state: 'refused', facts });
export const succeeded = (facts: string): Attempt => ({ state: 'succeeded', facts });
