/** What `npm run bench orders` measures, by name without `orders.`; figures of one group come out of one measurement, also when one is asked for. */
export const FIGURES = {
  throughput: {
    micro_vs_naive: 'durable, traced orders/s, one process a service, beside the shop that is usually written (about 5 min for this group)',
    monolith_vs_naive: 'the same of all services in one process',
    cpu_micro_vs_naive: 'CPU of an order, Postgres included',
    cpu_monolith_vs_naive: 'the same of all services in one process',
    p99_at_half_capacity: 'ms from PlaceOrder to the final state, at half of the orders/s of micro',
    spans_per_order: 'spans that arrived, of each shop',
  },
  sagas: { saga_steps_vs_dbos: 'saga steps/s of the runner alone, beside DBOS (about 1 min)' },
  events: {
    events_postgres: 'events/s from outbox to effect over the log in Postgres, and what limits them (about 2 min)',
    events_kafka: 'the same over Kafka: KAFKA_BROKERS, else one of its own by `npm run backends -- kafka` (about 2 min)',
  },
  filled: { full_vs_empty: 'orders/s with a million finished orders, beside a shop just opened (about 10 min, half of it filling the tables)' },
} as const;
