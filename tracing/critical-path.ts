import { endOf, type TraceNode, type TraceTree, walk } from './trace-tree.ts';

/** Time for which one span, and nothing below it, kept the trace from being over. In microseconds since the epoch. */
export interface Stretch {
  /** Undefined for a pause: nothing was running that what came after it waited for. */
  readonly node: TraceNode | undefined;
  readonly fromUs: number;
  readonly toUs: number;
}

/** A span on the way back from the trace's end, with what of it is still to be explained. */
interface Frame {
  /** Undefined for what lies around the roots. */
  readonly node: TraceNode | undefined;
  readonly fromUs: number;
  untilUs: number;
  /** Not looked at yet, the one that ended last at the back. */
  readonly children: TraceNode[];
  /** Nothing of it is explained yet: a child may still be running where its caller stopped waiting. */
  isFresh: boolean;
}

/** Two processes' clocks agree to about this, and starts are rounded: what is over may seem to run on for so long. */
export const CLOCK_ERROR_US = 1_000;

/**
 * What decided how long the trace took, in order of time: from its first start to its last end without gap or overlap,
 * so that the stretches add up to its duration.
 *
 * Read backwards. A span that ends has waited for the child that ended last, that one for its own, and so on; before
 * that child began, the parent itself decided, or the child that had ended last by then. A child that overlaps with a
 * later one is thus beside the path. One that outlives its parent was not waited for, unless it is the other side of a
 * call: a caller waits until it has the answer or gives up. If such a child is the last of the trace to end, the path
 * leads back from there, through what had ended before it began, also after the end of their parent.
 */
export function criticalPath(tree: TraceTree): readonly Stretch[] {
  const stretches: Stretch[] = [];
  const frames = startAtTheEnd(tree);
  // A stack of frames and not recursive: how deep a trace is, its senders decide.
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    const child = nextChild(frame);
    if (child === undefined) {
      explain(frame, frame.fromUs, stretches);
      frames.pop();
      continue;
    }
    const untilUs = Math.min(endOf(child), frame.untilUs);
    explain(frame, untilUs, stretches);
    frame.untilUs = Math.max(child.startUs, frame.fromUs);
    frames.push(frameOf(child, frame.untilUs, untilUs));
  }
  return stretches.reverse();
}

/** How much of the path is each span's own, in microseconds; a span beside the path is not in it. */
export function ownTimes(path: readonly Stretch[]): ReadonlyMap<TraceNode | undefined, number> {
  const times = new Map<TraceNode | undefined, number>();
  for (const { node, fromUs, toUs } of path) times.set(node, (times.get(node) ?? 0) + toUs - fromUs);
  return times;
}

/** The frames from around the roots down to the span that ended last, each up to where the next one began. */
function startAtTheEnd({ roots }: TraceTree): Frame[] {
  const parents = new Map<TraceNode, TraceNode>();
  let last: TraceNode | undefined;
  let firstUs = Infinity;
  for (const node of walk(roots)) {
    for (const child of node.children) parents.set(child, node);
    firstUs = Math.min(firstUs, node.startUs);
    // Of those that end together the uppermost.
    if (last === undefined || endOf(node) > endOf(last)) last = node;
  }
  if (last === undefined) return [];
  const frames = [frameOf(last, last.startUs, endOf(last))];
  let untilUs = last.startUs;
  for (let node = parents.get(last); node !== undefined; node = parents.get(node)) {
    // Where clocks differ, a child may have begun before its parent.
    const fromUs = Math.min(node.startUs, untilUs);
    frames.push({ ...frameOf(node, fromUs, untilUs), isFresh: false });
    untilUs = fromUs;
  }
  frames.push({ node: undefined, fromUs: firstUs, untilUs, children: byEnd(roots), isFresh: false });
  return frames.reverse();
}

function frameOf(node: TraceNode, fromUs: number, untilUs: number): Frame {
  return { node, fromUs, untilUs, children: byEnd(node.children), isFresh: true };
}

function byEnd(nodes: readonly TraceNode[]): TraceNode[] {
  return nodes.toSorted((a, b) => endOf(a) - endOf(b));
}

/** The child that ended last before what is explained already. Each is looked at once: the way leads back in time. */
function nextChild(frame: Frame): TraceNode | undefined {
  for (let child = frame.children.pop(); child !== undefined; child = frame.children.pop()) {
    const isOver = endOf(child) - clockErrorOf(child) <= frame.untilUs;
    if (isOver ? endOf(child) > frame.fromUs : isAwaitedIn(frame, child)) {
      frame.isFresh = false;
      return child;
    }
  }
  return undefined;
}

/** Whether a child that runs on was what its parent waited for where the path enters the parent. */
function isAwaitedIn({ node, untilUs, isFresh }: Frame, child: TraceNode): boolean {
  if (!isFresh || node === undefined || child.startUs >= untilUs) return false;
  return endOf(child) - clockErrorOf(child) <= endOf(node) || (node.kind === 'client' && child.kind === 'server');
}

/** Of a quick span only a part: it may be beside the path for less than clocks differ. */
function clockErrorOf({ durationUs }: TraceNode): number {
  return Math.min(CLOCK_ERROR_US, durationUs / 10);
}

/** From `fromUs` to what is explained already it was the span itself, and a pause where the span had ended. */
function explain({ node, untilUs }: Frame, fromUs: number, stretches: Stretch[]): void {
  const ownUntilUs = node === undefined ? fromUs : Math.max(fromUs, Math.min(endOf(node), untilUs));
  if (untilUs > ownUntilUs) stretches.push({ node: undefined, fromUs: ownUntilUs, toUs: untilUs });
  if (ownUntilUs > fromUs) stretches.push({ node, fromUs, toUs: ownUntilUs });
}
