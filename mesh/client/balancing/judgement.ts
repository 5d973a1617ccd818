import type { Ejection } from '../../policy/call-policy.ts';
import type { Endpoint } from './endpoint.ts';
import { type Outlier, outlierOf, usualLatencyMs } from './outlier.ts';

export interface Verdict {
  readonly endpoint: Endpoint;
  readonly outlier: Outlier;
}

/** An instance that has not had `minCalls` calls in so many intervals is called too little to be judged. */
const MAX_INTERVALS = 5;

/** Compares the instances of a destination from time to time. */
export class Judgement {
  #usualMs: number | undefined;
  #judgedAtMs = -Infinity;

  /** The middle of what the instances need for a call; undefined until one was judged. */
  get usualMs(): number | undefined {
    return this.#usualMs;
  }

  isDue(nowMs: number, { intervalMs }: Ejection): boolean {
    // Before the last time: the clock was set back.
    return nowMs - this.#judgedAtMs >= intervalMs || nowMs < this.#judgedAtMs;
  }

  /**
   * Who stands out, the worst first. Judged is whose window holds `minCalls` calls; an instance that gets fewer, as a
   * slow one does under least request, collects them for up to five intervals. It needs others to be compared with.
   */
  judge(endpoints: readonly Endpoint[], limits: Ejection, nowMs: number): readonly Verdict[] {
    this.#judgedAtMs = nowMs;
    const judged = endpoints.filter((endpoint) => closeWindow(endpoint, limits.minCalls));
    const known = endpoints.filter(({ figures }) => figures);
    this.#usualMs = usualLatencyMs(known.flatMap(({ figures }) => figures ?? [])) ?? this.#usualMs;
    return judged
      .flatMap((endpoint) => {
        const others = known.flatMap((other) => (other === endpoint ? [] : (other.figures ?? [])));
        const outlier = endpoint.figures && outlierOf(endpoint.figures, others, limits);
        return outlier && !isCold(endpoint, outlier) ? [{ endpoint, outlier }] : [];
      })
      .sort((one, other) => failurePercent(other) - failurePercent(one));
  }
}

/** A new process compiles its code and fills its caches while it is in slow start: that it is slow is what slow start is for. */
function isCold({ state }: Endpoint, outlier: Outlier): boolean {
  return outlier === 'latency' && state.kind === 'slow-start';
}

/** Takes the figures of a full window; false while it is not full. */
function closeWindow(endpoint: Endpoint, minCalls: number): boolean {
  const { window } = endpoint;
  const full = window.calls >= minCalls;
  if (full) endpoint.figures = window.figures();
  else if (window.intervals + 1 >= MAX_INTERVALS) endpoint.figures = undefined;
  else {
    window.intervals += 1;
    return false;
  }
  window.clear();
  return full;
}

function failurePercent({ endpoint }: Verdict): number {
  return endpoint.figures?.failurePercent ?? 0;
}
