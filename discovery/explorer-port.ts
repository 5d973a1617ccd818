/**
 * The key in an instance's metadata under which it announces its explorer's port: plaintext, for this machine's people and
 * their tools only. Services never call it.
 */
export const EXPLORER_PORT = 'explorer_port';

/** Undefined for an instance without one. */
export function explorerPortOf({ metadata }: { readonly metadata: Readonly<Record<string, string>> }): number | undefined {
  const port = Number(metadata[EXPLORER_PORT]);
  return Number.isInteger(port) && port > 0 && port <= 65_535 ? port : undefined;
}
