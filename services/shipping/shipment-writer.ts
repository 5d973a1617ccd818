import type { Tracer } from '@opentelemetry/api';

import { createGroupCommit, type Database } from '#database';
import { appendEvents, type Event } from '#events';
import type { Clock } from '#kit';

import type { Shipment, ShipmentState } from './domain.ts';
import { type Move, moveShipments, type NewShipment, openShipments } from './store.ts';

/** A move, with the event that announces it. */
export interface AnnouncedMove {
  readonly move: Move;
  /** Made by whoever moves, so that it belongs to the trace of the call; undefined for a move that is the business of nobody else. */
  readonly event: Event | undefined;
}

/** The two writes of every shipment. Under load a commit is shared by as many shipments as come during the one before. */
export interface ShipmentWriter {
  /** Writes an order's shipment as BOOKING; undefined when it has one. */
  open(shipment: NewShipment): Promise<Shipment | undefined>;
  /** Moves a shipment on and announces it in the same transaction; undefined when it is in no state that leads there. */
  move(move: AnnouncedMove): Promise<Shipment | undefined>;
}

export interface ShipmentWriterOptions {
  readonly database: Database;
  readonly tracer: Tracer;
  readonly clock: Clock;
}

export function createShipmentWriter({ database, tracer, clock }: ShipmentWriterOptions): ShipmentWriter {
  return {
    open: createGroupCommit<NewShipment, Shipment | undefined>({ name: 'shipping.open', tracer, clock }, async (group) => {
      const opened = byId(await openShipments(database, group));
      return group.map(({ shipmentId }) => opened.get(shipmentId));
    }),
    move: createGroupCommit<AnnouncedMove, Shipment | undefined>({ name: 'shipping.move', tracer, clock }, (group) =>
      database.transaction('shipping.move', async (tx) => {
        const moved = new Map<AnnouncedMove, Shipment | undefined>();
        for (const round of inRounds(group)) {
          const shipments = byId(await moveShipments(tx, round.map(({ move }) => move)));
          for (const entry of round) moved.set(entry, shipments.get(entry.move.shipmentId));
        }
        await appendEvents(tx, group.flatMap((entry) => (entry.event && moved.get(entry) ? [entry.event] : [])));
        return group.map((entry) => moved.get(entry));
      }),
    ),
  };
}

/**
 * One move of each shipment a round, in the order in which they came. A shipment gets into a state once, and nobody wants
 * one that it cannot have reached yet: so of several who want the same, the first is enough, and there are as many rounds as states at most.
 */
function inRounds(group: readonly AnnouncedMove[]): AnnouncedMove[][] {
  const wanted = new Map<string, Set<ShipmentState>>();
  const rounds: AnnouncedMove[][] = [];
  for (const entry of group) {
    const { shipmentId, to } = entry.move;
    const states = wanted.get(shipmentId) ?? new Set();
    if (states.has(to)) continue;
    (rounds[states.size] ??= []).push(entry);
    wanted.set(shipmentId, states.add(to));
  }
  return rounds;
}

function byId(shipments: readonly Shipment[]): Map<string, Shipment> {
  return new Map(shipments.map((shipment) => [shipment.shipmentId, shipment]));
}
