/** Where a process dies, by the process that does; each point is reached once on the way of an order. */
export const KILL_POINTS = {
  user: ['answer GetUser'],
  product: ['serve BatchGetProducts', 'answer BatchGetProducts'],
  inventory: ['before commit inventory.reserve', 'after commit inventory.reserve', 'serve Commit', 'answer Commit'],
  order: [
    'before commit order.place',
    'after commit order.place',
    'send Reserve',
    'receive Reserve',
    'send Charge',
    'receive Charge',
    'send ScheduleShipment',
    'receive ScheduleShipment',
    'send Commit',
    'receive Commit',
    'before commit saga.place-order.finish',
    'after commit saga.place-order.finish',
    'answer PlaceOrder',
  ],
} as const;

export const ALL_KILL_POINTS = Object.entries(KILL_POINTS).flatMap(([process, points]) => points.map((point) => ({ process, point })));
