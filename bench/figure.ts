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
  /** What the number, or the ratio where there is one, should be: `<= 5` or `>= 0.75`; null when it is only reported. */
  readonly aim: string | null;
  readonly met: boolean | null;
}

interface Measured {
  readonly figure: string;
  readonly value: number;
  readonly unit: string;
  readonly peer?: { readonly name: string; readonly value: number };
  readonly aim?: { readonly atMost: number } | { readonly atLeast: number };
}

/** Holds a measurement against its peer and its aim. */
export function judge({ figure, value, unit, peer, aim }: Measured): Figure {
  const ratio = peer ? round(value / peer.value) : null;
  const judged = ratio ?? value;
  const met = aim ? ('atMost' in aim ? judged <= aim.atMost : judged >= aim.atLeast) : null;
  return {
    figure,
    value: round(value),
    unit,
    peer: peer?.name ?? null,
    peerValue: peer ? round(peer.value) : null,
    ratio,
    aim: aim ? ('atMost' in aim ? `<= ${aim.atMost}` : `>= ${aim.atLeast}`) : null,
    met,
  };
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
