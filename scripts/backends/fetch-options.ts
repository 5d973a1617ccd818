import type { Environment } from './folders.ts';

/** What a backend that another tool fetches the parts of is fetched with. */
export type FetchOptions<Backend> = {
  readonly backend: Backend;
  /** The folder that holds, for each backend, the list of what is fetched, with checksums. */
  readonly modules: string;
  /** Where all backends are kept. */
  readonly folder: string;
  /** The program to write, into a folder of that one. */
  readonly output: string;
  readonly scratch: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onStep: (step: string) => void;
};
