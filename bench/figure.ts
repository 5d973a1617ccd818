/** One measured number, beside what it is compared with and what it should be. */
export interface Figure {
  /** Such as `rpc.unary_vs_grpc_js`. */
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, measured in the same run; null when nothing is. */
  readonly peer: string | null;
  readonly peerValue: number | null;
  /** value / peerValue. */
  readonly ratio: number | null;
  /** What the number, or the ratio where there is one, should be: `<= 5`, `>= 0.75` or `> 1`; null when it is only reported. */
  readonly aim: string | null;
  readonly met: boolean | null;
}

interface Measured {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: { readonly name: string; readonly value: number };
  readonly aim?: Aim | undefined;
}

/** What a number should be. */
export type Aim = { readonly atMost: number } | { readonly atLeast: number } | { readonly above: number };

/** Holds a measurement against its peer and its aim. */
export function judge({ figure, value, unit, peer, aim }: Measured): Figure {
  const ratio = peer ? round(value / peer.value) : null;
  return {
    figure,
    value: round(value),
    unit,
    peer: peer?.name ?? null,
    peerValue: peer ? round(peer.value) : null,
    ratio,
    ...(aim ? verdict(ratio ?? value, aim) : { aim: null, met: null }),
  };
}

function verdict(judged: number, aim: Aim): Pick<Figure, 'aim' | 'met'> {
  if ('atMost' in aim) return { aim: `<= ${aim.atMost}`, met: judged <= aim.atMost };
  if ('atLeast' in aim) return { aim: `>= ${aim.atLeast}`, met: judged >= aim.atLeast };
  return { aim: `> ${aim.above}`, met: judged > aim.above };
}

/** The middle of the values: one slow slice on a busy machine does not move it. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle];
  if (upper === undefined) throw new Error('the median of nothing');
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/** Three significant digits: more would be noise. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}
