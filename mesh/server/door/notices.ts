import type { Clock, Log } from '#kit';

/** A kind of thing is logged once in so long: a flood of peers must not become a flood of lines. */
const QUIET_MS = 10_000;

/** What the door refused or ended, and what its log says of it. */
const SENTENCES = {
  'too-many-connections': 'connections were refused: the limit of all connections is reached',
  'too-many-of-peer': 'connections were refused: the limit for one address is reached',
  'slow-handshake': 'connections were closed: their peers did not begin to speak HTTP/2 in time',
  'too-much-before-call': 'connections were closed: their peers sent more than settings and made no call',
  http1: 'connections were closed: their peers speak HTTP/1, and this port gRPC',
  tls: 'connections were closed: their peers speak TLS, and this port is in plaintext',
  plaintext: 'connections were of no use: their peers speak plaintext, and this port TLS',
  'tls-failed': 'connections were closed: the TLS handshake with their peers failed',
  'bad-certificate': 'connections were closed: their peers showed certificates that are none of this mesh',
  'outdated-certificate': 'connections were closed, and their calls finished: the certificates of their peers are no good any more',
  noise: 'connections were closed: what their peers sent is no HTTP/2',
  'protocol-error': 'connections were closed: their peers broke the rules of HTTP/2',
  'metadata-too-large': 'calls were refused: their metadata is over the limit',
  'too-many-compressed': 'calls were refused: too many compressed requests at once',
  'half-open': 'calls were cancelled: their requests did not come to an end',
  'unread-answers': 'calls were cancelled: their peers did not read the answers in time',
  'too-much-unread': 'connections were closed: their peers left too much of their answers unread',
  'ping-flood': 'connections were closed: their peers sent too many pings',
  'many-resets': 'connections were closed, and their calls finished: their peers cancelled many calls',
} as const;

export type Notice = keyof typeof SENTENCES;

/** Counts what happened at the door, and logs the first of a kind at once, what follows every 10 s with its number. */
export interface Notices {
  note(kind: Notice, peer?: string): void;
  /** Logs what has waited long enough. */
  flush(): void;
  read(): Readonly<Record<Notice, number>>;
}

export function createNotices(log: Log, clock: Clock): Notices {
  // Object.keys forgets which keys a constant object has.
  const kinds = Object.keys(SENTENCES) as Notice[];
  const states = new Map(kinds.map((kind) => [kind, { total: 0, logged: 0, at: -Infinity, peer: undefined as string | undefined }]));

  function flushOne(kind: Notice): void {
    const state = states.get(kind);
    if (!state || state.total === state.logged || clock.now() - state.at < QUIET_MS) return;
    log.warn({ kind, count: state.total - state.logged, peer: state.peer }, SENTENCES[kind]);
    state.logged = state.total;
    state.at = clock.now();
  }

  return {
    note(kind, peer) {
      const state = states.get(kind);
      if (!state) return;
      state.total += 1;
      state.peer = peer;
      flushOne(kind);
    },
    flush: () => kinds.forEach(flushOne),
    // Every kind has a state.
    read: () => Object.fromEntries(kinds.map((kind) => [kind, states.get(kind)?.total ?? 0])) as Record<Notice, number>,
  };
}
