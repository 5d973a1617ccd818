export type ProgressOutput = {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
};

export type Progress = {
  step(text: string): void;
  /** Ends the display; a terminal's line is wiped. */
  stop(): void;
};

const terminalEveryMs = 500;
const plainEveryMs = 15_000;
// A terminal that does not know its width says 0.
const usualColumns = 80;

/**
 * Shows that something long is under way: what, for how long, the latest step.
 * On a terminal one line that is rewritten twice a second, else a line every 15 s.
 */
export function startProgress(output: ProgressOutput, what: string): Progress {
  const startedMs = performance.now();
  let step = 'reading the modules';
  const line = (): string => `${what}  ${minutes(performance.now() - startedMs)}  ${step}`;
  const draw = (): void => {
    if (output.isTTY === true) output.write(`\r\x1b[2K${line().slice(0, (output.columns || usualColumns) - 1)}`);
    else output.write(`${line()}\n`);
  };
  draw();
  const timer = setInterval(draw, output.isTTY === true ? terminalEveryMs : plainEveryMs);
  return {
    step: (text) => {
      step = text;
    },
    stop: () => {
      clearInterval(timer);
      if (output.isTTY === true) output.write('\r\x1b[2K');
    },
  };
}

/** 83,000 ms is `1:23`. */
export function minutes(durationMs: number): string {
  const seconds = Math.floor(durationMs / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
