import { type Aim, type Figure, judge } from '../figure.ts';
import type { Medians } from './alternate.ts';
import { type ContestantName, CONTESTANTS } from './contestants.ts';
import type { Load } from './load.ts';

/** A figure, who must be measured for it, and how it follows. */
export interface FigureSpec {
  /** Without the `rpc.` that it is shown with. */
  readonly name: string;
  readonly contestants: readonly ContestantName[];
  figure(of: (contestant: ContestantName) => Medians): Figure;
}

/** Figures that come of the same slices: everybody makes the same calls at the same pace. */
export interface Comparison {
  readonly what: string;
  readonly load: Pick<Load, 'pace' | 'paddingBytes'>;
  readonly figures: readonly FigureSpec[];
}

/** Calls on their way at once: enough to keep one event loop busy, few enough not to queue. */
const IN_FLIGHT = 32;

/** So many times 4 KB is 1 MB each way: more than the default windows of a connection (64 KB) let through at once. */
const MANY_IN_FLIGHT = 256;

/** Well below what the slowest can do, so that what is measured is the way and not the queue. */
const MODEST_PER_SECOND = 1_000;

/** The least that is taken for added, in ms: noise can make it nothing, or less. */
const FLOOR_MS = 0.001;

/** Our calls per second over those of another. */
function calls(name: string, one: ContestantName, other: ContestantName, aim?: Aim): FigureSpec {
  return {
    name,
    contestants: [one, other],
    figure: (of) =>
      judge({
        figure: `rpc.${name}`,
        value: of(one).callsPerSecond,
        unit: 'calls/s',
        peer: { name: CONTESTANTS[other].title, value: of(other).callsPerSecond },
        aim,
      }),
  };
}

/** Our p99 over that of another. */
function p99(name: string, other: ContestantName, aim?: Aim): FigureSpec {
  return {
    name,
    contestants: ['ours', other],
    figure: (of) => judge({ figure: `rpc.${name}`, value: of('ours').p99Ms, unit: 'ms', peer: { name: CONTESTANTS[other].title, value: of(other).p99Ms }, aim }),
  };
}

/** What all processes on a call's way used for it. */
const cpuPerCall: FigureSpec = {
  name: 'cpu_per_call_vs_envoy',
  contestants: ['ours', 'envoy'],
  figure: (of) =>
    judge({
      figure: 'rpc.cpu_per_call_vs_envoy',
      value: of('ours').cpuMsPerCall * 1_000,
      unit: 'CPU µs',
      peer: { name: CONTESTANTS.envoy.title, value: of('envoy').cpuMsPerCall * 1_000 },
    }),
};

/** How many cores it took to make so many calls: two processes share the machine's with each other, four as well. */
const cores: FigureSpec = {
  name: 'cores_vs_envoy',
  contestants: ['ours', 'envoy'],
  figure: (of) =>
    judge({ figure: 'rpc.cores_vs_envoy', value: of('ours').cores, unit: 'cores', peer: { name: CONTESTANTS.envoy.title, value: of('envoy').cores } }),
};

/** What our runtime adds to the p99 of bare grpc-js, over what the sidecars add to it. */
const addedP99: FigureSpec = {
  name: 'added_p99_vs_envoy',
  contestants: ['ours', 'grpc-js', 'envoy'],
  figure: (of) => {
    const added = (name: ContestantName): number => Math.max(FLOOR_MS, of(name).p99Ms - of('grpc-js').p99Ms);
    return judge({
      figure: 'rpc.added_p99_vs_envoy',
      value: added('ours'),
      unit: 'ms',
      peer: { name: CONTESTANTS.envoy.title, value: added('envoy') },
      aim: { atMost: 0.5 },
    });
  },
};

/** What the ratio is made of: it can be less than nothing, where the noise is more than what is added. */
function addedBy(name: string, one: 'ours' | 'envoy'): FigureSpec {
  return {
    name,
    contestants: [one, 'grpc-js'],
    figure: (of) => judge({ figure: `rpc.${name}`, value: of(one).p99Ms - of('grpc-js').p99Ms, unit: 'ms' }),
  };
}

export const COMPARISONS: readonly Comparison[] = [
  {
    what: `a small unary call, ${IN_FLIGHT} in flight`,
    load: { pace: { inFlight: IN_FLIGHT }, paddingBytes: 0 },
    figures: [
      calls('unary_vs_grpc_js', 'ours', 'grpc-js', { atLeast: 0.9 }),
      calls('unary_mtls_vs_grpc_js', 'ours-secured', 'grpc-js', { atLeast: 0.85 }),
      calls('unary_mtls_vs_plaintext', 'ours-secured', 'ours'),
      calls('unary_vs_nice_grpc', 'ours', 'nice-grpc', { above: 1 }),
      calls('unary_vs_connect_node', 'ours', 'connect-node', { above: 1 }),
      calls('unary_vs_auto_instrumented', 'ours', 'auto-instrumented', { above: 1 }),
      calls('unary_vs_envoy_sidecars', 'ours', 'envoy', { atLeast: 2.5 }),
      cpuPerCall,
      cores,
    ],
  },
  {
    what: `request and answer of 4 KB, ${MANY_IN_FLIGHT} in flight`,
    load: { pace: { inFlight: MANY_IN_FLIGHT }, paddingBytes: 4_096 },
    figures: [
      p99('p99_4kb_vs_grpc_js', 'grpc-js', { atMost: 0.75 }),
      p99('p99_4kb_vs_grpc_js_wide', 'grpc-js-wide'),
      calls('calls_4kb_vs_grpc_js', 'ours', 'grpc-js', { atLeast: 1.25 }),
      calls('calls_4kb_vs_grpc_js_wide', 'ours', 'grpc-js-wide'),
    ],
  },
  {
    what: `a small unary call, ${MODEST_PER_SECOND} a second`,
    load: { pace: { perSecond: MODEST_PER_SECOND }, paddingBytes: 0 },
    figures: [addedP99, addedBy('added_p99_ours', 'ours'), addedBy('added_p99_envoy', 'envoy')],
  },
  {
    what: `a small unary call within the process, ${IN_FLIGHT} in flight`,
    load: { pace: { inFlight: IN_FLIGHT, turnEvery: 16 }, paddingBytes: 0 },
    figures: [calls('local_vs_remote', 'local', 'ours', { atLeast: 15 }), calls('local_vs_remote_untraced', 'local-untraced', 'ours-untraced')],
  },
];
