/** `mesh call METHOD REQUEST --json`, with more flags, however it is run; returns what it printed. */
export type MeshCall = (method: string, request: string, ...flags: readonly string[]) => Promise<string>;
