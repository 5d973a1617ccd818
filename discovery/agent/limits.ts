/** What the embedded agent holds at most: enough for a machine, little enough that nobody can fill the machine with it. */
export const LIMITS = {
  /** Registered instances. */
  services: 1_000,
  keys: 5_000,
  /** One value in the key-value store; Consul's own limit. */
  valueBytes: 512 * 1024,
  /** All values together. */
  storeBytes: 16 * 1024 * 1024,
  /** Services that have a certificate. */
  leaves: 1_000,
  /** The body of a registration. */
  registrationBytes: 64 * 1024,
  /** Destinations that have intentions. */
  intentionEntries: 1_000,
  /** Sources of one destination, permissions of one source, conditions of one permission. */
  intentionSources: 1_000,
  /** Characters of a path, a header's value or a pattern. */
  intentionText: 4_096,
  /** The body of one entry; Consul's own limit is that of a Raft message, about as much. */
  intentionBytes: 512 * 1024,
  /** Requests that wait for a change, at one time. */
  waitingRequests: 1_000,
  connections: 2_000,
  /** How long one request may wait; Consul's own limit. */
  waitMs: 600_000,
} as const;

/** How long a request waits that does not say so; as in Consul. */
export const DEFAULT_WAIT_MS = 300_000;
