import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';

/** A value of an instrument that has several at once, told apart by attributes. */
export type Point = readonly [value: number, attributes: Attributes];

/** One instrument, and its value in what a mechanism says of itself. */
export interface Figure<R> {
  /** `total`: only grows. `level`: rises and falls, and adds up over processes. `gauge`: rises and falls, and a sum of several says nothing. */
  readonly kind: 'total' | 'level' | 'gauge';
  readonly name: string;
  /** By UCUM, in braces what is counted: `{call}`. */
  readonly unit: string;
  readonly description: string;
  readonly value: (reading: R) => number | readonly Point[];
}

/** Mechanisms of one kind that are watched. */
export interface Watch<R> {
  /** Reads `read` at each collection, under these attributes. Returns how to end that. */
  add(attributes: Attributes, read: () => R): () => void;
  stop(): void;
}

/**
 * Instruments whose values are asked for when metrics are collected: a mechanism counts in plain numbers and pays nothing
 * for being watched. Two mechanisms with the same attributes would be one series, and the last one would be seen.
 */
export function createWatch<R>(meter: Meter, figures: readonly Figure<R>[]): Watch<R> {
  const instruments = figures.map((figure) => ({ figure, instrument: instrumentOf(meter, figure) }));
  const observables = instruments.map(({ instrument }) => instrument);
  const watched = new Set<{ readonly attributes: Attributes; readonly read: () => R }>();

  function collect(result: BatchObservableResult): void {
    for (const { attributes, read } of watched) {
      const reading = read();
      for (const { figure, instrument } of instruments) {
        const value = figure.value(reading);
        if (typeof value === 'number') result.observe(instrument, value, attributes);
        else for (const [each, more] of value) result.observe(instrument, each, { ...attributes, ...more });
      }
    }
  }

  meter.addBatchObservableCallback(collect, observables);
  return {
    add(attributes, read) {
      const source = { attributes, read };
      watched.add(source);
      return () => void watched.delete(source);
    },
    stop: () => meter.removeBatchObservableCallback(collect, observables),
  };
}

function instrumentOf<R>(meter: Meter, { kind, name, unit, description }: Figure<R>): Observable {
  const options = { unit, description };
  switch (kind) {
    case 'total':
      return meter.createObservableCounter(name, options);
    case 'level':
      return meter.createObservableUpDownCounter(name, options);
    case 'gauge':
      return meter.createObservableGauge(name, options);
  }
}
