/** What `npm run bench identity` measures, by name without `identity.`; figures of one group come out of one measurement, also when one is asked for. */
export const FIGURES = {
  handshakes: {
    handshakes_full: 'mTLS connections/s to our door with our credentials, beside grpc-js with the same certificates (about 2 min for this group)',
    handshakes_resumed: 'the same of a client that offers a session, which ours do not, beside grpc-js and beside no session',
  },
  intentions: {
    intention_check: 'µs a check with 10 intentions, by service alone (L4) and by path and header (L7) (about 30 s for this group)',
    intention_check_1000: 'the same with 1,000',
    intention_change: 'ms until a change among 1,000 holds, and until it has been put to 10,000 open streams',
  },
  tokens: { token_check: 'µs to verify an access token that was seen before, and one that was not, beside jose alone (about 30 s)' },
  signIns: {
    sign_ins: 'sign-ins/s of one user service over mTLS, beside its hash alone (about 2 min for this group)',
    sign_in_ms: 'ms of one sign-in alone',
    sign_in_memory: 'MiB of its process under that load, beside idle',
  },
  rotation: { rotation_failed_calls: 'calls that fail while every leaf and the root are renewed again and again (about 1 min)' },
} as const;
